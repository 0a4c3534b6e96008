import BlockKernels
import Testing

@Suite("ReproducibleSum")
struct ReproducibleSumTests {
  /// Numbers of very different sizes, whose sum cancels.
  private func numbers(_ count: Int, seed: Int64) -> [Double] {
    var stream = RandomStream(seed: seed, purpose: 1, index: 0)
    return (0..<count).map { _ in
      stream.normal()
        * Double(sign: .plus, exponent: Int(30 * stream.uniform()) - 15, significand: 1)
    }
  }

  private func sum(_ a: [Double], _ b: [Double], parts: [Range<Int>], count: Int) -> Double {
    let largest = zip(a, b).reduce(0) { max($0, abs($1.0 * $1.1)) }
    let sum = ReproducibleSum(largest: largest, count: count)
    var folds = [Int](repeating: 0, count: ReproducibleSum.foldCount)
    // Each part is summed by itself, as by a rank of its own.
    for part in parts {
      var own = [Int](repeating: 0, count: ReproducibleSum.foldCount)
      sum.add(a.span.extracting(part), times: b.span.extracting(part), to: &own)
      for fold in folds.indices { folds[fold] += own[fold] }
    }
    return sum.value(folds)
  }

  @Test("the bits depend neither on the parts nor on the order", arguments: [1, 2, 3, 100, 4097])
  func order(count: Int) {
    let (a, b) = (numbers(count, seed: 1), numbers(count, seed: 2))
    let expected = sum(a, b, parts: [0..<count], count: count)
    for pieces in [2, 3, 7] {
      let parts = (0..<pieces).map { count * $0 / pieces..<count * ($0 + 1) / pieces }
      #expect(sum(a, b, parts: parts, count: count) == expected)
      #expect(sum(a, b, parts: parts.reversed(), count: count) == expected)
    }
    #expect(sum(a.reversed(), b.reversed(), parts: [0..<count], count: count) == expected)
    // In another order a plain sum has other bits: otherwise this test could not fail.
    if count > 1000 {
      let plain = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(zip(a, b).reversed().reduce(0) { $0 + $1.0 * $1.1 } != plain)
    }
  }

  @Test("the sum is that of twice the precision", arguments: [1, 10, 1000, 20000])
  func accuracy(count: Int) {
    let (a, b) = (numbers(count, seed: 3), numbers(count, seed: 4))
    // A sum with the rounding errors of all additions (Knuth), for rounded products.
    var (high, low, largest) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      let term = x * y
      let next = high + term
      let part = next - high
      low += (high - (next - part)) + (term - part)
      high = next
      largest = max(largest, abs(term))
    }
    let found = sum(a, b, parts: [0..<count], count: count)
    let exact = high + low
    // What three folds drop, and the rounding of the result.
    let room = Double(Int.bitWidth - count.leadingZeroBitCount)
    let dropped =
      Double(count) * largest * Double(sign: .plus, exponent: -3 * Int(50 - room), significand: 1)
    #expect(abs(found - exact) <= dropped + 4 * Double.ulpOfOne * abs(exact))
  }

  @Test("folds are multiples of their units, term by term", arguments: [1, 7, 8, 9, 100])
  func folds(count: Int) {
    func check<Scalar: KernelScalar>(_ type: Scalar.Type) {
      let a = numbers(count, seed: 5).map { Scalar($0) }
      let b = numbers(count, seed: 6).map { Scalar($0) }
      let terms = zip(a, b).map { Double($0) * Double($1) }
      let largest = terms.map(\.magnitude).max() ?? 0
      #expect(ReproducibleSum.largest(a.span, times: b.span) == largest)
      var found = [1, 2, 3]
      ReproducibleSum(largest: largest, count: count).add(a.span, times: b.span, to: &found)
      var expected = [1, 2, 3]
      let width = 50 - (Int.bitWidth - count.leadingZeroBitCount)
      for term in terms {
        var rest = term
        for fold in 0..<3 {
          let exponent = Int(largest.exponent) + 1 - (fold + 1) * width
          let unit = Double(sign: .plus, exponent: exponent, significand: 1)
          let units = (rest / unit).rounded(.toNearestOrEven)
          expected[fold] += Int(units)
          rest -= units * unit
        }
      }
      #expect(found == expected)
    }
    check(Float.self)
    check(Double.self)
  }

  @Test("a product that is not finite is the largest", arguments: [0, 3, 8, 16])
  func notFinite(place: Int) {
    for value in [Double.nan, -.infinity, .infinity, -.nan, 1e300] {
      var values = [Double](repeating: -1e10, count: 17)
      values[place] = value
      let largest = ReproducibleSum.largest(values.span, times: values.span)
      #expect(largest == .infinity)
      values[place] = 5e10
      #expect(ReproducibleSum.largest(values.span, times: values.span) == 25e20)
    }
    #expect(ReproducibleSum.largest([Double]().span, times: [Double]().span) == 0)
  }

  @Test("zeros, single precision and tiny numbers")
  func special() {
    #expect(sum([0, 0], [1, 2], parts: [0..<2], count: 2) == 0)
    #expect(sum([3], [4], parts: [0..<1], count: 1) == 12)
    #expect(sum([1e-200, 1e-200], [1, -0.5], parts: [0..<2], count: 2) == 0.5e-200)
    let values: [Float] = [1.5, -2.25, 3]
    let sum = ReproducibleSum(largest: 9, count: 3)
    var folds = [Int](repeating: 0, count: ReproducibleSum.foldCount)
    sum.add(values.span, times: values.span, to: &folds)
    #expect(sum.value(folds) == 1.5 * 1.5 + 2.25 * 2.25 + 9)
  }
}
