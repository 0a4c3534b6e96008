import Testing

@testable import Datasets

@Suite("BatchOrder")
struct BatchOrderTests {
  private func epoch(_ number: Int, _ count: Int, seed: Int64) -> [Int] {
    var order = BatchOrder(count: count, seed: seed)
    return (0..<count).map { order.sample(at: number * count + $0) }
  }

  @Test("every epoch sees every sample once", arguments: [1, 2, 3, 10, 257])
  func permutation(count: Int) {
    for number in [0, 1, 5] {
      #expect(epoch(number, count, seed: 1).sorted() == Array(0..<count))
    }
  }

  @Test("epochs and seeds have orders of their own")
  func differs() {
    let first = epoch(0, 100, seed: 1)
    #expect(first != Array(0..<100))
    #expect(epoch(1, 100, seed: 1) != first)
    #expect(epoch(0, 100, seed: 2) != first)
    #expect(epoch(0, 100, seed: 1) == first)
  }

  @Test("a place has its sample whatever was asked for before")
  func anyOrder() {
    var forwards = BatchOrder(count: 13, seed: 4)
    let expected = (0..<60).map { forwards.sample(at: $0) }
    var backwards = BatchOrder(count: 13, seed: 4)
    #expect((0..<60).reversed().map { backwards.sample(at: $0) } == expected.reversed())
  }

  @Test("all places are about equally likely")
  func uniform() {
    // The place of sample 0 in 3000 epochs of 6 samples: 500 each, deviation about 20.
    var counts = [Int](repeating: 0, count: 6)
    var order = BatchOrder(count: 6, seed: 11)
    for number in 0..<3000 {
      for place in 0..<6 where order.sample(at: 6 * number + place) == 0 { counts[place] += 1 }
    }
    for count in counts { #expect(abs(count - 500) < 110, "\(counts)") }
  }
}
