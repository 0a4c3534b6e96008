import Foundation

/// The path of a file in a new folder that is removed with its variable.
struct ScratchFile: ~Copyable {
  let path: String
  private let folder: String

  init(_ name: String, _ text: String = "") throws {
    folder = FileManager.default.temporaryDirectory.path + "/matrix-tests-\(UUID().uuidString)"
    path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}
