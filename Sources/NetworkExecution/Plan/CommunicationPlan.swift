import BlockKernels
import BlockSparse
public import OperatorNetworks

/// What tree ranks send to each other in one step, known from network and partition before anything runs.
///
/// A pass runs in rounds. Before a round each rank receives, in one message from each neighbour, the boxes
/// that its rows need and others own; a layer runs in the first round in which its sources can be there.
/// So bridges of all levels and the near field share their exchanges. A value that every rank needs, since
/// what comes after it is replicated, is gathered as a whole. The input is not sent: each rank reads what
/// it needs.
public struct CommunicationPlan: Sendable, Equatable {
  /// A pass, or the exchange after it.
  public enum Phase: Int, CaseIterable, Sendable {
    /// Values on their way to the rows that read them.
    case forward
    /// Gradients of targets on their way to the owners of the sources.
    case backward
    /// Weights on their way to ranks that need a copy for their sources' gradients.
    case weights
  }

  /// One message: all that a rank sends to another before a round.
  public struct Message: Sendable, Equatable {
    /// The pass.
    public let phase: Phase
    /// The round, counted from 1.
    public let round: Int
    /// The rank that sends.
    public let source: Int
    /// The rank that receives.
    public let target: Int
    /// The numbers in it: channels for each sample of a pass, or weights.
    public let count: Int
  }

  /// A collective operation after which every rank has the whole value or all weights of a layer.
  public struct Gather: Sendable, Equatable {
    /// The pass.
    public let phase: Phase
    /// The round, counted from 1.
    public let round: Int
    /// The value, or the layer whose weights are gathered.
    public let subject: Int
    /// For each rank: the numbers that it contributes, for each sample of a pass.
    public let counts: [Int]
  }

  /// A box on its way from its owner to a rank that needs it.
  struct Transfer: Sendable, Hashable, Comparable {
    let phase: Int
    let round: Int
    let source: Int
    let target: Int
    let value: Int
    let box: Int

    static func < (a: Transfer, b: Transfer) -> Bool {
      (a.phase, a.round, a.source, a.target, a.value, a.box)
        < (b.phase, b.round, b.source, b.target, b.value, b.box)
    }
  }

  /// The messages, ordered by phase, round, sender and receiver.
  public let messages: [Message]
  /// The gathers, ordered by phase and round.
  public let gathers: [Gather]
  /// For each rank: the numbers that it contributes, for each shard, to gradients of weights that rows on
  /// several ranks share; these are gathered once after the backward pass.
  public let sumCounts: [Int]
  /// The rounds of the forward and the backward pass.
  public let rounds: [Phase: Int]
  /// For each value: the round after which it is whole; 0 if it needs no exchange.
  public let valueRounds: [Int]
  /// For each value: the round after which its gradient is whole.
  public let gradientRounds: [Int]
  /// For each layer: whether some rank needs boxes of others for its rows.
  let forwardExchanges: [Bool]
  /// For each layer: whether some rank needs gradients of others for its sources.
  let backwardExchanges: [Bool]
  /// The boxes of the messages of both passes, in their order.
  let transfers: [Transfer]

  /// Plans the communication of a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  public init(_ network: Network, _ partition: TreePartition) {
    var needs = Needs(network, partition)
    var rounds = [Int](repeating: 0, count: network.values.count)
    var forwardExchanges: [Bool] = []

    // Forward: a layer that reads boxes of others waits for the round after its source's.
    for item in network.layers {
      let exchanges =
        item.source != 0 && needs.addForward(item, round: rounds[item.source] + 1)
      forwardExchanges.append(exchanges)
      let ready = rounds[item.source] + (exchanges ? 1 : 0)
      rounds[item.target] = max(ready, item.addend.map { rounds[$0] } ?? 0)
    }
    valueRounds = rounds
    self.forwardExchanges = forwardExchanges

