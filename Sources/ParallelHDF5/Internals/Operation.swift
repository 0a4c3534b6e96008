internal import Foundation
internal import MessagePassing

/// An operation on a file: what an error says besides the library's message.
struct Operation {
  /// The path of the file.
  let path: String
  /// The path of the object, empty for the file itself.
  var object = ""
  /// The verb.
  var name: String
  /// The exit status if the library fails.
  var exitStatus = ExitStatus.wrongContent
  /// The ranks for which a call of the library may wait; nil if it waits for none.
  var ranks: FileRanks?

  /// Calls the library; returns its answer, and the error stack if the answer is negative.
  func call<I: SignedInteger>(_ body: () -> I) -> (answer: I, frames: [HDF5Error.Frame]) {
    guard let ranks else { return HDF5Library.call(body) }
    let subject = object.isEmpty ? "\(name) \(path)" : "\(name) \(path) \(object)"
    return ranks.watch.watching("HDF5", subject, for: ranks.worldRanks) {
      HDF5Library.call(body)
    }
  }

  /// Calls the library and throws if its answer is negative.
  @discardableResult
  func check<I: SignedInteger>(_ body: () -> I) throws(HDF5Error) -> I {
    let (answer, frames) = call(body)
    guard answer < 0 else { return answer }
    let reason = frames.first?.text ?? "the library gives no reason"
    // The content is not to blame when the system could not read it.
    let isInputOutput =
      reason.contains("file read failed") || frames.contains { $0.text.contains("MPI_File_read") }
    let status =
      exitStatus == ExitStatus.wrongContent && isInputOutput ? ExitStatus.inputOutput : exitStatus
    let cause = exitStatus == ExitStatus.inputOutput ? writingProblem.map { " (\($0))" } : nil
    throw error(reason + (cause ?? ""), exitStatus: status, frames: frames)
  }

  /// The system's error when one block is written to the end of the file, such as ENOSPC; nil if that succeeds.
  ///
  /// The library does not pass on why it could not write.
  private var writingProblem: String? {
    // The path is a C string during the call.
    let descriptor = unsafe Foundation.open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = Foundation.close(descriptor) }
    let block = [UInt8](repeating: 0, count: 4096)
    var left = block.count
    while left > 0 {
      // The array has more bytes than the call is told. A part may still fit where the file ends.
      let written = unsafe Foundation.write(descriptor, block, left)
      guard written > 0 else { return unsafe String(cString: strerror(errno)) }
      left -= written
    }
    return nil
  }

  /// Opens an object of the library.
  func open(
    _ kind: Handle.Kind, _ body: () -> Int64
  ) throws(HDF5Error) -> Handle {
    Handle(adopting: try check(body), kind, self)
  }

  /// Describes a failure of this operation.
  func error(
    _ text: String, exitStatus: Int32? = nil, frames: [HDF5Error.Frame] = []
  ) -> HDF5Error {
    HDF5Error(
      path: path, object: object, operation: name, text: text,
      exitStatus: exitStatus ?? self.exitStatus, frames: frames)
  }
}

/// The ranks that share a parallel file, for the watch that reports a rank which waits for them.
struct FileRanks {
  /// The watch.
  let watch: StallWatch
  /// The ranks in the world communicator.
  let worldRanks: [Int]

  /// The ranks of a communicator; nil without one.
  init?(_ communicator: borrowing Communicator?) {
    switch communicator {
    case .some(let communicator):
      self.watch = communicator.stallWatch
      self.worldRanks = communicator.worldRanks
    case .none: return nil
    }
  }
}
