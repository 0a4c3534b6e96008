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
  ///   - values: The storage.
  ///   - range: The elements of it to replace by f of them.
  /// - Complexity: O(range.count), no allocation.
  @inlinable public func apply<Scalar: KernelScalar>(
    _ values: inout MutableSpan<Scalar>, in range: Range<Int>
  ) {
    if self == .identity { return }
    precondition(range.upperBound <= values.count, "\(range) of \(values.count) elements")
    unsafe values.withUnsafeMutableBufferPointer { y in
      // The range was checked above.
      switch self {
      case .identity: break
      case .relu: for i in range { unsafe y[i] = y[i] < 0 ? 0 : y[i] }
      case .tanh: for i in range { unsafe y[i] = Scalar(MathLibrary.tanh(Double(y[i]))) }
      case .sigmoid:
        for i in range { unsafe y[i] = Scalar(1 / (1 + MathLibrary.exp(-Double(y[i])))) }
      case .elu:
        for i in range where unsafe y[i] < 0 {
          unsafe y[i] = Scalar(MathLibrary.expm1(Double(y[i])))
        }
      }
    }
  }

  /// Multiplies a gradient by the derivative in place.
  ///
  /// - Parameters:
  ///   - values: The function's values y = f(x).
  ///   - offset: Where in `values` the element `range.lowerBound` stands.
  ///   - gradient: The gradient with respect to y; becomes that with respect to x.
  ///   - range: The elements of `gradient` to change.
  /// - Complexity: O(range.count), no allocation.
  @inlinable public func multiplyByDerivative<Scalar: KernelScalar>(
    _ values: Span<Scalar>, at offset: Int, _ gradient: inout MutableSpan<Scalar>,
    in range: Range<Int>
  ) {
    if self == .identity { return }
    precondition(
      range.upperBound <= gradient.count && offset + range.count <= values.count,
      "\(range) of \(gradient.count) elements, \(offset) of \(values.count)")
    unsafe values.withUnsafeBufferPointer { y in
      unsafe gradient.withUnsafeMutableBufferPointer { g in
        // Both ranges were checked above.
        let shift = offset - range.lowerBound
        switch self {
        case .identity: break
        case .relu: for i in range { unsafe g[i] = y[i + shift] > 0 ? g[i] : 0 }
        case .tanh: for i in range { unsafe g[i] *= 1 - y[i + shift] * y[i + shift] }
        case .sigmoid: for i in range { unsafe g[i] *= y[i + shift] * (1 - y[i + shift]) }
        case .elu:
          for i in range { unsafe g[i] *= y[i + shift] > 0 ? 1 : y[i + shift] + 1 }
        }
      }
    }
  }
}
