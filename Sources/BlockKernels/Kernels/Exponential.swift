// eˣ on sixteen lanes, by integer operations and a polynomial: no library is called and no multiplication is
// fused, so that the same arguments give the same bits on every processor.

extension Float {
  /// Computes eˣ for numbers that are not positive, to about two units in the last place.
  ///
  /// With n = x / log 2 rounded and r = x − n log 2 it is 2ⁿ + 2ⁿ (eʳ − 1).
  ///
  /// - Parameter values: x; NaN stays NaN.
  /// - Returns: 2ⁿ and what is to be added.
  @inlinable @inline(__always)
  public static func exponential(
    _ values: SIMD16<Float>
  ) -> (power: SIMD16<Float>, change: SIMD16<Float>) {
    typealias Lanes = SIMD16<Float>
    let x = values.replacing(with: -87, where: values .< -87)
    // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
    let rounded = x * Lanes(repeating: 0x1.715476p0) + Lanes(repeating: 0x1.8p23)
    let n = rounded - Lanes(repeating: 0x1.8p23)
    // The upper part of log 2 has 15 bits, so that its product with n is exact.
    let r = (x - n * Lanes(repeating: 0x1.62e4p-1)) - n * Lanes(repeating: 0x1.7f7d1cp-20)
    var series = Lanes(repeating: 1 / 5040)
    let coefficients: InlineArray<5, Float> = [1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2]
    for index in coefficients.indices {
      series = series * r + Lanes(repeating: coefficients[index])
    }
    let change = r + (r * r) * series
    let bits = unsafe unsafeBitCast(rounded, to: SIMD16<UInt32>.self)
    let exponent = (bits &<< SIMD16(repeating: 23)) &+ SIMD16(repeating: 127 << 23)
    let scale = unsafe unsafeBitCast(exponent, to: Lanes.self)
    return (scale, scale * change)
  }
}

extension Double {
  /// Computes eˣ for numbers that are not positive, to about two units in the last place.
  ///
  /// - Parameter values: x; NaN stays NaN.
  /// - Returns: 2ⁿ and what is to be added.
  @inlinable @inline(__always)
  public static func exponential(
    _ values: SIMD16<Double>
  ) -> (power: SIMD16<Double>, change: SIMD16<Double>) {
    typealias Lanes = SIMD16<Double>
    let x = values.replacing(with: -700, where: values .< -700)
    let rounded = x * Lanes(repeating: 0x1.71547652b82fep0) + Lanes(repeating: 0x1.8p52)
    let n = rounded - Lanes(repeating: 0x1.8p52)
    // The upper part of log 2 has 33 bits, so that its product with n is exact.
    let r =
      (x - n * Lanes(repeating: 0x1.62e42fefp-1)) - n * Lanes(repeating: 0x1.473de6af278edp-34)
    var series = Lanes(repeating: 1 / 6_227_020_800)
    let coefficients: InlineArray<11, Double> = [
      1 / 479_001_600, 1 / 39_916_800, 1 / 3_628_800, 1 / 362_880, 1 / 40320, 1 / 5040, 1 / 720,
      1 / 120, 1 / 24, 1 / 6, 1 / 2,
    ]
    for index in coefficients.indices {
      series = series * r + Lanes(repeating: coefficients[index])
    }
    let change = r + (r * r) * series
    let bits = unsafe unsafeBitCast(rounded, to: SIMD16<UInt64>.self)
    let exponent = (bits &<< SIMD16(repeating: 52)) &+ SIMD16(repeating: 1023 << 52)
    let scale = unsafe unsafeBitCast(exponent, to: Lanes.self)
    return (scale, scale * change)
  }
}
