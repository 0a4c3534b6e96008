import BlockKernels
import BlockSparse
import MessagePassing
import NetworkExecution
import OperatorNetworks
import SparseMatrices

/// Passes of a linear network over the ranks of a group.
///
/// Inputs and outputs are those of this rank's unknowns, `[unknown][probe]`; what rows need of the inputs of other ranks is
/// exchanged.
final class TreePass {
  typealias Vectors = AlignedBuffer<Double>

  private let executor: NetworkExecutor<Double>
  private let ranks: TrainingRanks
  /// The places of this rank's unknowns in an input; those of other ranks stand before and behind.
  private let own: Range<Int>
  /// The unknowns of other ranks that are needed, ascending.
  private let remote: [Int32]
  private var halo: HaloPlan?
  private var (outgoing, incoming) = (
    Vectors(repeating: 0, count: 0), Vectors(repeating: 0, count: 0)
  )

  /// Plans passes.
  ///
  /// - Parameters:
  ///   - network: The network, with the slices of the factors.
  ///   - ranks: The ranks.
  ///   - slots: The shards whose values are kept.
  ///   - forTraining: Whether gradients will be asked for.
  init(_ network: Network, _ ranks: TrainingRanks, slots: Int = 1, forTraining: Bool = true) {
    self.ranks = ranks
    let parts = TreePartition(network, cuts: ranks.partition.leafCuts)
    let plan = CommunicationPlan(network, parts)
    let share =
      ranks.treeRanks == 1
      ? RankShare(whole: network)
      : RankShare(network, parts, plan, rank: ranks.treeRank)
    executor = NetworkExecutor(
      network, parts, plan, share, samples: Probes.width, slots: slots, forTraining: forTraining)
    let layout = network.values[0].layout
    let held = share.values[0].list
    let rows = ranks.rows
    remote = held.flatMap { box -> [Int32] in
      let channels = layout.starts[box]..<layout.starts[box + 1]
      return rows.contains(channels.lowerBound) ? [] : channels.map { Int32($0) }
    }
    let before = remote.count { $0 < rows.lowerBound }
    own = before * Probes.width..<(before + rows.count) * Probes.width
    precondition(
      share.values[0].channelCount == remote.count + rows.count
        && executor.ownOutput.values == 0..<ranks.size,
      "inputs and outputs are not those of this rank's unknowns")
  }

  /// Exchanges which rows are needed, once.
  private func haloPlan(on group: borrowing Communicator) throws(MPIError) -> HaloPlan {
    if let halo { return halo }
    let plan = try HaloPlan(remote, cuts: ranks.partition.rowCuts, on: group)
    halo = plan
    let sent = plan.sends.reduce(0) { $0 + $1.rows.count }
    outgoing = Vectors(repeating: 0, count: sent * Probes.width)
    incoming = Vectors(repeating: 0, count: remote.count * Probes.width)
    return plan
  }

  /// Sets the input of a shard.
  ///
  /// Collective over the group.
  func setInput(_ vectors: Vectors, _ slot: Int = 0) throws {
    let input = executor.values[slot][0]
    input.copy(from: vectors, at: 0, to: own)
    try ranks.withGroup { group in
      let plan = try haloPlan(on: group)
      let width = Probes.width
      var place = 0
      for send in plan.sends {
        for row in send.rows {
          outgoing.copy(from: vectors, at: Int(row) * width, to: place..<place + width)
          place += width
        }
      }
      let (outgoing, incoming) = (outgoing, incoming)
      let sent = outgoing.span
      var received = incoming.mutableSpan
      group.stallWatch.phase = .init("halo of probes")
      try group.withRequests(sending: sent, receiving: &received) {
        (requests) throws(MPIError) in
        for receive in plan.receives {
          try requests.receive(
            receive.places.lowerBound * width..<receive.places.upperBound * width,
            from: receive.rank, tag: Self.tag)
        }
        var start = 0
        for send in plan.sends {
          let count = send.rows.count * width
          try requests.send(start..<start + count, to: send.rank, tag: Self.tag)
          start += count
        }
      }
      input.copy(from: incoming, at: 0, to: 0..<own.lowerBound)
      input.copy(
        from: incoming, at: own.lowerBound,
        to: own.upperBound..<own.upperBound
          + incoming.count - own.lowerBound)
    }
  }

  private static let tag = 0x7470

  /// Takes the input of a shard of another pass, whose first layers need the same unknowns.
  func setInput(of other: TreePass, _ slot: Int) {
    precondition(other.remote == remote, "passes that need other unknowns")
    let input = executor.values[0][0]
    input.copy(from: other.executor.values[slot][0], at: 0, to: 0..<input.count)
  }

  /// Prepares for new parameters of this rank.
  ///
  /// Collective over the group.
  func parametersChanged(_ parameters: Vectors) throws {
    if ranks.treeRanks == 1 { return executor.parametersChanged(parameters) }
    try ranks.withGroup { group in try executor.parametersChanged(parameters, on: group) }
  }

  /// Computes the output of a shard.
  ///
  /// Collective over the group.
  func forward(_ parameters: Vectors, _ slot: Int = 0) throws {
    if ranks.treeRanks == 1 { return executor.forward(parameters, slot: slot) }
    try ranks.withGroup { group in
      try executor.forward(parameters, shards: 1, from: slot, on: group)
    }
  }

  /// The output of a shard.
  func output(_ slot: Int = 0) -> Vectors { executor.values[slot][executor.network.output] }

  /// Computes the gradient of ⟨v, y⟩ with respect to this rank's parameters, y being the output of a shard.
  ///
  /// Collective over the group.
  func backward(_ slot: Int, _ vectors: Vectors, into gradient: Vectors) throws {
    executor.outputGradient(slot).copy(
      from: vectors, at: 0, to: executor.ownOutput.gradients)
    if ranks.treeRanks == 1 { return executor.backward(into: gradient, slot: slot) }
    try ranks.withGroup { group in
      try executor.backward(into: [gradient], slot: slot, on: group) { (_, _) throws(MPIError) in }
    }
  }
}
