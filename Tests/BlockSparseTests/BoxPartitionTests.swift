import BlockKernels
import BlockSparse
import Testing

@Suite("BoxPartition")
struct BoxPartitionTests {
  /// The smallest largest part of all ways to cut a sequence, by trying each.
  private func best(_ weights: ArraySlice<Int>, _ parts: Int) -> Int {
    if parts == 1 { return weights.reduce(0, +) }
    return (weights.startIndex...weights.endIndex).map { cut in
      max(weights[..<cut].reduce(0, +), best(weights[cut...], parts - 1))
    }.min() ?? 0
  }

  @Test("a cut has the smallest largest part", arguments: 1...5)
  func optimal(parts: Int) {
    for seed in 0..<40 {
      var stream = RandomStream(seed: Int64(seed), purpose: 1, index: UInt64(parts))
      let count = stream.index(below: 9)
      let weights = (0..<count).map { _ in stream.index(below: 12) }
      let starts = BoxPartition.cut(weights, parts: parts)
      #expect(starts.count == parts + 1 && starts.first == 0 && starts.last == count)
      let sums = (0..<parts).map { weights[starts[$0]..<starts[$0 + 1]].reduce(0, +) }
      #expect(sums.max() == best(weights[...], parts), "seed \(seed): \(weights) at \(starts)")
    }
  }

  @Test("a preferred cut is taken if it costs little")
  func preference() {
    let weights = [Int](repeating: 10, count: 64)
    let preference = (0..<64).map { $0.trailingZeroBitCount }
    #expect(BoxPartition.cut(weights, parts: 4, preference: preference) == [0, 16, 32, 48, 64])
    for parts in 1...70 {
      let starts = BoxPartition.cut(weights, parts: parts, preference: preference)
      let best = BoxPartition.cut(weights, parts: parts)
      func largest(_ starts: [Int]) -> Int {
        zip(starts, starts.dropFirst()).map { $1 - $0 }.max() ?? 0
      }
      #expect(starts.count == parts + 1 && starts == starts.sorted())
      #expect(10 * largest(starts) <= 11 * largest(best), "\(parts) parts: \(starts)")
    }
    // Item 31 is heavy: the even cut is no choice.
    var heavy = weights
    heavy[31] = 1000
    let starts = BoxPartition.cut(heavy, parts: 2, preference: preference)
    #expect(starts == [0, 31, 64] || starts == [0, 32, 64])
  }

  @Test("no part is empty while there are items enough", arguments: [1, 2, 3, 7, 8, 13])
  func notEmpty(parts: Int) {
    let starts = BoxPartition.cut([Int](repeating: 3, count: 13), parts: parts)
    #expect((0..<parts).allSatisfy { starts[$0] < starts[$0 + 1] }, "\(starts)")
  }

  @Test("more parts than items leave parts empty")
  func idle() {
    let starts = BoxPartition.cut([5, 1], parts: 4)
    #expect(starts.count == 5 && starts.last == 2)
    #expect((0..<4).count { starts[$0] < starts[$0 + 1] } == 2)
  }

  @Test("every box has the one owner in whose range it lies")
  func owners() {
    let partition = BoxPartition(starts: [0, 3, 3, 7, 8, 8])
    for box in 0..<8 {
      let owners = (0..<5).filter { partition.range(of: $0).contains(box) }
      #expect(owners == [partition.owner(of: box)])
    }
    #expect(partition.computed(by: 1).isEmpty)
    let replicated = BoxPartition(starts: [0, 3, 8], isReplicated: true)
    #expect(replicated.computed(by: 0) == 0..<8 && replicated.range(of: 0) == 0..<3)
  }
}
