/// Values of E₁ and E₂ by mpmath.
public enum ExponentialIntegralOracle {
  /// An argument and the values there.
  public struct Row: Sendable {
    /// The argument.
    public let x: Double
    /// E₁(x).
    public let e1: Double
    /// E₂(x).
    public let e2: Double
  }

  /// All rows, by ascending argument.
  public static let rows = [small, large].flatMap { $0.split(separator: "\n").map(row) }

  private static func row(_ line: Substring) -> Row {
    let numbers = line.split(separator: " ").compactMap { Double($0) }
    precondition(numbers.count == 3, "\(line)")
    return Row(x: numbers[0], e1: numbers[1], e2: numbers[2])
  }
}
