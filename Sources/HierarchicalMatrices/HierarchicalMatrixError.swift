/// An error about hierarchical matrices, with what to change.
///
/// It stands for wrong input and for results that miss what was asked. Mistakes of the calling code trap instead.
public struct HierarchicalMatrixError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: Sendable, Equatable {
    /// Numbers or options that cannot be used.
    case input
    /// A construction misses its error bound.
    case boundMissed
    /// A matrix is farther from the original than its certificate says.
    case certificateMissed
    /// Stored arrays do not describe a hierarchical matrix.
    case description
    /// LAPACK fails.
    case factorization
  }

  /// What is wrong.
  public let kind: Kind
  /// The sentence for the user: what does not fit, with the numbers.
  public let message: String

  /// The same sentence.
  public var description: String { message }

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - kind: What is wrong.
  ///   - message: What does not fit, with the numbers.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
