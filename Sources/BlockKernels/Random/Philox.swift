/// The counter-based generator Philox4x32-10 of Salmon et al., SC 2011.
public enum Philox {
  /// Turns a counter and a key into four random words.
  ///
  /// - Parameters:
  ///   - counter: Four words, the index of the numbers in the sequence.
  ///   - key: Two words, the sequence.
  /// - Returns: Four words; equal arguments give equal words.
  @inlinable public static func block(
    counter: SIMD4<UInt32>, key: SIMD2<UInt32>
  ) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(c.x) * 0xD251_1F53
      let p1 = UInt64(c.z) * 0xCD9E_8D57
      c = SIMD4(
        UInt32(p1 >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: p1),
        UInt32(p0 >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: p0))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }
}

/// Random numbers that are a function of (seed, purpose, index) and of the number of the draw.
///
/// Two streams with equal arguments give equal numbers on any rank, in any order of calls.
public struct RandomStream: RandomNumberGenerator, Sendable {
  let key: SIMD2<UInt32>
  var counter: SIMD4<UInt32>
  var words = SIMD4<UInt32>()
  var used = 4

  /// Creates the stream of one index.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - purpose: What the numbers are for; streams of different purposes are independent.
  ///   - index: Which item of that purpose, for instance a sample.
  public init(seed: Int64, purpose: UInt32, index: UInt64) {
    let bits = UInt64(bitPattern: seed)
    key = SIMD2(UInt32(truncatingIfNeeded: bits), UInt32(bits >> 32))
    counter = SIMD4(0, purpose, UInt32(truncatingIfNeeded: index), UInt32(index >> 32))
  }

  /// Returns the next 32 random bits.
  ///
  /// - Returns: A random word.
  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      words = Philox.block(counter: counter, key: key)
      counter.x &+= 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  /// Returns the next 64 random bits.
  ///
  /// - Returns: A random word.
  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return low | UInt64(nextWord()) << 32
  }

  /// Draws from the uniform distribution on [0, 1), in steps of 2⁻⁵³.
  ///
  /// - Returns: A random number.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Draws from the uniform distribution on an interval.
  ///
  /// - Parameter range: The interval.
  /// - Returns: A random number.
  public mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Draws an index below a bound, without bias (Lemire's method).
  ///
  /// - Parameter bound: The bound.
  /// - Returns: A random number in 0 ..< bound.
  /// - Precondition: `bound > 0`.
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "an index below \(bound)")
    let n = UInt64(bound)
    var product = next().multipliedFullWidth(by: n)
    let threshold = (0 &- n) % n
    while product.low < threshold { product = next().multipliedFullWidth(by: n) }
    return Int(product.high)
  }
}
