import BlockKernels
import BlockSparse
import MessagePassing
import OperatorNetworks

/// The exchanges of one pass: before each round, what one rank sends to its neighbours and receives from
/// them, for all its shards together.
struct BoxExchange<Scalar: KernelScalar & MPIScalar> {
  /// Boxes of a value that stand beside each other.
  struct Run {
    let value: Int
    let start: Int
    var count: Int
  }

  /// A message: its numbers for one shard.
  struct Peer {
    let rank: Int
    var runs: [Run] = []
    var count: Int { runs.reduce(0) { $0 + $1.count } }
  }

  /// A value that every rank gets as a whole.
  struct Gather {
    let value: Int
    let start: Int
    let counts: [Int]
  }

  private struct Round {
    var sends: [Peer] = []
    var receives: [Peer] = []
    var gathers: [Gather] = []
    /// The numbers of the largest gather.
    var gathered: (own: Int, all: Int) = (0, 0)
  }

  private let phase: CommunicationPlan.Phase
  private let rounds: [Round]
  private let rank: Int
  private let outgoing: AlignedBuffer<Scalar>
  private let incoming: AlignedBuffer<Scalar>

  /// Plans the exchanges of a rank.
  ///
  /// - Parameters:
  ///   - phase: The pass.
  ///   - network: The network.
  ///   - plan: Its communication.
  ///   - share: What the rank holds.
  ///   - samples: The samples of a shard.
  ///   - slots: The shards that are computed together.
  init(
    _ phase: CommunicationPlan.Phase, _ network: Network, _ plan: CommunicationPlan,
    _ share: RankShare, samples: Int, slots: Int
  ) {
    self.phase = phase
    rank = share.rank
    let held = phase == .forward ? share.values : share.gradients
    var rounds = [Round](repeating: Round(), count: (plan.rounds[phase] ?? 0) + 1)
    for transfer in plan.transfers where transfer.phase == phase.rawValue {
      let run = { () -> Run in
        let layout = network.values[transfer.value].layout
        return Run(
          value: transfer.value, start: held[transfer.value].start(of: transfer.box) * samples,
          count: layout.channels(of: transfer.box) * samples)
      }
      if transfer.source == share.rank {
        Self.add(run(), for: transfer.target, to: &rounds[transfer.round].sends)
      } else if transfer.target == share.rank {
        Self.add(run(), for: transfer.source, to: &rounds[transfer.round].receives)
      }
    }
    for gather in plan.gathers where gather.phase == phase {
      let counts = gather.counts.map { $0 * samples }
      rounds[gather.round].gathers.append(
        Gather(
          value: gather.subject, start: counts[..<share.rank].reduce(0, +), counts: counts))
      rounds[gather.round].gathered.own = max(
        rounds[gather.round].gathered.own, counts[share.rank])
      rounds[gather.round].gathered.all = max(
        rounds[gather.round].gathered.all, counts.reduce(0, +))
    }
    self.rounds = rounds
    func largest(_ count: (Round) -> Int) -> AlignedBuffer<Scalar> {
      AlignedBuffer(repeating: 0, count: slots * (rounds.map(count).max() ?? 0))
    }
    outgoing = largest { max($0.sends.reduce(0) { $0 + $1.count }, $0.gathered.own) }
    incoming = largest { max($0.receives.reduce(0) { $0 + $1.count }, $0.gathered.all) }
  }

  /// Adds boxes to the message for a rank; messages come in the order of ranks, boxes in that of the plan.
  private static func add(_ run: Run, for rank: Int, to peers: inout [Peer]) {
    if peers.last?.rank != rank { peers.append(Peer(rank: rank)) }
    let peer = peers.count - 1
    if let last = peers[peer].runs.last, last.value == run.value,
      last.start + last.count == run.start
    {
      peers[peer].runs[peers[peer].runs.count - 1].count += run.count
    } else {
      peers[peer].runs.append(run)
    }
  }

  /// Exchanges boxes before a round.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - round: The round, from 1.
  ///   - buffers: For each shard the values, or their gradients.
  ///   - communicator: The tree ranks.
  ///   - body: Is run while messages are under way.
  /// - Throws: `MPIError` if a message fails, and what `body` throws.
  func run(
    _ round: Int, _ buffers: ArraySlice<[AlignedBuffer<Scalar>]>,
    on communicator: borrowing Communicator, while body: () throws(MPIError) -> Void
  ) throws(MPIError) {
    let (plan, outgoing, incoming) = (rounds[round], outgoing, incoming)
    communicator.stallWatch.phase =
      phase == .forward ? .init("forward exchange", round) : .init("backward exchange", round)
    var position = 0
    for peer in plan.sends {
      for slot in buffers {
        for run in peer.runs {
          Self.copy(slot[run.value], run.start, outgoing, position, run.count)
          position += run.count
        }
      }
    }
    let tag = phase.rawValue << 12 | round
    var received = incoming.mutableSpan
    try communicator.withRequests(sending: outgoing.span, receiving: &received) {
      (requests) throws(MPIError) in
      var start = 0
      for peer in plan.receives {
        let count = peer.count * buffers.count
        try requests.receive(start..<start + count, from: peer.rank, tag: tag)
        start += count
      }
      start = 0
      for peer in plan.sends {
        let count = peer.count * buffers.count
        try requests.send(start..<start + count, to: peer.rank, tag: tag)
        start += count
      }
      try body()
    }
    position = 0
    for peer in plan.receives {
      for slot in buffers {
        for run in peer.runs {
          Self.copy(incoming, position, slot[run.value], run.start, run.count)
          position += run.count
        }
      }
    }
    for gather in plan.gathers { try self.gather(gather, buffers, on: communicator) }
  }

  /// Gathers a value: ranks hold their parts in the order of the boxes.
  private func gather(
    _ gather: Gather, _ buffers: ArraySlice<[AlignedBuffer<Scalar>]>,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    let (outgoing, incoming) = (outgoing, incoming)
    let (own, all) = (gather.counts[rank], gather.counts.reduce(0, +))
    for (index, slot) in buffers.enumerated() {
      Self.copy(slot[gather.value], gather.start, outgoing, index * own, own)
    }
    var whole = incoming.mutableSpan(of: 0..<all * buffers.count)
    let sent = outgoing.span
    try communicator.allGather(
      sent.extracting(first: own * buffers.count),
      counts: gather.counts.map { $0 * buffers.count }, into: &whole)
    var position = 0
    var start = 0
    for count in gather.counts {
      for slot in buffers {
        Self.copy(incoming, position, slot[gather.value], start, count)
        position += count
      }
      start += count
    }
  }

  private static func copy(
    _ source: AlignedBuffer<Scalar>, _ from: Int, _ target: AlignedBuffer<Scalar>, _ to: Int,
    _ count: Int
  ) {
    target.copy(from: source, at: from, to: to..<to + count)
  }
}