    // Backward: the gradient of a value is whole when all layers that read it have added to it.
    var gradientRounds = [Int](repeating: 0, count: network.values.count)
    var backwardExchanges: [Bool] = []
    for (index, item) in network.layers.enumerated().reversed() {
      if let addend = item.addend {
        gradientRounds[addend] = max(gradientRounds[addend], gradientRounds[item.target])
      }
      // The gradient of the input is not needed; but that of transposed weights needs gradients of targets.
      let exchanges =
        (item.source != 0 || item.isTransposed)
        && needs.addBackward(item, index: index, round: gradientRounds[item.target] + 1)
      backwardExchanges.append(exchanges)
      gradientRounds[item.source] = max(
        gradientRounds[item.source], gradientRounds[item.target] + (exchanges ? 1 : 0))
    }
    self.gradientRounds = gradientRounds
    self.backwardExchanges = backwardExchanges.reversed()
    transfers = needs.transfers.sorted()
    gathers = needs.gathers.sorted {
      ($0.phase.rawValue, $0.round, $0.subject) < ($1.phase.rawValue, $1.round, $1.subject)
    }
    messages = Self.messages(
      network, transfers, weights: needs.weights, ranks: partition.rankCount)
    let ranks = 0..<partition.rankCount
    sumCounts = network.layers.reduce([Int](repeating: 0, count: ranks.count)) { sums, item in
      let (shape, rows) = (network.slice(of: item).shape, partition.values[item.rowValue])
      guard ranks.count > 1, !shape.rowsOwnWeights, !rows.isReplicated else { return sums }
      // A plain layer without biases does not use those of its slice.
      let counts = (item.isTransposed ? shape : item.layer).sumCounts(
        of: ranks.map { rows.range(of: $0) }, isTransposed: item.isTransposed)
      return zip(sums, counts).map(+)
    }
    let (planned, gathered) = (messages, gathers)
    self.rounds = Dictionary(
      uniqueKeysWithValues: Phase.allCases.map { phase in
        let last = planned.lazy.filter { $0.phase == phase }.map(\.round).max() ?? 0
        return (phase, gathered.reduce(last) { $1.phase == phase ? max($0, $1.round) : $0 })
      })
  }

  /// Returns the messages that a rank sends.
  ///
  /// - Parameter rank: The rank.
  /// - Returns: The messages.
  public func sent(by rank: Int) -> [Message] { messages.filter { $0.source == rank } }

  /// Returns for each value the one whose gradient buffer it uses: that of the sum to which it is added, if no function
  /// stands between them, else its own.
  static func gradientOwners(_ network: Network) -> [Int] {
    var owners = Array(network.values.indices)
    var isLinear = [Bool](repeating: false, count: network.values.count)
    for item in network.layers {
      isLinear[item.target] =
        item.layer.activation == .identity && item.layer.blockActivation == .identity
    }
    for item in network.layers.reversed() {
      if let addend = item.addend, isLinear[addend] { owners[addend] = owners[item.target] }
    }
    return owners
  }

  /// Returns for each value the sum of which it is a term, if a function stands between their gradients.
  static func activatedSums(_ network: Network) -> [Int?] {
    let owners = gradientOwners(network)
    var sums = [Int?](repeating: nil, count: network.values.count)
    for item in network.layers {
      if let addend = item.addend, owners[addend] == addend { sums[addend] = item.target }
    }
    return sums
  }

  /// Returns the memory that each rank needs for the gradients of the boxes that it computes.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  /// - Returns: For each rank the channels; gradients that are not needed at the same time share them.
  public func gradientChannels(_ network: Network, _ partition: TreePartition) -> [Int] {
    let memory = GradientMemory(network, self, BackwardSchedule(network, self))
    return (0..<partition.rankCount).map { rank in
      let counts = zip(network.values, partition.values).map { value, boxes in
        let computed = boxes.computed(by: rank)
        return value.layout.starts[computed.upperBound] - value.layout.starts[computed.lowerBound]
      }
      return memory.places(counts).map(\.upperBound).max() ?? 0
    }
  }

  /// Adds up the boxes of each message; weights are counted apart.
  private static func messages(
    _ network: Network, _ transfers: [Transfer], weights: [Int: Int], ranks: Int
  ) -> [Message] {
    var messages: [Message] = []
    var first = 0
    while first < transfers.count {
      let head = transfers[first]
      var (end, count) = (first, 0)
      while end < transfers.count, transfers[end].phase == head.phase,
        transfers[end].round == head.round, transfers[end].source == head.source,
        transfers[end].target == head.target
      {
        count += network.values[transfers[end].value].layout.channels(of: transfers[end].box)
        end += 1
      }
      if let phase = Phase(rawValue: head.phase) {
        messages.append(
          Message(
            phase: phase, round: head.round, source: head.source, target: head.target,
            count: count))
      }
      first = end
    }
    return messages
      + weights.keys.sorted().map {
        Message(
          phase: .weights, round: 1, source: $0 / ranks, target: $0 % ranks,
          count: weights[$0] ?? 0)
      }
  }
}
