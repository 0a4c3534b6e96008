import Foundation
public import MessagePassing

/// The names of checkpoint files, and the files of a directory.
public enum Checkpoint {
  /// The attribute `format` of files of the present format.
  public static let format = "h2nn-dist checkpoint 2"
  /// The program's version, written into every file.
  public static let programVersion = "0.1.0"

  /// Returns the name of the checkpoint of a step.
  ///
  /// - Parameters:
  ///   - step: The step.
  ///   - directory: The directory of the run.
  /// - Returns: The path.
  public static func path(step: Int, in directory: String) -> String {
    let digits = String(step)
    let padding = String(repeating: "0", count: max(0, 8 - digits.count))
    return "\(directory)/checkpoint-\(padding)\(digits).h5"
  }

  /// Returns the step that the name of a file gives.
  ///
  /// - Parameter path: The file.
  /// - Returns: The step, or nil if the name is not that of a checkpoint.
  public static func step(of path: String) -> Int? {
    let name = (path as NSString).lastPathComponent
    guard name.hasPrefix("checkpoint-"), name.hasSuffix(".h5") else { return nil }
    let step = Int(name.dropFirst("checkpoint-".count).dropLast(".h5".count))
    // Names with the number written in another way are not those of checkpoints.
    return step.flatMap { $0 >= 0 && Self.path(step: $0, in: "") == "/\(name)" ? $0 : nil }
  }

  /// Lists the checkpoints of a run, the newest first.
  ///
  /// - Parameter directory: The directory of the run.
  /// - Returns: The paths.
  public static func list(in directory: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.compactMap { step(of: $0) }.sorted(by: >).map { path(step: $0, in: directory) }
  }

  /// Lists the checkpoints that rank 0 finds, the newest first, so that all ranks try the same files.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - directory: The directory of the run.
  ///   - communicator: The ranks that read the files together.
  /// - Returns: The paths, the same on all ranks.
  /// - Throws: `MPIError` if the library fails.
  public static func list(
    in directory: String, on communicator: borrowing Communicator
  ) throws(MPIError) -> [String] {
    try share(communicator.rank == 0 ? list(in: directory) : [], on: communicator)
  }

  /// Finds the checkpoints that a path names: one file, or those of a directory, the newest first.
  ///
  /// Rank 0 lists the files for all: a running training publishes checkpoints at any time, and the directory may
  /// look different on another node.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: A file or a directory; only that of rank 0 matters.
  ///   - communicator: The ranks that read the files together.
  /// - Returns: The files, at least one, the same on all ranks.
  /// - Throws: ``CheckpointError`` (66) if there is none, `MPIError` if the library fails.
  public static func candidates(
    _ path: String, on communicator: borrowing Communicator
  ) throws -> [String] {
    let found = try communicator.agree {
      communicator.rank == 0 ? try candidates(path) : []
    }
    return try share(found, on: communicator)
  }

  private static func candidates(_ path: String) throws(CheckpointError) -> [String] {
    // A link stands for what it leads to.
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let type = try? FileManager.default.attributesOfItem(atPath: place)[.type] else {
      throw .missing(path: path)
    }
    guard (type as? FileAttributeType) == .typeDirectory else { return [path] }
    let found = list(in: path)
    guard !found.isEmpty else { throw .empty(directory: path) }
    return found
  }

  private static func share(
    _ paths: [String], on communicator: borrowing Communicator
  ) throws(MPIError) -> [String] {
    let text = try communicator.broadcast(Array(paths.joined(separator: "\0").utf8), from: 0)
    return String(decoding: text, as: UTF8.self).split(separator: "\0").map(String.init)
  }
}
