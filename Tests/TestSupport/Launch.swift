public import Foundation

/// What a program that was started left behind.
public struct Launch: Sendable {
  /// The exit status, or minus the number of the signal that ended it.
  public let status: Int32
  /// What it wrote to standard output.
  public let output: String
  /// What it wrote to standard error.
  public let errors: String
}

/// A failure to start a program or to see it end.
public enum LaunchError: Error, CustomStringConvertible {
  /// There is no such product beside the test bundle.
  case missingProduct(String, searched: [String])
  /// The program did not end in time and was killed; with what it had written.
  case hang(String, limit: String, Launch)

  /// What went wrong, in words.
  public var description: String {
    switch self {
    case .missingProduct(let product, let searched):
      "no product \(product) in \(searched.joined(separator: ", "))"
    case .hang(let command, let limit, let launch):
      """
      hang: \(command) was killed after \(limit)
      output: \(launch.output)
      errors: \(launch.errors)
      """
    }
  }
}

/// Runs a product of the package under `mpirun` and waits for its end.
///
/// - Parameters:
///   - product: The name of an executable that was built beside the test bundle.
///   - arguments: The arguments of the program.
///   - ranks: The number of processes; nil to start the program alone, without `mpirun`.
///   - environment: The variables to set beside those that this process has.
///   - directory: The working directory; nil for that of this process.
///   - working: How many of the processes have work at a time; all if nil.
///   - limits: How long the program may take; then it is killed.
/// - Returns: The exit status and the output of the program.
/// - Throws: ``LaunchError`` if there is no such product or it hangs.
public func launch(
  _ product: String, arguments: [String] = [], ranks: Int?, environment: [String: String] = [:],
  directory: String? = nil, working: Int? = nil, limits: TimeLimits = .standard
) throws -> Launch {
  let program = try locate(product).path
  var command = [program] + arguments
  if let ranks {
    let options = ["--oversubscribe", "--mca", "mpi_yield_when_idle", "1", "-n", "\(ranks)"]
    command = ["mpirun"] + options + command
  }
  var variables = ProcessInfo.processInfo.environment
  // Containers run the tests as root, which Open MPI has to be told twice.
  variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
  variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
  // Where the daemon of munge is installed and does not run, every start would wait for it for seconds.
  variables["PMIX_MCA_psec"] = variables["PMIX_MCA_psec"] ?? "native"
  // Ranks of one machine look for no network and no devices; a process alone starts no daemon. Tests that start the
  // program by themselves do without.
  for (name, value) in [
    ("OMPI_MCA_pml", "ob1"), ("OMPI_MCA_ess_singleton_isolated", "1"),
    ("HWLOC_COMPONENTS", "-pci,-linuxio"),
  ] { variables[name] = variables[name] ?? value }
  // Without a daemon, processes would share their session's folder, which one removes under the other.
  let session = FileManager.default.temporaryDirectory
    .appendingPathComponent("mpi-\(UUID().uuidString.prefix(8))").path
  if ranks == nil {
    try FileManager.default.createDirectory(atPath: session, withIntermediateDirectories: true)
    variables["OMPI_MCA_orte_tmpdir_base"] = session
  }
  defer { if ranks == nil { try? FileManager.default.removeItem(atPath: session) } }
  variables.merge(environment) { _, new in new }
  return try Turn.programs.take(working ?? ranks ?? 1) {
    try execute(command, environment: variables, directory: directory, limits: limits)
  }
}

/// Finds a product of the package.
///
/// - Parameter product: The name of the executable.
/// - Returns: The place of the executable.
/// - Throws: ``LaunchError`` if it is not beside the test bundle.
public func locate(_ product: String) throws -> URL {
  // The test bundle is the program itself on Linux, and an argument of the test runner elsewhere.
  let places = ([Bundle.main.executablePath].compactMap { $0 } + CommandLine.arguments)
    .filter { $0.contains("/") }
    .flatMap { place in
      sequence(first: URL(fileURLWithPath: place)) { url in
        url.path == "/" ? nil : url.deletingLastPathComponent()
      }.dropFirst().prefix(4)
    }
  let candidates = places.map { $0.appendingPathComponent(product) }
  let found = candidates.first { candidate in
    var isDirectory: ObjCBool = false
    // The flag is set during the call.
    return unsafe FileManager.default.fileExists(
      atPath: candidate.path, isDirectory: &isDirectory) && !isDirectory.boolValue
  }
  guard let found else {
    throw LaunchError.missingProduct(product, searched: places.map { $0.path })
  }
  return found
}

/// Runs a command and waits for its end.
///
/// - Parameters:
///   - command: The name of the program and its arguments.
///   - environment: The variables of the program; nil for those of this process.
///   - directory: The working directory; nil for that of this process.
///   - limits: How long the program may take; then it is killed.
/// - Returns: The exit status and the output of the program.
/// - Throws: ``LaunchError`` if it hangs.
public func execute(
  _ command: [String], environment: [String: String]? = nil, directory: String? = nil,
  limits: TimeLimits = .standard
) throws -> Launch {
  // Files take its output, since a full pipe would stop it.
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("launch-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let files = ["output", "errors"].map { folder.appendingPathComponent($0) }
  for file in files { try Data().write(to: file) }
  let handles = try files.map { try FileHandle(forWritingTo: $0) }
  // A process keeps the handles of its output for as long as this program lives, and MPI uses select(), which
  // knows 1024 descriptors: those that are left open are inherited by the processes of exit tests.
  defer { for handle in handles { try? handle.close() } }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = command
  if let environment { process.environment = environment }
  if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
  process.standardInput = FileHandle.nullDevice
  (process.standardOutput, process.standardError) = (handles[0], handles[1])
  let limit = try process.run(within: limits)
  let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
  let signalled = process.terminationReason == .uncaughtSignal
  let launch = Launch(
    status: signalled ? -process.terminationStatus : process.terminationStatus,
    output: texts[0], errors: texts[1])
  if let limit {
    throw LaunchError.hang(command.joined(separator: " "), limit: limit, launch)
  }
  return launch
}

extension Process {
  /// Runs until the end, or until a limit is passed: then the process is killed.
  ///
  /// - Parameters:
  ///   - limits: How long it may take.
  ///   - meanwhile: What is done once it has started.
  /// - Returns: The limit that was passed, in words; nil for a process that has ended by itself.
  /// - Throws: An error of the system if it cannot be started, or what the other work throws.
  public func run(
    within limits: TimeLimits, _ meanwhile: () throws -> Void = {}
  ) throws -> String? {
    let ended = DispatchSemaphore(value: 0)
    terminationHandler = { _ in ended.signal() }
    try run()
    try meanwhile()
    var watch = LimitWatch(limits, of: processIdentifier)
    while ended.wait(timeout: .now() + 0.25) == .timedOut {
      guard let limit = watch.passedLimit() else { continue }
      let members = ProcessTree.members(of: processIdentifier)
      // mpirun ends its processes when it is asked to end; shells leave theirs behind, and as long as one of
      // them lives the process does not count as ended.
      terminate()
      if ended.wait(timeout: .now() + 5) == .timedOut {
        for member in members { kill(member, SIGKILL) }
        ended.wait()
      }
      return limit
    }
    return nil
  }
}
