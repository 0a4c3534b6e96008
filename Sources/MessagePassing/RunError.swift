/// A failure with the exit status that the program ends with.
public struct RunError: ExitStatusError, Equatable, CustomStringConvertible {
  /// The exit status, as in `sysexits.h`.
  public let exitStatus: Int32
  /// What went wrong, where, and what to do.
  public let message: String

  /// Creates an error.
  ///
  /// - Parameters:
  ///   - exitStatus: The exit status.
  ///   - message: What went wrong, where, and what to do.
  public init(exitStatus: Int32, _ message: String) {
    self.exitStatus = exitStatus
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// Creates an error about the command line or the configuration (64).
  ///
  /// - Parameter message: What went wrong and what to do.
  /// - Returns: The error.
  public static func usage(_ message: String) -> RunError {
    RunError(exitStatus: 64, message)
  }

  /// Creates an error about the content of a dataset or checkpoint (65).
  ///
  /// - Parameter message: What went wrong and what to do.
  /// - Returns: The error.
  public static func data(_ message: String) -> RunError {
    RunError(exitStatus: 65, message)
  }
}
