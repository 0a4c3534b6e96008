public import MessagePassing

/// A failure to read or write an HDF5 file.
public struct HDF5Error: ExitStatusError, CustomStringConvertible, Sendable {
  /// One entry of the library's error stack.
  public struct Frame: Sendable, Equatable {
    /// The function of the library that saw the failure.
    public let function: String
    /// Its message.
    public let text: String
    /// The part of the library, such as "Dataset".
    public let major: String
    /// The kind of failure, such as "Read failed".
    public let minor: String
  }

  /// The path of the file.
  public let path: String
  /// The path of the group or dataset, or the name of the attribute; empty for the file itself.
  public let object: String
  /// What was being done, as a verb: "open", "read".
  public let operation: String
  /// What was wrong.
  public let text: String
  /// The error stack of the library, innermost function first; empty if the failure is not the library's.
  public let frames: [Frame]
  /// The exit status of the program: 65 wrong content, 66 missing, 73 cannot create, 74 I/O error.
  public var exitStatus: Int32

  /// Describes a failure that was found by looking at the content of a file.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - object: The path of the object in the file, empty for the file itself.
  ///   - operation: What was being done, as a verb.
  ///   - text: What was wrong.
  ///   - exitStatus: The exit status of the program.
  ///   - frames: The error stack of the library, innermost function first.
  public init(
    path: String, object: String = "", operation: String = "read", text: String,
    exitStatus: Int32 = ExitStatus.wrongContent, frames: [Frame] = []
  ) {
    self.path = path
    self.object = object
    self.operation = operation
    self.text = text
    self.exitStatus = exitStatus
    self.frames = frames
  }

  /// The file, the object, and what was wrong, in one line.
  public var message: String {
    let place = object.isEmpty ? "" : " \(object)"
    return "\(path): cannot \(operation)\(place): \(text)"
  }

  /// The message, followed by the error stack, one line for each entry.
  public var description: String {
    frames.reduce(message) { $0 + "\n  \($1.function): \($1.text) (\($1.major): \($1.minor))" }
  }
}
