/// Elementary functions on eight lanes, by integer operations, polynomials and one division.
///
/// They call no library, so that the same arguments give the same bits on every processor, and use
/// nothing that baseline x86-64 does not have.
package enum VectorFunctions {
  /// The vector type of all functions.
  package typealias Lanes = SIMD8<Double>
  @usableFromInline package typealias Bits = SIMD8<UInt64>

  /// Computes the natural logarithm of positive normal numbers, to about 2 units in the last place.
  ///
  /// With x = 2^k m, √½ ≤ m < √2 and s = (m - 1) / (m + 1) it is k log 2 + 2 artanh s.
  ///
  /// - Parameter x: The arguments; zero and subnormal ones give some finite number.
  /// - Returns: The logarithms.
  @inlinable @inline(__always)
  package static func log(_ x: Lanes) -> Lanes {
    // Adding 1023 - √½ in the exponent's place puts k + 1023 into the exponent's bits, and what is
    // left in the mantissa's is that of m counted from √½.
    let root = Bits(repeating: 0x3fe6_a09e_667f_3bcd)
    let shifted = unsafe unsafeBitCast(x, to: Bits.self) &+ (Bits(repeating: 1023 << 52) &- root)
    let fraction = shifted & Bits(repeating: (1 << 52) - 1)
    let m = unsafe unsafeBitCast(fraction &+ root, to: Lanes.self)
    // An integer below 2^52 in the mantissa of 2^52 is that integer plus 2^52.
    let exponent = (shifted &>> Bits(repeating: 52)) | Bits(repeating: 0x4330_0000_0000_0000)
    let k = unsafe unsafeBitCast(exponent, to: Lanes.self) - Lanes(repeating: 0x1p52 + 1023)
    let s = (m - 1) / (m + 1)
    let z = s * s
    let series = s * (2 + z * ExponentialIntegralTables.logarithm(z))
    return k * Lanes(repeating: 0x1.62e42fefa39efp-1) + series
  }

  /// Computes e^-x, to about 2 units in the last place where the result is not subnormal.
  ///
  /// With n = x / log 2 rounded and r = n log 2 - x it is 2^-n e^r.
  ///
  /// - Parameter x: The arguments, 0 ... 800.
  /// - Returns: The exponentials.
  @inlinable @inline(__always)
  package static func exponentialOfNegative(_ x: Lanes) -> Lanes {
    // Adding 1.5 · 2^52 rounds to an integer and leaves it in the low bits.
    let magic = Lanes(repeating: 0x1.8p52)
    let rounded = x * Lanes(repeating: 0x1.71547652b82fep0) + magic
    let n = rounded - magic
    // The upper part of log 2 has 33 bits, so that its product with n is exact.
    let upper = n * Lanes(repeating: 0x1.62e42fefp-1) - x
    let r = upper + n * Lanes(repeating: 0x1.473de6af278edp-34)
    let value = 1 + r * ExponentialIntegralTables.exponential(r)
    // 2^-n in two factors, since n exceeds 1022 when the result is subnormal.
    let count = unsafe unsafeBitCast(rounded, to: Bits.self) & Bits(repeating: 0x7ff)
    let half = count &>> Bits(repeating: 1)
    return value * power(half) * power(count &- half)
  }

  /// Computes 1 - e^-x and e^-x, both to about 2 units in their last place.
  ///
  /// - Parameter x: The arguments, not negative; the result for those above 700 is that for 700.
  /// - Returns: Both parts, of which the first is exact to its last digits near zero too.
  @inlinable @inline(__always)
  package static func attenuation(_ x: Lanes) -> (less: Lanes, remaining: Lanes) {
    // As in `exponentialOfNegative`; 2^-n is a normal number here.
    let x = x.replacing(with: 700, where: .!(x .<= 700))
    let magic = Lanes(repeating: 0x1.8p52)
    let rounded = x * Lanes(repeating: 0x1.71547652b82fep0) + magic
    let n = rounded - magic
    let upper = n * Lanes(repeating: 0x1.62e42fefp-1) - x
    let r = upper + n * Lanes(repeating: 0x1.473de6af278edp-34)
    let scale = power(unsafe unsafeBitCast(rounded, to: Bits.self) & Bits(repeating: 0x7ff))
    let change = scale * (r * ExponentialIntegralTables.exponential(r))
    return ((1 - scale) - change, scale + change)
  }

  /// Adds up eight lanes in a fixed order.
  ///
  /// - Parameter x: The summands.
  /// - Returns: Their sum.
  @inlinable @inline(__always)
  package static func sum(_ x: Lanes) -> Double {
    let four = x.lowHalf + x.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// Computes 2^-n.
  @inlinable @inline(__always)
  package static func power(_ n: Bits) -> Lanes {
    let bits = (Bits(repeating: 1023) &- n) &<< Bits(repeating: 52)
    return unsafe unsafeBitCast(bits, to: Lanes.self)
  }
}
