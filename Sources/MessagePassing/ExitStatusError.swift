/// An error that knows the exit status with which the program should end.
public protocol ExitStatusError: Error {
  /// The exit status of the program, from `sysexits.h` where one fits.
  var exitStatus: Int32 { get }
  /// What was wrong, where, and what to do about it.
  var message: String { get }
}

/// The exit statuses that a failure can lead to, and the way from an error to one of them.
public enum ExitStatus {
  /// The status of a wrong command line or configuration (`EX_USAGE`).
  public static let usage: Int32 = 64
  /// The status of a file with wrong content (`EX_DATAERR`).
  public static let wrongContent: Int32 = 65
  /// The status of a file that is missing or cannot be read (`EX_NOINPUT`).
  public static let missingFile: Int32 = 66
  /// The status of a file that cannot be created (`EX_CANTCREAT`).
  public static let cannotCreate: Int32 = 73
  /// The status of an error while reading or writing (`EX_IOERR`).
  public static let inputOutput: Int32 = 74
  /// The status of a run that stopped early and can be continued (`EX_TEMPFAIL`).
  public static let stoppedEarly: Int32 = 75
  /// The status of errors that do not know one: a failure of the program itself (`EX_SOFTWARE`).
  public static let software: Int32 = 70

  /// Finds the exit status that an error asks for.
  ///
  /// Not collective.
  ///
  /// - Parameter error: The error that ends the program.
  /// - Returns: The status of an ``ExitStatusError``, 70 for all others.
  public static func status(of error: any Error) -> Int32 {
    (error as? any ExitStatusError)?.exitStatus ?? software
  }

  /// Finds the text with which an error should be reported.
  ///
  /// Not collective.
  ///
  /// - Parameter error: The error that ends the program.
  /// - Returns: The message of an ``ExitStatusError``, the description of all others.
  public static func message(of error: any Error) -> String {
    (error as? any ExitStatusError)?.message ?? String(describing: error)
  }
}

/// The failure of another rank, as ``Communicator/agree(_:)`` reports it to all the others.
public struct RemoteFailure: ExitStatusError, CustomStringConvertible, Sendable {
  /// The rank that failed, in the world communicator.
  public let rank: Int
  /// The exit status that the error of that rank asks for.
  public let exitStatus: Int32
  /// The message of the error of that rank.
  public let message: String

  /// The rank and the message in one line.
  public var description: String { "rank \(rank) failed: \(message)" }
}
