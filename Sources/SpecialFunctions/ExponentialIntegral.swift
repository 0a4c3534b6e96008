/// The exponential integrals E₁(x) = ∫ₓ^∞ e^-t / t dt and E₂(x) = e^-x - x E₁(x).
///
/// On [0, 1] they are a logarithm and a polynomial, above e^-x times a rational function
/// (ExponentialIntegral+Tables.swift). All is done on eight lanes, and eight arguments in [0, 1] take
/// no branch. The relative error is at most 1e-14 wherever the result is a normal number.
public enum ExponentialIntegral {
  /// Computes E₁, the integral that MATLAB calls `expint`.
  ///
  /// Edge cases: zero gives infinity, arguments above 740 give zero, negative ones and NaN give NaN.
  ///
  /// - Parameters:
  ///   - x: The arguments.
  ///   - values: Becomes E₁ of each of them.
  /// - Precondition: `values.count == x.count`.
  /// - Complexity: O(x.count), no allocation.
  public static func e1(_ x: Span<Double>, into values: inout MutableSpan<Double>) {
    evaluate(E1Lanes.self, x, into: &values)
  }

  /// Computes E₂.
  ///
  /// Edge cases: zero gives one, arguments above 740 give zero, negative ones and NaN give NaN.
  ///
  /// - Parameters:
  ///   - x: The arguments.
  ///   - values: Becomes E₂ of each of them.
  /// - Precondition: `values.count == x.count`.
  /// - Complexity: O(x.count), no allocation.
  public static func e2(_ x: Span<Double>, into values: inout MutableSpan<Double>) {
    evaluate(E2Lanes.self, x, into: &values)
  }

  /// Computes E₂ - 1, to a relative error of 1e-14 on [0, 1] and an absolute one above.
  ///
  /// - Parameters:
  ///   - x: The arguments.
  ///   - values: Becomes E₂ - 1 of each of them.
  /// - Precondition: `values.count == x.count`.
  package static func e2LessOne(_ x: Span<Double>, into values: inout MutableSpan<Double>) {
    evaluate(E2LessOneLanes.self, x, into: &values)
  }

  /// Applies a function to vectors of eight, the last one filled up with ones.
  @inline(__always)
  private static func evaluate<Function: LaneFunction>(
    _: Function.Type, _ x: Span<Double>, into values: inout MutableSpan<Double>
  ) {
    precondition(values.count == x.count, "\(values.count) values for \(x.count) arguments")
    let width = Lanes.scalarCount
    let count = x.count
    let whole = count - count % width
    // Reads and writes below stay under `whole`, and so inside both spans.
    unsafe x.withUnsafeBytes { source in
      unsafe values.withUnsafeMutableBytes { target in
        for start in stride(from: 0, to: whole * 8, by: width * 8) {
          let lanes = unsafe source.loadUnaligned(fromByteOffset: start, as: Lanes.self)
          unsafe target.storeBytes(
            of: apply(Function.self, lanes), toByteOffset: start, as: Lanes.self)
        }
      }
    }
    guard whole < count else { return }
    var rest = Lanes(repeating: 1)
    for i in whole..<count { rest[i - whole] = x[i] }
    let result = Function.general(rest)
    for i in whole..<count { values[i] = result[i - whole] }
  }

  @inline(__always)
  private static func apply<Function: LaneFunction>(_: Function.Type, _ x: Lanes) -> Lanes {
    let inside = (x .>= Function.leastSmall) .& (x .<= 1)
    return all(inside) ? Function.small(x) : Function.general(x)
  }
}
