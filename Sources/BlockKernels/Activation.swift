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
    precondition(
      Elementwise.lies(range.lowerBound, range.count, in: values.count),
      "\(range) of \(values.count) elements")
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      guard let y = buffer.baseAddress else { return }
      // The range was checked above.
      switch self {
      case .identity: break
      case .relu:
        var i = range.lowerBound
        while i < range.upperBound {
          let value = unsafe y[i]
          unsafe y[i] = value < 0 ? 0 : value
          i &+= 1
        }
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
      Elementwise.lies(range.lowerBound, range.count, in: gradient.count)
        && Elementwise.lies(offset, range.count, in: values.count),
      "\(range) of \(gradient.count) elements, \(offset) of \(values.count)")
    unsafe values.withUnsafeBufferPointer { values in
      unsafe gradient.withUnsafeMutableBufferPointer { gradient in
        guard let y = values.baseAddress, let g = gradient.baseAddress else { return }
        // Both ranges were checked above.
        var i = range.lowerBound
        var j = offset
        if self == .relu {
          while i < range.upperBound {
            let (value, slope) = unsafe (y[j], g[i])
            unsafe g[i] = value > 0 ? slope : 0
            i &+= 1
            j &+= 1
          }
        } else {
          while i < range.upperBound {
            unsafe g[i] *= derivative(at: y[j])
            i &+= 1
            j &+= 1
          }
        }
      }
    }
  }
}

extension Activation {
  /// Multiplies a gradient by the derivative and puts the product elsewhere.
  ///
  /// - Parameters:
  ///   - values: The function's values y = f(x).
  ///   - offset: Where in `values` the element `range.lowerBound` stands.
  ///   - source: The gradient with respect to y.
  ///   - sourceOffset: Where in `source` that element stands.
  ///   - gradient: Becomes the gradient with respect to x.
  ///   - range: The elements of `gradient` to replace.
  /// - Complexity: O(range.count), no allocation.
  @inlinable public func multiplyByDerivative<Scalar: KernelScalar>(
    _ values: Span<Scalar>, at offset: Int, of source: Span<Scalar>, at sourceOffset: Int,
    _ gradient: inout MutableSpan<Scalar>, in range: Range<Int>
  ) {
    precondition(
      Elementwise.lies(range.lowerBound, range.count, in: gradient.count)
        && Elementwise.lies(sourceOffset, range.count, in: source.count)
        && Elementwise.lies(offset, range.count, in: values.count),
      "\(range) of \(gradient.count) elements, \(offset) of \(values.count)")
    unsafe values.withUnsafeBufferPointer { values in
      unsafe source.withUnsafeBufferPointer { source in
        unsafe gradient.withUnsafeMutableBufferPointer { gradient in
          guard let first = values.baseAddress, let second = source.baseAddress,
            let third = gradient.baseAddress
          else { return }
          // All ranges were checked above.
          let (y, s) = unsafe (first + offset, second + sourceOffset)
          let g = unsafe third + range.lowerBound
          switch self {
          case .identity: for i in 0..<range.count { unsafe g[i] = s[i] }
          case .relu: for i in 0..<range.count { unsafe g[i] = y[i] > 0 ? s[i] : 0 }
          default: for i in 0..<range.count { unsafe g[i] = s[i] * derivative(at: y[i]) }
          }
        }
      }
    }
  }

  /// Replaces values y = h(x) by the gradient with respect to x, given that with respect to y.
  ///
  /// - Parameters:
  ///   - values: The storage of y; its elements are replaced.
  ///   - range: The elements.
  ///   - gradient: The gradient with respect to y.
  ///   - offset: Where in `gradient` the element `range.lowerBound` stands.
  @inlinable public func replaceByGradient<Scalar: KernelScalar>(
    _ values: inout MutableSpan<Scalar>, in range: Range<Int>, _ gradient: Span<Scalar>,
    at offset: Int
  ) {
    precondition(
      Elementwise.lies(range.lowerBound, range.count, in: values.count)
        && Elementwise.lies(offset, range.count, in: gradient.count),
      "\(range) of \(values.count) elements, \(offset) of \(gradient.count)")
    for i in range {
      values[i] = gradient[offset + i - range.lowerBound] * derivative(at: values[i])
    }
  }
}
