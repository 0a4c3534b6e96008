/// Kernels over the channels of one box, `[channel][sample]`, that follow or precede its products while it is
/// in the cache.
///
/// They take pointers: a layer checks the extents of all its rows once. All work in sixteen lanes, so the number of
/// samples is a multiple of 16.
public enum RowKernels {
  /// Ends the values of a row: y = f(y + b), or f(y + b + a).
  ///
  /// - Parameters:
  ///   - values: The products, replaced by y.
  ///   - bias: b of each channel, or nil.
  ///   - addend: a, or nil.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples, a multiple of 16.
  ///   - activation: f.
  @unsafe @inlinable @inline(__always)
  public static func finish<Scalar: KernelScalar>(
    _ values: UnsafeMutablePointer<Scalar>, bias: UnsafePointer<Scalar>?,
    addend: UnsafePointer<Scalar>?, channels: Int, samples: Int, activation: Activation
  ) {
    for channel in 0..<channels {
      let shift = unsafe SIMD16<Scalar>(repeating: bias.map { unsafe $0[channel] } ?? 0)
      var i = channel &* samples
      let end = i &+ samples
      while i < end {
        var y = unsafe SIMD16(at: values + i) + shift
        if let addend = unsafe addend { y += unsafe SIMD16(at: addend + i) }
        unsafe activation(y).store(at: values + i)
        i &+= 16
      }
    }
  }

  /// Sums each channel over its samples, in 16 lanes and in a fixed order.
  ///
  /// - Parameters:
  ///   - values: The channels.
  ///   - channels: The number of channels.
  ///   - samples: The number of samples, a multiple of 16.
  ///   - sums: Become the sums.
  ///   - accumulates: Whether the sums are added to what stands there.
  @unsafe @inlinable @inline(__always)
  public static func sumOverSamples<Scalar: KernelScalar>(
    _ values: UnsafePointer<Scalar>, channels: Int, samples: Int,
    into sums: UnsafeMutablePointer<Scalar>, accumulates: Bool = false
  ) {
    for channel in 0..<channels {
      var lanes = SIMD16<Scalar>()
      var i = channel &* samples
      let end = i &+ samples
      while i < end {
        lanes += unsafe SIMD16(at: values + i)
        i &+= 16
      }
      let eight = lanes.lowHalf + lanes.highHalf
      let four = eight.lowHalf + eight.highHalf
      let two = four.lowHalf + four.highHalf
      let sum = two.x + two.y
      unsafe sums[channel] = accumulates ? sums[channel] + sum : sum
    }
  }

  /// Multiplies a gradient by the derivative of a function.
  ///
  /// - Parameters:
  ///   - gradient: The gradient with respect to y = f(x).
  ///   - values: y.
  ///   - result: Becomes the gradient with respect to x; may be where `gradient` or `values` is.
  ///   - count: The number of elements, a multiple of 16.
  ///   - activation: f.
  @unsafe @inlinable @inline(__always)
  public static func multiplyByDerivative<Scalar: KernelScalar>(
    _ gradient: UnsafePointer<Scalar>, at values: UnsafePointer<Scalar>,
    into result: UnsafeMutablePointer<Scalar>, count: Int, of activation: Activation
  ) {
    var i = 0
    while i < count {
      let (g, y) = unsafe (SIMD16(at: gradient + i), SIMD16(at: values + i))
      // For the common function a choice takes the place of the product.
      let product =
        activation == .relu ? Scalar.gated(g, by: y) : g * activation.derivative(at: y)
      unsafe product.store(at: result + i)
      i &+= 16
    }
  }

  /// Sets elements to zero.
  ///
  /// - Parameters:
  ///   - values: The elements.
  ///   - count: Their number.
  @unsafe @inlinable @inline(__always)
  public static func clear<Scalar: KernelScalar>(
    _ values: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for i in 0..<count { unsafe values[i] = 0 }
  }

  /// Adds elements to others: y += x.
  ///
  /// - Parameters:
  ///   - source: x.
  ///   - values: y.
  ///   - count: Their number.
  @unsafe @inlinable @inline(__always)
  public static func add<Scalar: KernelScalar>(
    _ source: UnsafePointer<Scalar>, to values: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for i in 0..<count { unsafe values[i] += source[i] }
  }
}

extension SIMD16 where Scalar: KernelScalar {
  /// Reads sixteen scalars, aligned or not.
  ///
  /// - Parameter place: Where the first one stands.
  @unsafe @inlinable @inline(__always)
  public init(at place: UnsafePointer<Scalar>) {
    self = unsafe UnsafeRawPointer(place).loadUnaligned(as: Self.self)
  }

  /// Reads sixteen scalars, aligned or not.
  ///
  /// - Parameter place: Where the first one stands.
  @unsafe @inlinable @inline(__always)
  public init(at place: UnsafeMutablePointer<Scalar>) {
    self = unsafe UnsafeRawPointer(place).loadUnaligned(as: Self.self)
  }

  /// Writes the lanes, aligned or not.
  ///
  /// - Parameter place: Where the first one goes.
  @unsafe @inlinable @inline(__always)
  public func store(at place: UnsafeMutablePointer<Scalar>) {
    unsafe UnsafeMutableRawPointer(place).storeBytes(of: self, as: Self.self)
  }
}
