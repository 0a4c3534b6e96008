/// An error about points, trees or lists, with what to change.
///
/// It stands for wrong input: a configuration or a data set. Mistakes of the calling code, as a box
/// number out of range, trap instead.
public struct ClusterTreeError: Error, Equatable, CustomStringConvertible {
  /// The sentence for the user: what does not fit, with the numbers, and what to change.
  public let message: String

  /// The same sentence.
  public var description: String { message }

  /// Makes an error.
  ///
  /// - Parameter message: What does not fit, with the numbers, and what to change.
  public init(message: String) {
    self.message = message
  }
}

extension ClusterTreeError {
  /// Returns a count with its noun, as "1 point" or "320 points".
  static func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)\(noun.hasSuffix("x") ? "es" : "s")"
  }

  /// Returns the size of a grid as the command line writes it, as "320" or "80x80".
  static func shape(_ sizes: [Int]) -> String {
    sizes.map { "\($0)" }.joined(separator: "x")
  }
}
