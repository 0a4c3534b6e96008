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
    switch self {
    case .identity: break
    case .relu:
      for i in 0..<count {
        let value = unsafe values[i]
        unsafe values[i] = value < 0 ? 0 : value
      }
    case .tanh:
      for i in 0..<count { unsafe values[i] = Scalar(MathLibrary.tanh(Double(values[i]))) }
    case .sigmoid:
      for i in 0..<count {
        unsafe values[i] = Scalar(1 / (1 + MathLibrary.exp(-Double(values[i]))))
      }
    case .elu:
      for i in 0..<count where unsafe values[i] < 0 {
        unsafe values[i] = Scalar(MathLibrary.expm1(Double(values[i])))
      }
    }
  }

  /// Returns the derivative f′(x) where the value is y = f(x).
  ///
  /// - Parameter y: The value.
  /// - Returns: The derivative.
  @inlinable @inline(__always) public func derivative<Scalar: KernelScalar>(
    at y: Scalar
  ) -> Scalar {
    switch self {
    case .identity: 1
    case .relu: y > 0 ? 1 : 0
    case .tanh: 1 - y * y
    case .sigmoid: y * (1 - y)
    case .elu: y > 0 ? 1 : y + 1
    }
  }
}
