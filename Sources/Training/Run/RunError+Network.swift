public import MessagePassing
public import OperatorNetworks

extension RunError {
  /// Turns an error about a network into one with an exit status.
  ///
  /// - Parameter error: An error about options (64), or about a computation that failed (70).
  public init(_ error: NetworkError) {
    self.init(
      exitStatus: error.isInternal ? ExitStatus.software : ExitStatus.usage, error.description)
  }
}
