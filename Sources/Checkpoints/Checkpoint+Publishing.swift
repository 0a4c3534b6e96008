import Foundation
public import MessagePassing
import ParallelHDF5

extension Checkpoint {
  /// Writes a checkpoint and publishes it under its name.
  ///
  /// Collective.
  ///
  /// The file is written under a temporary name and closed, every rank flushes it to the disk, and what then stands
  /// there is verified. Only then it gets its name, and older checkpoints are removed. Whatever fails, the checkpoints
  /// before it stay, and nothing is left of this one.
  ///
  /// - Parameters:
  ///   - step: The number of steps made.
  ///   - directory: The directory of the run.
  ///   - kept: The number of checkpoints up to this step that are kept.
  ///   - communicator: The ranks that write together.
  ///   - write: Writes the arrays and returns the description of the run, which becomes a JSON object beside `arrays`,
  ///     `format` and `program`; that of rank 0 matters.
  /// - Throws: An `ExitStatusError`: 73 or 74 if the file cannot be written.
  public static func publish<Description: Encodable>(
    step: Int, in directory: String, keeping kept: Int, on communicator: borrowing Communicator,
    _ write: (inout CheckpointWriter) throws -> Description
  ) throws {
    let path = path(step: step, in: directory)
    let watch = communicator.stallWatch
    watch.phase = .init("checkpoint of step", step)
    // The name is that of the first rank's process.
    let name = try communicator.broadcast(Array(temporary(path).utf8), from: 0)
    let temporary = String(decoding: name, as: UTF8.self)
    do {
      var writer = try CheckpointWriter(temporary, on: communicator)
      let description = try write(&writer)
      try writer.close(description)
      watch.phase = .init("flushing of the checkpoint of step", step)
      // Each node may have a part of the file in its memory only.
      try communicator.agree { try FileSystem.flush(temporary, forgets: true) }
      try verify(temporary, on: communicator)
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        try FileSystem.rename(temporary, to: path)
        try FileSystem.flush(directory)
      }
    } catch {
      if communicator.rank == 0 { try? FileManager.default.removeItem(atPath: temporary) }
      throw error
    }
    guard communicator.rank == 0 else { return }
    // Later steps are those of a damaged file, before which the run went on; they do not count.
    let older = list(in: directory).filter { (self.step(of: $0) ?? 0) <= step }
    for old in older.dropFirst(kept) {
      // What cannot be removed does no harm.
      try? FileManager.default.removeItem(atPath: old)
    }
  }

  /// Throws unless what stands on the disk is what was written.
  private static func verify(_ path: String, on communicator: borrowing Communicator) throws {
    do {
      try CheckpointDescription(path, on: communicator).verify(on: communicator)
    } catch let error where ExitStatus.status(of: error) == ExitStatus.wrongContent {
      throw CheckpointError.unreliable(path: path, reason: ExitStatus.message(of: error))
    }
  }
}
