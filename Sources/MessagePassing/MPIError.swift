/// A failure that the MPI library reported.
public struct MPIError: Error, CustomStringConvertible, Sendable {
  /// The return code of the MPI routine.
  public let code: Int32
  /// The error class of the code, one of the standard's `MPI_ERR_` constants.
  public let errorClass: Int32
  /// The text that the library has for the code.
  public let text: String
  /// The name of the MPI routine.
  public let function: String
  /// The rank of the process that saw the failure, in the world communicator.
  public let rank: Int

  /// The routine, the rank and the library's text in one line.
  public var description: String {
    "\(function) failed on rank \(rank): \(text) (code \(code), class \(errorClass))"
  }
}
