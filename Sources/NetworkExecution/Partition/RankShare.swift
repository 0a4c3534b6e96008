public import BlockSparse
public import OperatorNetworks

/// The part of a network that one tree rank holds and computes, and its places in the rank's memory.
public struct RankShare: Sendable {
  /// Where the parameters of a slice that a rank holds stand among those of the network.
  public struct Parameters: Sendable, Equatable {
    /// The rows that it holds.
    public let rows: Range<Int>
    /// The weights, among the parameters of the network.
    public let weights: Range<Int>
    /// The biases.
    public let biases: Range<Int>
    /// Where the weights, and behind them the biases, begin among the parameters of the rank.
    public let start: Int
    /// Whether every rank holds them.
    public let isReplicated: Bool

    /// The places of weights and biases among the parameters of the rank.
    public var local: Range<Int> { start..<start + weights.count + biases.count }
  }

  /// The number of tree ranks.
  public let rankCount: Int
  /// The rank.
  public let rank: Int
  /// For each value: the boxes that it holds.
  public let values: [HeldBoxes]
  /// For each value: the boxes whose gradients it holds.
  public let gradients: [HeldBoxes]
  /// For each value: the boxes that it computes.
  public let computed: [Range<Int>]
  /// For each rank: the boxes of the input that it owns.
  public let inputBoxes: [Range<Int>]
  /// For each rank: the boxes of the output that it computes.
  public let outputBoxes: [Range<Int>]
  /// For each layer: the part that it computes.
  public let layers: [LayerPlacement]
  /// For each slice: the parameters that it holds.
  public let parameters: [Parameters]

  /// The number of parameters that the rank holds.
  public var parameterCount: Int { parameters.last?.local.upperBound ?? 0 }

  /// Creates the share of the only rank.
  ///
  /// - Parameter network: The network.
  public init(whole network: Network) {
    rankCount = 1
    rank = 0
    values = network.values.map { HeldBoxes(all: $0.layout) }
    gradients = values
    computed = network.values.map { 0..<$0.layout.boxCount }
    (inputBoxes, outputBoxes) = ([computed[0]], [computed[network.output]])
    layers = network.layers.map { item in
      let slice = network.slice(of: item)
      return item.isTransposed
        ? LayerPlacement(transposing: slice.shape, parameterStart: slice.start)
        : LayerPlacement(whole: item.layer, parameterStart: slice.start)
    }
    parameters = network.slices.map {
      Parameters(
        rows: 0..<$0.shape.target.boxCount, weights: $0.weights, biases: $0.biases,
        start: $0.start, isReplicated: false)
    }
  }

  /// Creates the share of one of several ranks.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  ///   - plan: The communication of the network.
  ///   - rank: The rank.
  public init(
    _ network: Network, _ partition: TreePartition, _ plan: CommunicationPlan, rank: Int
  ) {
    rankCount = partition.rankCount
    self.rank = rank
    inputBoxes = (0..<partition.rankCount).map { partition.values[0].range(of: $0) }
    let computed = partition.values.map { $0.computed(by: rank) }
    self.computed = computed
    outputBoxes = (0..<partition.rankCount).map { partition.values[network.output].range(of: $0) }
    let (owners, ranks) = (CommunicationPlan.gradientOwners(network), 0..<partition.rankCount)
    let (values, gradients) = Self.held(
      in: network, computed: computed, plan: plan, gradientOwners: owners, rank: rank)
    var (layers, parameters): ([LayerPlacement], [Parameters]) = ([], [])
    var start = 0
    for (slice, boxes) in zip(network.slices, partition.slices) {
      let rows = boxes.computed(by: rank)
      let (weights, biases) = (slice.shape.weights(of: rows), slice.shape.biases(of: rows))
      let first = (slice.weights.lowerBound, slice.biases.lowerBound)
      parameters.append(
        Parameters(
          rows: rows, weights: first.0 + weights.lowerBound..<first.0 + weights.upperBound,
          biases: first.1 + biases.lowerBound..<first.1 + biases.upperBound, start: start,
          isReplicated: boxes.isReplicated || !slice.shape.rowsOwnWeights))
      start += weights.count + biases.count
    }
    for (index, item) in network.layers.enumerated() {
      let rows = partition.values[item.rowValue]
      layers.append(
        LayerPlacement(
          rankRows: rows.isReplicated
            ? [computed[item.rowValue]] : ranks.map { rows.range(of: $0) },
          rank: rows.isReplicated ? 0 : rank, sources: computed[item.columnValue],
          sourceValues: values[item.source], sourceGradients: gradients[item.source],
          targetValues: values[item.target], targetGradients: gradients[item.target],
          addendValues: item.addend.map { values[$0] },
          parameterStart: parameters[item.weights.slice].start,
          gathersWeights: plan.gathers.contains { $0.phase == .weights && $0.subject == index }))
    }
    (self.values, self.gradients) = (values, gradients)
    (self.layers, self.parameters) = (layers, parameters)
  }

  /// Returns the boxes whose values, and those whose gradients, a rank holds: what it computes, receives, or
  /// reads from the input.
  private static func held(
    in network: Network, computed: [Range<Int>], plan: CommunicationPlan, gradientOwners: [Int],
    rank: Int
  ) -> ([HeldBoxes], [HeldBoxes]) {
    let forward = CommunicationPlan.Phase.forward
    var received = [[Int]: [Int]]()
    for transfer in plan.transfers where transfer.target == rank {
      received[[transfer.phase, transfer.value], default: []].append(transfer.box)
    }
    for item in network.layers where item.source == 0 {
      let rows = computed[item.target]
      let entries = item.layer.pattern.rowStarts
      received[[forward.rawValue, 0], default: []] +=
        item.layer.pattern.sources[entries[rows.lowerBound]..<entries[rows.upperBound]]
        .map { Int($0) }
    }
    func boxes(_ phase: CommunicationPlan.Phase, _ value: Int) -> HeldBoxes {
      let layout = network.values[value].layout
      if plan.gathers.contains(where: { $0.phase == phase && $0.subject == value }) {
        return HeldBoxes(0..<layout.boxCount, of: layout)
      }
      return HeldBoxes(
        computed[value], and: received[[phase.rawValue, value]] ?? [], of: layout)
    }
    let gradients = network.values.indices.map { boxes(.backward, $0) }
    return (
      network.values.indices.map { boxes(forward, $0) }, gradientOwners.map { gradients[$0] }
    )
  }
}
