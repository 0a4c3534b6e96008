import Foundation

extension ExitStatus {
  /// Says in words why something could not be done with a file.
  ///
  /// - Parameter error: What Foundation threw.
  /// - Returns: The text of the operating system, such as "No space left on device"; the description of other errors.
  public static func reason(of error: any Error) -> String {
    var failure = error as NSError
    while let cause = failure.userInfo[NSUnderlyingErrorKey] as? any Error {
      failure = cause as NSError
    }
    guard failure.domain == NSPOSIXErrorDomain else { return message(of: error) }
    // The text lives as long as the program.
    return unsafe String(cString: strerror(Int32(failure.code)))
  }
}
