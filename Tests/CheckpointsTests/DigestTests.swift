import Testing

@testable import Checkpoints

@Suite("Digest")
struct DigestTests {
  /// The formula, digit by digit.
  private func oracle(_ words: [UInt64]) -> String {
    let total = words.enumerated().reduce(UInt64(0)) { total, item in
      var z = item.element ^ ((UInt64(item.offset) + 1) &* 0x9e37_79b9_7f4a_7c15)
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return total &+ (z ^ (z >> 31))
    }
    let digits = String(total, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  @Test(
    "digests follow the formula, whatever the width of the numbers", arguments: [0, 1, 2, 1000])
  func formula(count: Int) {
    let floats = (0..<count).map { Float($0) * 0.1 - 7 }
    let doubles = floats.map { Double($0) }
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let integers = (0..<count).map { Int32(truncatingIfNeeded: $0 &* 77_777 - 5000) }
    #expect(Digest.of(floats.span) == oracle(floats.map { UInt64($0.bitPattern) }))
    #expect(Digest.of(doubles.span) == oracle(doubles.map(\.bitPattern)))
    #expect(Digest.of(bytes.span) == oracle(bytes.map { UInt64($0) }))
    #expect(
      Digest.of(integers.span) == oracle(integers.map { UInt64(UInt32(bitPattern: $0)) }))
  }

  @Test("parts add up in any order")
  func order() {
    let values = (0..<1000).map { Double($0).squareRoot() }
    let cuts = [0, 1, 17, 400, 400, 999, 1000]
    let sums = zip(cuts, cuts.dropFirst()).map {
      Digest.sum(values.span.extracting($0..<$1), from: $0)
    }
    #expect(Digest.text(of: sums.reversed().reduce(0, &+)) == Digest.of(values.span))
  }

  @Test("a bit that changes, two numbers that change places, and zeros at the end show")
  func changes() {
    let values = (0..<64).map { Float($0) }
    let digest = Digest.of(values.span)
    for place in values.indices {
      for bit in 0..<32 {
        var other = values
        other[place] = Float(bitPattern: other[place].bitPattern ^ 1 << UInt32(bit))
        #expect(Digest.of(other.span) != digest)
      }
      var other = values
      other.swapAt(place, (place + 1) % 64)
      #expect(Digest.of(other.span) != digest)
    }
    #expect(Digest.of((values + [0]).span) != digest)
  }
}
