/// A sum of real numbers whose bits do not depend on the order of its terms.
///
/// Each term is cut into folds, multiples of units that are 2⁻ʷ apart, where w leaves room for the number of terms: so
/// the sum of each fold is exact in double precision, whatever the order (Demmel and Nguyen, "Fast reproducible
/// floating-point summation", 2013). What three folds leave of a term is dropped; it is below 2⁻³ʷ of the largest term.
///
/// The largest term and the number of terms have to be known before: ranks agree on both, sum their terms, and add up
/// the folds as integers.
public struct ReproducibleSum: Sendable {
  /// The number of folds.
  public static let foldCount = 3

  /// The unit of each fold, from the coarsest; powers of two.
  ///
  /// A unit that would be subnormal is 1 instead: to it all that is left of a term rounds to nothing.
  private let units: [3 of Double]

  /// Creates a sum.
  ///
  /// - Parameters:
  ///   - largest: The largest |term|, finite.
  ///   - count: A bound for the number of terms of all ranks together.
  /// - Precondition: `largest` is finite and not negative, `count` is below 2³⁰.
  public init(largest: Double, count: Int) {
    precondition(
      largest.isFinite && largest >= 0 && count < 1 << 30, "\(count) terms up to \(largest)")
    var units = [3 of Double](repeating: 1)
    if largest > 0 {
      // count < 2^room, so that sums of terms below 2^width units stay below 2^51 units.
      let room = Int.bitWidth - max(count, 1).leadingZeroBitCount
      let width = 50 - room
      let top = Int(largest.exponent) + 1
      for fold in 0..<Self.foldCount {
        let exponent = top - (fold + 1) * width
        if exponent > -960 {
          units[fold] = Double(sign: .plus, exponent: exponent, significand: 1)
        }
      }
    }
    self.units = units
  }

  /// Finds the largest |term| among products of numbers.
  ///
  /// - Parameters:
  ///   - a: The first factors.
  ///   - b: The second factors, as many.
  /// - Returns: The largest magnitude, 0 of no products, infinity if a product is not finite.
  /// - Complexity: 3 operations a term, no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func largest<Scalar: KernelScalar>(
    _ a: Span<Scalar>, times b: Span<Scalar>
  ) -> Double {
    precondition(a.count == b.count, "\(a.count) and \(b.count) factors")
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
        // Bits of numbers that are not negative are ordered like the numbers, NaN above infinity.
        var (lanes, bits, i) = (SIMD8<UInt64>(), UInt64(0), 0)
        let magnitude = SIMD8<UInt64>(repeating: ~0 >> 1)
        // Both storages have as many elements as the spans, the last ones below are read one by one.
        while i &+ 8 <= a.count {
          let product = unsafe lanes8(x + i) * lanes8(y + i)
          let found = unsafe unsafeBitCast(product, to: SIMD8<UInt64>.self) & magnitude
          lanes.replace(with: found, where: found .> lanes)
          i &+= 8
        }
        while i < a.count {
          bits = max(bits, unsafe (Double(x[i]) * Double(y[i])).magnitude.bitPattern)
          i &+= 1
        }
        let largest = Double(bitPattern: max(bits, lanes.max()))
        return largest.isFinite ? largest : .infinity
      }
    }
  }

  /// Adds products of numbers to the sums of the folds, in their units.
  ///
  /// - Parameters:
  ///   - a: The first factors.
  ///   - b: The second factors, as many.
  ///   - folds: ``foldCount`` sums, increased.
  /// - Complexity: some 15 operations a term, no allocation.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func add<Scalar: KernelScalar>(
    _ a: Span<Scalar>, times b: Span<Scalar>, to folds: inout MutableSpan<Int>
  ) {
    precondition(
      a.count == b.count && folds.count == Self.foldCount,
      "\(a.count) and \(b.count) factors, \(folds.count) folds")
    let (first, second, third) = (units[0], units[1], units[2])
    // Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
    func shifter(_ unit: Double) -> Double {
      1.5 * Double(sign: .plus, exponent: 52, significand: unit)
    }
    let (s, t, u) = (shifter(first), shifter(second), shifter(third))
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        guard let x = a.baseAddress, let y = b.baseAddress else { return }
        // The sums are exact, so lanes change nothing.
        var (p, q, r) = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
        let (ss, ts, us) = (SIMD8(repeating: s), SIMD8(repeating: t), SIMD8(repeating: u))
        var i = 0
        // Both storages have as many elements as the spans, the last ones below are read one by one.
        while i &+ 8 <= a.count {
          var term = unsafe lanes8(x + i) * lanes8(y + i)
          let coarse = (term + ss) - ss
          term -= coarse
          let middle = (term + ts) - ts
          term -= middle
          p += coarse
          q += middle
          r += (term + us) - us
          i &+= 8
        }
        var (coarse, middle, fine) = (p.sum(), q.sum(), r.sum())
        while i < a.count {
          var term = unsafe Double(x[i]) * Double(y[i])
          let large = (term + s) - s
          term -= large
          let next = (term + t) - t
          term -= next
          coarse += large
          middle += next
          fine += (term + u) - u
          i &+= 1
        }
        folds[0] += Int(coarse / first)
        folds[1] += Int(middle / second)
        folds[2] += Int(fine / third)
      }
    }
  }

  /// Adds products of numbers to the sums of the folds, in their units.
  ///
  /// - Parameters:
  ///   - a: The first factors.
  ///   - b: The second factors, as many.
  ///   - folds: ``foldCount`` sums, increased.
  public func add<Scalar: KernelScalar>(
    _ a: Span<Scalar>, times b: Span<Scalar>, to folds: inout [Int]
  ) {
    var span = folds.mutableSpan
    add(a, times: b, to: &span)
  }

  /// Returns the sum.
  ///
  /// - Parameter folds: The sums of the folds over all ranks.
  /// - Returns: The sum, rounded a few times in a fixed order.
  public func value(_ folds: [Int]) -> Double { value(folds.span) }

  /// Returns the sum.
  ///
  /// - Parameter folds: The sums of the folds over all ranks.
  /// - Returns: The sum, rounded a few times in a fixed order.
  public func value(_ folds: Span<Int>) -> Double {
    precondition(folds.count == Self.foldCount, "\(folds.count) folds")
    return (Double(folds[2]) * units[2] + Double(folds[1]) * units[1])
      + Double(folds[0]) * units[0]
  }
}

/// Loads eight numbers in double precision.
@inline(__always)
private func lanes8<Scalar: KernelScalar>(_ values: UnsafePointer<Scalar>) -> SIMD8<Double> {
  // The caller says that eight elements lie there; vectors of any alignment are loaded.
  let lanes = unsafe UnsafeRawPointer(values).loadUnaligned(as: SIMD8<Scalar>.self)
  return SIMD8<Double>(lanes)
}
