public import MessagePassing

#if canImport(Glibc)
import Glibc
#endif

/// A damaged or unsuitable checkpoint, or a failure to write one.
public enum CheckpointError: ExitStatusError, Equatable, CustomStringConvertible {
  /// The file is no checkpoint of this program.
  case foreign(path: String)
  /// The file has a format that this version does not know.
  case unknownFormat(path: String, format: String)
  /// The content of the file differs from what was written.
  case damaged(path: String, object: String, reason: String)
  /// The content of the file does not fit the network that is asked for.
  case mismatch(path: String, object: String, reason: String)
  /// There is nothing under the path.
  case missing(path: String)
  /// The directory has no checkpoint.
  case empty(directory: String)
  /// A system call failed, with its error number.
  case system(path: String, action: String, code: Int32)
  /// The file read back from disk differs from what was written.
  case unreliable(path: String, reason: String)

  /// Returns the error of an object that does not fit its digest.
  static func changed(path: String, object: String) -> CheckpointError {
    .damaged(
      path: path, object: object, reason: "its digest differs from the one written with it")
  }

  /// The exit status of the program.
  public var exitStatus: Int32 {
    switch self {
    case .foreign, .unknownFormat, .damaged, .mismatch: ExitStatus.wrongContent
    case .missing, .empty: ExitStatus.missingFile
    case .system, .unreliable: ExitStatus.inputOutput
    }
  }

  /// What was wrong, where, and what to do.
  public var message: String {
    switch self {
    case .foreign(let path): "\(path): not a checkpoint of h2nn-dist"
    case .unknownFormat(let path, let format):
      "\(path): its format is '\(format)', which this version of the program does not know: use the "
        + "version that wrote it"
    case .damaged(let path, let object, let reason): "\(path):\(object) is damaged: \(reason)"
    case .mismatch(let path, let object, let reason): "\(path):\(object) \(reason)"
    case .missing(let path): "\(path): no such file or directory"
    case .empty(let directory):
      "\(directory): no checkpoint in this directory; train a network first"
    case .system(let path, let action, let code):
      "\(path): cannot be \(action): \(unsafe String(cString: strerror(code)))"
    case .unreliable(let path, let reason):
      "\(path): what stands on the disk is not what was written (\(reason)); the checkpoints before it "
        + "are kept: check the file system"
    }
  }

  /// The message.
  public var description: String { message }
}
