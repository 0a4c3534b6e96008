/// The operations that combine one number of every rank into one.
public enum ReductionOperation: Sendable {
  /// The sum; overflow wraps around.
  case sum
  /// The smallest number.
  case min
  /// The largest number.
  case max
}
