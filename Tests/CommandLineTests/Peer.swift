import Foundation

/// The scripts in `Tests/Peers`.
enum Peer {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Peers").path

  /// Whether those that need no framework can run here.
  static let isThere = has("numpy, h5py")

  /// The frameworks that networks can be compared with here.
  static let frameworks = isThere ? ["torch", "jax"].filter { has($0) } : []

  /// Runs a script.
  static func run(_ script: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
    try python(["\(folder)/\(script)"] + arguments)
  }

  /// Runs a program in Python in a folder.
  static func run(text: String, in folder: String) throws -> (status: Int32, text: String) {
    try python(["-c", text], in: folder)
  }

  /// Whether modules can be imported.
  static func has(_ modules: String) -> Bool {
    (try? python(["-c", "import \(modules)"]).status) == 0
  }

  private static func python(
    _ arguments: [String], in folder: String? = nil
  ) throws -> (status: Int32, text: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // The system's Python may have packages that the first one on the path has not.
    process.arguments = [ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"] + arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}
