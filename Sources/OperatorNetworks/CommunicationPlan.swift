import BlockSparse

/// What tree ranks send to each other in one step, known from network and partition before anything runs.
///
/// A pass runs in rounds. Before a round each rank receives, in one message from each neighbour, the boxes
/// that its rows need and others own; a layer runs in the first round in which its sources can be there.
/// So bridges of all levels and the near field share their exchanges.
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

  /// The messages, ordered by phase, round, sender and receiver.
  public let messages: [Message]
  /// The rounds of the forward and the backward pass.
  public let rounds: [Phase: Int]
  /// For each value: the round after which it is whole; 0 if it needs no exchange.
  public let valueRounds: [Int]

  /// Plans the communication of a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  public init(_ network: Network, _ partition: TreePartition) {
    var needs = Needs(ranks: partition.rankCount)
    var rounds = [Int](repeating: 0, count: network.values.count)

    // Forward: a layer that reads boxes of others waits for the round after its source's.
    for item in network.layers {
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      let exchanges = needs.add(
        item.layer, value: item.source, from: source, to: target, phase: .forward,
        round: rounds[item.source] + 1)
      let ready = rounds[item.source] + (exchanges ? 1 : 0)
      rounds[item.target] = max(ready, item.addend.map { rounds[$0] } ?? 0)
    }
    valueRounds = rounds

    // Backward: the gradient of a value is whole when all layers that read it have added to it.
    var gradientRounds = [Int](repeating: 0, count: network.values.count)
    for item in network.layers.reversed() {
      if let addend = item.addend {
        gradientRounds[addend] = max(gradientRounds[addend], gradientRounds[item.target])
      }
      // Nobody asks for the gradient of the input.
      guard item.source != 0 else { continue }
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      let exchanges = needs.addAdjoint(
        item.layer, value: item.target, from: target, to: source,
        round: gradientRounds[item.target] + 1)
      gradientRounds[item.source] = max(
        gradientRounds[item.source], gradientRounds[item.target] + (exchanges ? 1 : 0))
    }
    messages = needs.messages
    self.rounds = [
      .forward: messages.filter { $0.phase == .forward }.map(\.round).max() ?? 0,
      .backward: messages.filter { $0.phase == .backward }.map(\.round).max() ?? 0,
      .weights: messages.contains { $0.phase == .weights } ? 1 : 0,
    ]
  }

  /// Returns the messages that a rank sends.
  ///
  /// - Parameter rank: The rank.
  /// - Returns: The messages.
  public func sent(by rank: Int) -> [Message] { messages.filter { $0.source == rank } }
}

/// Collects who needs which boxes, each once.
private struct Needs {
  /// Where a message belongs.
  struct Key: Hashable, Comparable {
    let phase: Int
    let round: Int
    let source: Int
    let target: Int

    static func < (a: Key, b: Key) -> Bool {
      (a.phase, a.round, a.source, a.target) < (b.phase, b.round, b.source, b.target)
    }
  }

  let ranks: Int
  private var counts: [Key: Int] = [:]
  /// For each phase and value: the pairs of a box and a rank that receives it.
  private var seen: [[Int]: Set<Int>] = [:]

  init(ranks: Int) { self.ranks = ranks }

  var messages: [CommunicationPlan.Message] {
    counts.keys.sorted().compactMap { key in
      CommunicationPlan.Phase(rawValue: key.phase).map { phase in
        CommunicationPlan.Message(
          phase: phase, round: key.round, source: key.source, target: key.target,
          count: counts[key] ?? 0)
      }
    }
  }

  /// Adds the boxes of a layer's source that ranks need for the rows that they compute.
  ///
  /// Returns whether there are any.
  mutating func add(
    _ layer: BlockSparseLayer, value: Int, from source: BoxPartition, to target: BoxPartition,
    phase: CommunicationPlan.Phase, round: Int
  ) -> Bool {
    guard ranks > 1, !source.isReplicated else { return false }
    var exchanges = false
    for row in 0..<layer.pattern.targetCount {
      let receivers = target.isReplicated ? 0..<ranks : single(target.owner(of: row))
      for entry in layer.pattern.entries(of: row) {
        let box = Int(layer.pattern.sources[entry])
        let owner = source.owner(of: box)
        for receiver in receivers where receiver != owner {
          exchanges = true
          note(
            phase, round: round, value: value, box: box, from: owner, to: receiver,
            count: layer.source.channels(of: box))
        }
      }
    }
    return exchanges
  }

  /// Adds the gradients of targets, and the blocks of weights, that owners of sources need.
  ///
  /// Returns whether there are gradients among them.
  mutating func addAdjoint(
    _ layer: BlockSparseLayer, value: Int, from target: BoxPartition, to source: BoxPartition,
    round: Int
  ) -> Bool {
    guard ranks > 1, !target.isReplicated else { return false }
    var exchanges = false
    for row in 0..<layer.pattern.targetCount {
      let owner = target.owner(of: row)
      for entry in layer.pattern.entries(of: row) {
        let box = Int(layer.pattern.sources[entry])
        let receivers = source.isReplicated ? 0..<ranks : single(source.owner(of: box))
        for receiver in receivers where receiver != owner {
          exchanges = true
          let channels = layer.target.channels(of: row)
          note(
            .backward, round: round, value: value, box: row, from: owner, to: receiver,
            count: channels)
          // Shared weights are on every rank; own ones are copied block by block after each update.
          guard layer.rowsOwnWeights else { continue }
          let key = Key(
            phase: CommunicationPlan.Phase.weights.rawValue, round: 1, source: owner,
            target: receiver)
          counts[key, default: 0] += channels * layer.source.channels(of: box)
        }
      }
    }
    return exchanges
  }

  private func single(_ rank: Int) -> Range<Int> { rank..<rank + 1 }

  /// Adds a box to a message, unless the receiver has it already.
  private mutating func note(
    _ phase: CommunicationPlan.Phase, round: Int, value: Int, box: Int, from owner: Int,
    to receiver: Int, count: Int
  ) {
    guard seen[[phase.rawValue, value], default: []].insert(box * ranks + receiver).inserted else {
      return
    }
    let key = Key(phase: phase.rawValue, round: round, source: owner, target: receiver)
    counts[key, default: 0] += count
  }
}
