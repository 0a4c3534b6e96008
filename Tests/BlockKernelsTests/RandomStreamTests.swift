import BlockKernels
import Foundation
import Testing

@Suite struct RandomStreamTests {
  @Test func wordsAreThoseOfPhilox() {
    let seed: Int64 = -0x0123_4567_89AB_CDEF
    let index: UInt64 = 0xFEDC_BA98_7654_3210
    var stream = RandomStream(seed: seed, purpose: 42, index: index)
    let bits = UInt64(bitPattern: seed)
    for block in 0..<5 {
      let words = Philox.block(
        counter: SIMD4(UInt32(block), 42, 0x7654_3210, 0xFEDC_BA98),
        key: SIMD2(UInt32(truncatingIfNeeded: bits), UInt32(bits >> 32)))
      for lane in 0..<4 { #expect(stream.nextWord() == words[lane]) }
    }
  }

  @Test func equalArgumentsGiveEqualNumbers() {
    var first = RandomStream(seed: 7, purpose: 1, index: 3)
    var second = RandomStream(seed: 7, purpose: 1, index: 3)
    let numbers = (0..<100).map { _ in first.uniform() }
    #expect(numbers == (0..<100).map { _ in second.uniform() })
  }

  /// Streams that differ in one argument, also in its high bits, must not be correlated.
  @Test(
    arguments: [
      (8, 1, 3), (7 + 1 << 40, 1, 3), (-7, 1, 3), (7, 2, 3), (7, 1, 4), (7, 1, 3 + 1 << 33),
      (3, 1, 7), (7, 3, 1),
    ] as [(Int64, UInt32, UInt64)])
  func streamsAreIndependent(other: (Int64, UInt32, UInt64)) {
    var first = RandomStream(seed: 7, purpose: 1, index: 3)
    var second = RandomStream(seed: other.0, purpose: other.1, index: other.2)
    let count = 20_000
    var (correlation, equal) = (0.0, 0)
    for _ in 0..<count {
      let (x, y) = (first.uniform(), second.uniform())
      correlation += (x - 0.5) * (y - 0.5) * 12
      equal += x == y ? 1 : 0
    }
    #expect(equal == 0)
    // The sum of n independent terms of variance 1; five deviations.
    #expect(abs(correlation) < 5 * Double(count).squareRoot())
  }

  /// Neighbouring indices are what data generation uses: one number of each stream.
  @Test func firstNumbersOfNeighbouringStreamsAreUniform() {
    let count = 50_000
    var buckets = [Int](repeating: 0, count: 20)
    for index in 0..<count {
      var stream = RandomStream(seed: 1, purpose: 5, index: UInt64(index))
      buckets[Int(stream.uniform() * 20)] += 1
    }
    #expect(chiSquare(buckets) < 19 + 5 * (2.0 * 19).squareRoot())
  }

  @Test func uniformNumbersHaveTheirMoments() {
    var stream = RandomStream(seed: 11, purpose: 0, index: 0)
    let count = 200_000
    var sums = [0.0, 0.0, 0.0]
    var (low, high) = (1.0, 0.0)
    for _ in 0..<count {
      let x = stream.uniform()
      low = min(low, x)
      high = max(high, x)
      for power in 0..<3 { sums[power] += pow(x - 0.5, Double(power + 1)) }
    }
    #expect(low >= 0 && high < 1 && low < 1e-3 && high > 1 - 1e-3)
    // Five deviations of the mean of n terms whose variances are 1/12, 1/180 and 1/448.
    let unit = 5 / Double(count).squareRoot()
    #expect(abs(sums[0] / Double(count)) < unit * (1 / 12.0).squareRoot())
    #expect(abs(sums[1] / Double(count) - 1 / 12.0) < unit * (1 / 180.0).squareRoot())
    #expect(abs(sums[2] / Double(count)) < unit * (1 / 448.0).squareRoot())
    for _ in 0..<1000 {
      let x = stream.uniform(in: -3 ... -1)
      #expect(x >= -3 && x <= -1)
    }
  }

  @Test func normalNumbersHaveTheirMoments() {
    var stream = RandomStream(seed: 12, purpose: 0, index: 0)
    let count = 200_000
    let numbers = (0..<count).map { _ in stream.normal() }
    func mean(_ f: (Double) -> Double) -> Double {
      numbers.reduce(0) { $0 + f($1) } / Double(count)
    }
    // Five deviations; the variances of x, x², x³, x⁴ are 1, 2, 15, 96.
    let unit = 5 / Double(count).squareRoot()
    #expect(abs(mean { $0 }) < unit)
    #expect(abs(mean { $0 * $0 } - 1) < unit * 2.squareRoot())
    #expect(abs(mean { $0 * $0 * $0 }) < unit * 15.squareRoot())
    #expect(abs(mean { $0 * $0 * $0 * $0 } - 3) < unit * 96.squareRoot())
    #expect(abs(mean { abs($0) > 1.959_964 ? 1 : 0 } - 0.05) < unit * (0.05 * 0.95).squareRoot())
    #expect(numbers.allSatisfy { $0.isFinite })
  }

  @Test(arguments: [1, 2, 3, 7, 10, 64, 1000])
  func indicesAreUnbiased(bound: Int) {
    var stream = RandomStream(seed: 13, purpose: 0, index: UInt64(bound))
    var buckets = [Int](repeating: 0, count: bound)
    for _ in 0..<100 * bound { buckets[stream.index(below: bound)] += 1 }
    let freedom = Double(bound - 1)
    #expect(chiSquare(buckets) <= freedom + 5 * (2 * freedom).squareRoot())
  }

  /// For 3·2⁶¹ a plain remainder would give the lower third twice as often.
  @Test func indicesBelowALargeBoundAreUnbiased() {
    var stream = RandomStream(seed: 14, purpose: 0, index: 0)
    var buckets = [0, 0, 0]
    for _ in 0..<30_000 { buckets[stream.index(below: 3 << 61) >> 61] += 1 }
    #expect(chiSquare(buckets) < 2 + 5 * 4.squareRoot())
  }

  @Test func permutationsAreUniform() {
    var counts: [[Int]: Int] = [:]
    for index in 0..<24_000 {
      var stream = RandomStream(seed: 15, purpose: 9, index: UInt64(index))
      counts[[0, 1, 2, 3].shuffled(using: &stream), default: 0] += 1
    }
    #expect(counts.count == 24)
    #expect(chiSquare(Array(counts.values)) < 23 + 5 * (2.0 * 23).squareRoot())
    var stream = RandomStream(seed: 16, purpose: 9, index: 0)
    #expect((0..<1000).shuffled(using: &stream).sorted() == Array(0..<1000))
  }

  @Test func anIndexBelowZeroTraps() async {
    await #expect(processExitsWith: .failure) {
      var stream = RandomStream(seed: 1, purpose: 1, index: 1)
      _ = stream.index(below: 0)
    }
  }

  /// The statistic of Pearson against equal frequencies; mean n − 1, variance 2(n − 1).
  private func chiSquare(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}
