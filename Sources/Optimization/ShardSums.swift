public import BlockKernels
import BlockSparse
import KrylovMethods
public import MessagePassing

/// Shards, dealt to ranks in order, and sums over them whose bits do not depend on the number of ranks.
///
/// A shard is what is computed at once: some probes, some points, a leaf.
///
/// Vectors are summed along a `SummationTree` over the shards: a rank adds up the largest nodes among its shards, then all
/// ranks add up the nodes of all. Numbers of shards are gathered and summed in the order of the shards.
public final class ShardSums {
  private typealias Vectors = AlignedBuffer<Double>

  /// The parameters of which sums are exchanged at once.
  private static let block = 1 << 16

  /// The number of shards.
  public let count: Int
  /// The shards of this rank.
  public let own: Range<Int>
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

  /// Deals shards to ranks in about equal parts.
  ///
  /// - Parameters:
  ///   - count: The number of shards.
  ///   - parameterCount: The numbers of the vectors that are summed.
  ///   - rank: This rank.
  ///   - ranks: The number of ranks.
  public convenience init(count: Int, parameterCount: Int, rank: Int, ranks: Int) {
    self.init(
      cuts: (0...ranks).map { count * $0 / ranks }, parameterCount: parameterCount, rank: rank)
  }

  /// Takes the shards of each rank as they are.
  ///
  /// - Parameters:
  ///   - cuts: The first shard of each rank, and at the end the number of shards.
  ///   - parameterCount: The numbers of the vectors that are summed.
  ///   - rank: This rank.
  public init(cuts: [Int], parameterCount: Int, rank: Int) {
    let (count, ranks) = (cuts[cuts.count - 1], cuts.count - 1)
    self.count = count
    self.parameterCount = parameterCount
    let shares = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
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
  public func sum(
    into result: AlignedBuffer<Double>, on ranks: borrowing Communicator,
    _ vector: (_ slot: Int, _ vector: AlignedBuffer<Double>) throws -> Void
  ) throws {
    try add(into: result, vector)
    guard shardCounts.count > 1 else { return }
    for first in stride(from: 0, to: parameterCount, by: Self.block) {
      try exchange(first..<min(first + Self.block, parameterCount), into: result, on: ranks)
    }
  }

  /// Sums vectors over all shards of a rank alone.
  ///
  /// - Parameters:
  ///   - result: The sum.
  ///   - vector: Writes the vector of a shard.
  /// - Throws: What writing throws.
  /// - Precondition: There is one rank.
  public func sum(
    into result: AlignedBuffer<Double>,
    _ vector: (_ slot: Int, _ vector: AlignedBuffer<Double>) throws -> Void
  ) rethrows {
    precondition(shardCounts.count == 1, "shards of \(shardCounts.count) ranks")
    try add(into: result, vector)
  }

  /// Adds up the vectors of this rank's nodes; the only rank's is the sum.
  private func add(
    into result: Vectors, _ vector: (_ slot: Int, _ vector: Vectors) throws -> Void
  ) rethrows {
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
      (shardCounts.count > 1 ? sums[node] : result).copy(from: stack[0], at: 0, to: whole)
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
  public func sum(
    _ values: [Double], into sums: inout [Double], on ranks: borrowing Communicator
  ) throws(MPIError) {
    place(values, sums.count)
    if shardCounts.count > 1 {
      let numbers = numbers
      var span = numbers.mutableSpan
      try ranks.allGatherInPlace(&span, counts: numberCounts)
    }
    addNumbers(into: &sums)
  }

  /// Sums numbers over all shards of a rank alone.
  ///
  /// - Parameters:
  ///   - values: For each shard its numbers, `[shard][number]`.
  ///   - sums: For each number the sum over all shards; its count says how many there are.
  /// - Precondition: There is one rank.
  public func sum(_ values: [Double], into sums: inout [Double]) {
    precondition(shardCounts.count == 1, "shards of \(shardCounts.count) ranks")
    place(values, sums.count)
    addNumbers(into: &sums)
  }

  /// Places the numbers of this rank among those of all.
  private func place(_ values: [Double], _ width: Int) {
    if numbers.count != count * width { numbers = Vectors(repeating: 0, count: count * width) }
    for rank in shardCounts.indices { numberCounts[rank] = shardCounts[rank] * width }
    for place in 0..<own.count * width { numbers[own.lowerBound * width + place] = values[place] }
  }

  private func addNumbers(into sums: inout [Double]) {
    let width = sums.count
    for number in 0..<width {
      var sum = 0.0
      for shard in 0..<count { sum += numbers[shard * width + number] }
      sums[number] = sum
    }
  }
}
