public import MessagePassing

/// A checkpoint of one kind, open and whole.
public protocol ReadableCheckpoint: ~Copyable {
  /// Opens a checkpoint and verifies it.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - communicator: The ranks that read.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  init(_ path: String, on communicator: borrowing Communicator) throws
}

extension ReadableCheckpoint where Self: ~Copyable {
  /// Opens the first of several checkpoints that is whole.
  ///
  /// Collective. A file that is damaged on one rank is damaged on all: its error has the status 65 on all of them.
  ///
  /// - Parameters:
  ///   - paths: The files, the newest first, the same on all ranks.
  ///   - communicator: The ranks that read.
  ///   - note: Receives what is wrong with the files before.
  /// - Returns: The checkpoint; nil without files.
  /// - Throws: An `ExitStatusError`: 65 if all are damaged.
  public static func first(
    of paths: [String], on communicator: borrowing Communicator, note: (String) -> Void
  ) throws -> Self? {
    for (index, path) in paths.enumerated() {
      do {
        return try Self(path, on: communicator)
      } catch let error
        where ExitStatus.status(of: error) == ExitStatus.wrongContent && index + 1 < paths.count
      {
        note("\(ExitStatus.message(of: error)); trying the checkpoint before it")
      }
    }
    return nil
  }

  /// Finds the checkpoint that a path names: a file, or the newest of a directory that is whole.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: A file or a directory; only that of rank 0 matters.
  ///   - communicator: The ranks that read.
  ///   - note: Receives what is wrong with newer files.
  /// - Returns: The checkpoint.
  /// - Throws: An `ExitStatusError`: 66 if there is none, 65 if all are damaged.
  public static func find(
    _ path: String, on communicator: borrowing Communicator, note: (String) -> Void
  ) throws -> Self {
    let paths = try Checkpoint.candidates(path, on: communicator)
    guard let found = try first(of: paths, on: communicator, note: note) else {
      throw CheckpointError.empty(directory: path)
    }
    return found
  }
}
