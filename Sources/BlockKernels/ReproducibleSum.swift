/// A sum of real numbers whose bits do not depend on the order of its terms.
///
/// Each term is cut into folds, multiples of units that are 2⁻ʷ apart, where w leaves room for the number of terms: so
/// the sum of each fold is exact in double precision, whatever the order (Demmel and Nguyen, "Fast reproducible
/// floating-point summation", 2013). What three folds leave of a term is dropped; it is below 2⁻³ʷ of the largest term.
///
/// The largest term and the number of terms have to be known before: ranks agree on both, sum their terms, and add up
/// the folds as integers.
public struct ReproducibleSum: Sendable {
  /// The number of folds.
  public static let foldCount = 3

  /// The unit of each fold, ascending from the coarsest; powers of two, fewer if the finest would be subnormal.
  private let units: [Double]

  /// Creates a sum.
  ///
  /// - Parameters:
  ///   - largest: The largest |term|, finite.
  ///   - count: A bound for the number of terms of all ranks together.
  /// - Precondition: `largest` is finite and not negative, `count` is below 2³⁰.
  public init(largest: Double, count: Int) {
    precondition(
      largest.isFinite && largest >= 0 && count < 1 << 30, "\(count) terms up to \(largest)")
    guard largest > 0 else {
      units = []
      return
    }
    // count < 2^room, so that sums of terms below 2^width units stay below 2^51 units.
    let room = Int.bitWidth - max(count, 1).leadingZeroBitCount
    let width = 50 - room
    let top = Int(largest.exponent) + 1
    units = (1...Self.foldCount).compactMap { fold in
      let exponent = top - fold * width
      return exponent > -960
        ? Double(sign: .plus, exponent: exponent, significand: 1) : nil
    }
  }

  /// Adds products of numbers to the sums of the folds, in their units.
  ///
  /// - Parameters:
  ///   - a: The first factors.
  ///   - b: The second factors, as many.
  ///   - folds: ``foldCount`` sums, increased.
  /// - Complexity: some 20 operations a term, no allocation.
  public func add<Scalar: KernelScalar>(
    _ a: Span<Scalar>, times b: Span<Scalar>, to folds: inout [Int]
  ) {
    precondition(a.count == b.count, "\(a.count) and \(b.count) factors")
    for (fold, unit) in units.enumerated() {
      // Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
      let shifter = 1.5 * Double(sign: .plus, exponent: 52, significand: unit)
      var sum = 0.0
      for place in a.indices {
        var term = Double(a[place]) * Double(b[place])
        for coarser in units[..<fold] {
          let shifter = 1.5 * Double(sign: .plus, exponent: 52, significand: coarser)
          term -= (term + shifter) - shifter
        }
        sum += (term + shifter) - shifter
      }
      folds[fold] += Int(sum / unit)
    }
  }

  /// Returns the sum.
  ///
  /// - Parameter folds: The sums of the folds over all ranks.
  /// - Returns: The sum, rounded a few times in a fixed order.
  public func value(_ folds: [Int]) -> Double {
    zip(units, folds).reversed().reduce(0) { $0 + Double($1.1) * $1.0 }
  }
}
