import BlockKernels
import BlockSparse
import MessagePassing

/// The exchange of sums over rows: what each rank contributes to gradients of weights that rows on several
/// ranks share, for all its shards, is gathered on all of them.
struct SumExchange<Scalar: KernelScalar & MPIScalar> {
  /// What the ranks contributed: `[rank][shard][layer]`.
  let all: AlignedBuffer<Scalar>
  private let own: AlignedBuffer<Scalar>
  /// For each rank: its numbers for one shard.
  private let counts: [Int]
  private let rank: Int
  /// For each layer and rank: where its numbers begin among those of a shard.
  private let places: [[Int]]

  init(_ plans: [LayerPlan<Scalar>], _ share: RankShare, slots: Int) {
    var counts = [Int](repeating: 0, count: share.rankCount)
    places = plans.map { plan in
      guard !plan.sumCounts.isEmpty else { return [] }
      let starts = counts
      counts = zip(counts, plan.sumCounts).map(+)
      return starts
    }
    self.counts = counts
    rank = share.rank
    own = AlignedBuffer(repeating: 0, count: slots * counts[rank])
    all = AlignedBuffer(repeating: 0, count: slots * counts.reduce(0, +))
  }

  /// Takes the sums of a layer from the beginning of a scratch.
  func add(_ scratch: AlignedBuffer<Scalar>, _ layer: Int, slot: Int, count: Int) {
    let start = slot * counts[rank] + places[layer][rank]
    own.copy(from: scratch, at: 0, to: start..<start + count)
  }

  /// Gathers the sums of all ranks for some shards.
  ///
  /// Collective.
  func run(_ slots: Range<Int>, on communicator: borrowing Communicator) throws(MPIError) {
    guard counts.contains(where: { $0 > 0 }) else { return }
    let (own, all) = (own, all)
    communicator.stallWatch.phase = .init("sum of shared gradients")
    let sent = own.span
    var whole = all.mutableSpan(of: 0..<slots.count * counts.reduce(0, +))
    try communicator.allGather(
      sent.extracting(slots.lowerBound * counts[rank]..<slots.upperBound * counts[rank]),
      counts: counts.map { $0 * slots.count },
      into: &whole)
  }

  /// Returns for each rank where its sums of a layer begin, for a shard among those that were gathered.
  func starts(_ layer: Int, slot: Int, shards: Int) -> [Int] {
    var before = 0
    return counts.indices.map { rank in
      let start = before + slot * counts[rank] + places[layer][rank]
      before += shards * counts[rank]
      return start
    }
  }
}
