/// A scalar function applied to every element; its derivative is a function of its value.
public enum Activation: String, CaseIterable, Sendable, Codable {
  /// f(x) = x.
  case identity
  /// f(x) = max(x, 0).
  case relu
  /// The hyperbolic tangent.
  case tanh
  /// f(x) = 1 / (1 + e⁻ˣ).
  case sigmoid
  /// f(x) = x for x > 0, eˣ − 1 otherwise.
  case elu

  /// Applies the function in place.
  ///
  /// - Parameters:
  ///   - values: The elements to replace by f of them.
  ///   - count: Their number.
  @unsafe @inlinable @inline(__always)
  public func apply<Scalar: KernelScalar>(_ values: UnsafeMutablePointer<Scalar>, count: Int) {
    guard self != .identity else { return }
    let whole = count & ~15
    var i = 0
    while i < whole {
      unsafe self(SIMD16(at: values + i)).store(at: values + i)
      i &+= 16
    }
    guard whole < count else { return }
    var rest = SIMD16<Scalar>()
    for i in whole..<count { rest[i - whole] = unsafe values[i] }
    rest = self(rest)
    for i in whole..<count { unsafe values[i] = rest[i - whole] }
  }

  /// Returns the function of sixteen numbers; NaN stays NaN.
  ///
  /// - Parameter x: The arguments.
  /// - Returns: f(x).
  @inlinable @inline(__always)
  public func callAsFunction<Scalar: KernelScalar>(_ x: SIMD16<Scalar>) -> SIMD16<Scalar> {
    switch self {
    case .identity: return x
    case .relu: return Scalar.rectified(x)
    case .tanh:
      // With e = exp(−2|x|) − 1 it is ∓e / (2 + e).
      let size = Scalar.choosing(0 - x, whereNegative: x, else: x)
      let exponential = Scalar.exponential(-2 * size)
      let e = exponential.change + (exponential.power - 1)
      let value = (0 - e) / (2 + e)
      return Scalar.choosing(0 - value, whereNegative: x, else: value)
    case .sigmoid:
      let size = Scalar.choosing(0 - x, whereNegative: x, else: x)
      let exponential = Scalar.exponential(0 - size)
      let e = exponential.power + exponential.change
      let value = 1 / (1 + e)
      return Scalar.choosing(e * value, whereNegative: x, else: value)
    case .elu:
      let exponential = Scalar.exponential(0 - Scalar.rectified(0 - x))
      let e = exponential.change + (exponential.power - 1)
      return Scalar.choosing(e, whereNegative: x, else: x)
    }
  }

  /// Returns the derivative f′(x) where the value is y = f(x).
  ///
  /// - Parameter y: The value.
  /// - Returns: The derivative.
  @inlinable @inline(__always) public func derivative<Scalar: KernelScalar>(
    at y: Scalar
  ) -> Scalar {
    derivative(at: SIMD16(repeating: y))[0]
  }

  /// Returns the derivatives f′(x) where the values are y = f(x).
  ///
  /// - Parameter y: The values.
  /// - Returns: The derivatives.
  @inlinable @inline(__always) public func derivative<Scalar: KernelScalar>(
    at y: SIMD16<Scalar>
  ) -> SIMD16<Scalar> {
    switch self {
    case .identity: SIMD16(repeating: 1)
    case .relu: Scalar.gated(SIMD16(repeating: 1), by: y)
    case .tanh: 1 - y * y
    case .sigmoid: y * (1 - y)
    case .elu: 1 - Scalar.rectified(0 - y)
    }
  }
}
