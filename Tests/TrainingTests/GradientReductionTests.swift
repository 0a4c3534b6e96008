import BlockKernels
import Testing

@testable import MessagePassing
@testable import Training

@Suite("GradientReduction")
struct GradientReductionTests {
  static let shardCounts = [1, 2, 3, 4, 5, 7, 8, 12, 13, 31, 64, 100]

  @Test(
    "pieces are contiguous, complete and even", arguments: [0, 1, 5, 16, 97], [1, 2, 3, 7, 20])
  func pieces(count: Int, pieces: Int) {
    let all = (0..<pieces).map { evenPiece(of: count, pieces: pieces, piece: $0) }
    #expect(all.flatMap { Array($0) } == Array(0..<count))
    #expect((all.map(\.count).max() ?? 0) - (all.map(\.count).min() ?? 0) <= 1)
  }

  /// The definition: the left half is the largest power of two below the number of shards.
  private func sum(_ values: ArraySlice<Float>) -> Float {
    guard values.count > 1 else { return values.first ?? 0 }
    var half = 1
    while 2 * half < values.count { half *= 2 }
    let middle = values.startIndex + half
    return sum(values[..<middle]) + sum(values[middle...])
  }

  /// Numbers of very different sizes, whose sum depends on the order.
  private func values(_ count: Int) -> [Float] {
    var stream = RandomStream(seed: 5, purpose: 1, index: UInt64(count))
    return (0..<count).map { Float(stream.normal()) * [1e-4, 1, 3e5][$0 % 3] }
  }

  /// Puts the gradients of a group's shards into their buffers, in two ranges of parameters.
  private func accumulate(_ reduction: GradientReduction<Float>, _ values: [Float]) {
    let middle = reduction.parameterCount / 2
    for range in [0..<middle, middle..<reduction.parameterCount] {
      for shard in reduction.shards {
        let buffer = reduction.buffer(of: shard)
        for place in range { buffer[place] = values[shard] * Float(place) }
        reduction.add(shard, range)
      }
    }
  }

  @Test("gradients of one group are summed along the tree", arguments: shardCounts)
  func accumulates(count: Int) {
    let values = values(count)
    let reduction = GradientReduction<Float>(shards: count, parameters: 3, group: 0, groupCount: 1)
    #expect(reduction.shards == 0..<count)
    accumulate(reduction, values)
    let result = reduction.result.array()
    for place in 0..<3 {
      let scaled = values.map { $0 * Float(place) }
      #expect(result[place].bitPattern == sum(scaled[...]).bitPattern)
    }
  }

  @Test("shards of several steps do not mix", arguments: [1, 5, 8])
  func repeats(count: Int) {
    let reduction = GradientReduction<Float>(shards: count, parameters: 4, group: 0, groupCount: 1)
    accumulate(reduction, values(count))
    let first = reduction.result.array()
    accumulate(reduction, values(count).reversed())
    accumulate(reduction, values(count))
    #expect(reduction.result.array() == first)
  }

  @Test("groups share shards and parameters without overlap", arguments: shardCounts)
  func groups(count: Int) {
    for groups in [1, 2, 3, 5, 7] {
      let all = (0..<groups).map {
        GradientReduction<Float>(shards: count, parameters: 11, group: $0, groupCount: groups)
      }
      #expect(all.flatMap { Array($0.shards) } == Array(0..<count))
      #expect(all.flatMap { Array($0.owned(by: $0.group)) } == Array(0..<11))
      #expect(all.allSatisfy { $0.buffersAreWhole })
    }
  }
}

extension GradientReduction {
  /// Whether each shard of the group has room for a whole gradient.
  fileprivate var buffersAreWhole: Bool {
    shards.allSatisfy { buffer(of: $0).count == parameterCount }
  }
}
