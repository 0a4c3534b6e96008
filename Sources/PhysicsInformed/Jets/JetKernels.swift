import BlockKernels
import Foundation

/// The function between layers, applied to all columns of a channel at once, and its adjoint.
///
/// Memory is `[channel][column][sample]`. With f and its derivatives at z₀, and q = Σ wᵢ zᵢ²:
///
///     a₀ = f    aᵢ = f′ zᵢ    a_L = f′ z_L + f″ q
enum JetKernels {
  /// Computes a from z.
  ///
  /// - Parameters:
  ///   - z: The columns before the function.
  ///   - a: The columns after it.
  ///   - channels: The number of channels.
  ///   - shape: The columns.
  ///   - function: f.
  static func apply(
    _ z: AlignedBuffer<Double>, into a: AlignedBuffer<Double>, channels: Int, _ shape: JetShape,
    _ function: JetFunction
  ) {
    let (d, n, width) = (shape.dimension, shape.samples, shape.width)
    precondition(z.count >= channels * width && a.count >= channels * width)
    let source = z.span
    var target = a.mutableSpan
    let w = shape.secondWeights
    unsafe source.withUnsafeBufferPointer { source in
      unsafe target.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        for channel in 0..<channels {
          // Both buffers hold all columns of all channels, and samples are a multiple of 16.
          let (z, a) = unsafe (source + channel * width, target + channel * width)
          for s in stride(from: 0, to: n, by: 16) {
            let place = unsafe SIMD16(at: z + s)
            let value = function.value(place)
            unsafe value.store(at: a + s)
            guard shape.hasDerivatives else { continue }
            let (first, second, _) = function.derivatives(at: place, value: value)
            var q = SIMD16<Double>()
            for i in 0..<d {
              let slope = unsafe SIMD16(at: z + (i + 1) * n + s)
              q += w[i] * slope * slope
              unsafe (first * slope).store(at: a + (i + 1) * n + s)
            }
            let last = unsafe SIMD16(at: z + (d + 1) * n + s)
            unsafe (first * last + second * q).store(at: a + (d + 1) * n + s)
          }
        }
      }
    }
  }

  /// Computes the adjoint of z from that of a, in place.
  ///
  ///     z̄_L = f′ ā_L
  ///     z̄ᵢ = f′ āᵢ + 2 wᵢ f″ zᵢ ā_L
  ///     z̄₀ = f′ ā₀ + f″ (Σ zᵢ āᵢ + z_L ā_L) + f‴ q ā_L
  ///
  /// - Parameters:
  ///   - z: The columns before the function.
  ///   - a: The columns after it.
  ///   - adjoint: ā, becomes z̄.
  ///   - channels: The number of channels.
  ///   - shape: The columns.
  ///   - function: f.
  static func applyAdjoint(
    _ z: AlignedBuffer<Double>, _ a: AlignedBuffer<Double>, in adjoint: AlignedBuffer<Double>,
    channels: Int, _ shape: JetShape, _ function: JetFunction
  ) {
    let (d, n, width) = (shape.dimension, shape.samples, shape.width)
    let size = channels * width
    precondition(z.count >= size && a.count >= size && adjoint.count >= size)
    let (source, values) = (z.span, a.span)
    var target = adjoint.mutableSpan
    let w = shape.secondWeights
    unsafe source.withUnsafeBufferPointer { source in
      unsafe values.withUnsafeBufferPointer { values in
        unsafe target.withUnsafeMutableBufferPointer { target in
          guard let source = source.baseAddress, let values = values.baseAddress,
            let target = target.baseAddress
          else { return }
          for channel in 0..<channels {
            // All buffers hold all columns of all channels, and samples are a multiple of 16.
            let (z, b) = unsafe (source + channel * width, target + channel * width)
            let a = unsafe values + channel * width
            for s in stride(from: 0, to: n, by: 16) {
              let (first, second, third) = unsafe function.derivatives(
                at: SIMD16(at: z + s), value: SIMD16(at: a + s))
              var zero = unsafe first * SIMD16(at: b + s)
              guard shape.hasDerivatives else {
                unsafe zero.store(at: b + s)
                continue
              }
              let outer = unsafe SIMD16(at: b + (d + 1) * n + s)
              var sum = unsafe SIMD16(at: z + (d + 1) * n + s) * outer
              var q = SIMD16<Double>()
              for i in 0..<d {
                let slope = unsafe SIMD16(at: z + (i + 1) * n + s)
                let own = unsafe SIMD16(at: b + (i + 1) * n + s)
                sum += slope * own
                q += w[i] * slope * slope
                let result = first * own + (2 * w[i]) * second * slope * outer
                unsafe result.store(at: b + (i + 1) * n + s)
              }
              zero += second * sum + third * q * outer
              unsafe zero.store(at: b + s)
              unsafe (first * outer).store(at: b + (d + 1) * n + s)
            }
          }
        }
      }
    }
  }
}

extension JetFunction {
  /// f of sixteen numbers.
  @inline(__always)
  func value(_ x: SIMD16<Double>) -> SIMD16<Double> {
    switch self {
    case .tanh: return Activation.tanh(x)
    case .sine: return Self.each(x) { sin($0) }
    case .softplus: return Self.each(x) { max($0, 0) + log1p(exp(-abs($0))) }
    }
  }

  /// f′, f″ and f‴ of sixteen numbers.
  @inline(__always)
  func derivatives(
    at x: SIMD16<Double>, value: SIMD16<Double>
  ) -> (SIMD16<Double>, SIMD16<Double>, SIMD16<Double>) {
    switch self {
    case .tanh:
      let square = value * value
      let first = 1 - square
      return (first, -2 * value * first, first * (6 * square - 2))
    case .sine:
      let cosine = Self.each(x) { cos($0) }
      return (cosine, -value, -cosine)
    case .softplus:
      let s = Activation.sigmoid(x)
      let second = s * (1 - s)
      return (s, second, second * (1 - 2 * s))
    }
  }

  @inline(__always)
  private static func each(
    _ x: SIMD16<Double>, _ function: (Double) -> Double
  ) -> SIMD16<Double> {
    var result = x
    for lane in 0..<16 { result[lane] = function(x[lane]) }
    return result
  }
}
