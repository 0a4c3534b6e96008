import BlockKernels
import BlockSparse
import KrylovMethods
import MessagePassing

/// Shards of probes, dealt to ranks in order, and sums over them whose bits do not depend on the number of ranks.
///
/// Vectors are summed along a `SummationTree` over the shards: a rank adds up the largest nodes among its shards, then all
/// ranks add up the nodes of all. Numbers of shards are gathered and summed in the order of the shards.
final class ShardSums {
  typealias Vectors = AlignedBuffer<Double>

  /// The probes of a shard.
  static let width = 16
  /// The parameters of which sums are exchanged at once.
  private static let block = 1 << 16

  /// The number of shards.
  let count: Int
  /// The shards of this rank.
  let own: Range<Int>
  private let parameterCount: Int
  /// For each node of this rank: how its shards are added up.
  private let nodes: [[SummationTree.Step]]
  /// For each rank: the number of its nodes, and of its shards.
  private let nodeCounts: [Int]
  private let shardCounts: [Int]
  /// How the nodes of all ranks are added up.
  private let steps: [SummationTree.Step]
  /// The sums under way, `[place][parameter]`.
  private let stack: [Vectors]
  /// The sums of this rank's nodes.
  private let sums: [Vectors]
  /// A block of the sums of this rank's nodes, of all ranks' nodes, and of the sums under way.
  private let sent: Vectors
  private let received: Vectors
  private let merged: Vectors
  private var blockCounts: [Int]
  private var numberCounts: [Int]
  private var numbers = Vectors(repeating: 0, count: 0)

  init(count: Int, parameterCount: Int, rank: Int, ranks: Int) {
    self.count = count
    self.parameterCount = parameterCount
    let shares = (0..<ranks).map { count * $0 / ranks..<count * ($0 + 1) / ranks }
    own = shares[rank]
    let tree = SummationTree(count: count)
    let all = shares.map { tree.maximalNodes(inside: $0) }
    nodes = all[rank].map { tree.steps(within: $0) }
    nodeCounts = all.map(\.count)
    shardCounts = shares.map(\.count)
    steps = tree.steps(all.flatMap { $0 }, into: tree.root)
    func buffers(_ number: Int) -> [Vectors] {
      (0..<number).map { _ in Vectors(repeating: 0, count: parameterCount) }
    }
    stack = buffers((nodes.joined().map(\.place).max() ?? 0) + 1)
    sums = buffers(ranks > 1 ? nodes.count : 0)
    let width = ranks > 1 ? min(Self.block, parameterCount) : 0
    sent = Vectors(repeating: 0, count: nodes.count * width)
    received = Vectors(repeating: 0, count: steps.count * width)
    merged = Vectors(repeating: 0, count: ((steps.map(\.place).max() ?? 0) + 1) * width)
    blockCounts = nodeCounts
    numberCounts = shardCounts
  }

  /// Sums vectors over all shards.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - result: The sum, the same on all ranks.
  ///   - ranks: The ranks.
  ///   - vector: Writes the vector of one of this rank's shards, by its number among them.
  /// - Throws: What writing throws, `MPIError`.
  func sum(
    into result: Vectors, on ranks: borrowing Communicator,
    _ vector: (_ slot: Int, _ vector: Vectors) throws -> Void
  ) throws {
    let whole = 0..<parameterCount
    var slot = 0
    for (node, steps) in nodes.enumerated() {
      for step in steps {
        try vector(slot, stack[step.place])
        for merge in 0..<step.merges {
          let top = step.place - merge
          VectorKernels.add(stack[top], times: 1, to: stack[top - 1], in: whole)
        }
        slot += 1
      }
      (ranks.size > 1 ? sums[node] : result).copy(from: stack[0], at: 0, to: whole)
    }
    guard ranks.size > 1 else { return }
    for first in stride(from: 0, to: parameterCount, by: Self.block) {
      try exchange(first..<min(first + Self.block, parameterCount), into: result, on: ranks)
    }
  }

  /// Adds up some elements of the nodes' sums.
  private func exchange(
    _ range: Range<Int>, into result: Vectors, on ranks: borrowing Communicator
  ) throws(MPIError) {
    let width = range.count
    for node in nodes.indices {
      sent.copy(from: sums[node], at: range.lowerBound, to: node * width..<(node + 1) * width)
    }
    for rank in nodeCounts.indices { blockCounts[rank] = nodeCounts[rank] * width }
    let (sent, received) = (sent, received)
    let part = sent.span.extracting(0..<nodes.count * width)
    var whole = received.mutableSpan(of: 0..<steps.count * width)
    try ranks.allGather(part, counts: blockCounts, into: &whole)
    for (index, step) in steps.enumerated() {
      merged.copy(
        from: received, at: index * width, to: step.place * width..<(step.place + 1) * width)
      let merged = merged
      var span = merged.mutableSpan
      for merge in 0..<step.merges {
        let top = (step.place - merge) * width
        Elementwise.add(within: &span, from: top, to: top - width..<top)
      }
    }
    result.copy(from: merged, at: 0, to: range)
  }

  /// Sums numbers over all shards.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - values: For each shard of this rank its numbers, `[shard][number]`.
  ///   - sums: For each number the sum over all shards, the same on all ranks; its count says how many there are.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError` if the gathering fails.
  func sum(
    _ values: [Double], into sums: inout [Double], on ranks: borrowing Communicator
  ) throws(MPIError) {
    let width = sums.count
    if numbers.count != count * width { numbers = Vectors(repeating: 0, count: count * width) }
    for rank in shardCounts.indices { numberCounts[rank] = shardCounts[rank] * width }
    for place in 0..<own.count * width { numbers[own.lowerBound * width + place] = values[place] }
    if ranks.size > 1 {
      let numbers = numbers
      var span = numbers.mutableSpan
      try ranks.allGatherInPlace(&span, counts: numberCounts)
    }
    for number in 0..<width {
      var sum = 0.0
      for shard in 0..<count { sum += numbers[shard * width + number] }
      sums[number] = sum
    }
  }
}
