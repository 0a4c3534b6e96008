import BlockSparse

/// What one tree rank holds and computes.
public struct RankLoad: Sendable, Equatable {
  /// The parameters that it holds: those of its rows, and those that are shared or replicated.
  public let parameters: Int
  /// The channels that it computes, over all values.
  public let channels: Int
  /// The floating-point operations of its products for one sample of a step: forward, and both gradients.
  public let flopsPerSample: Int

  /// Adds up the load of a rank.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  ///   - rank: The rank.
  public init(_ network: Network, _ partition: TreePartition, rank: Int) {
    var (parameters, flops) = (0, 0)
    for item in network.layers {
      let layer = item.layer
      let rows = partition.values[item.target].computed(by: rank)
      let work = rows.reduce(0) { $0 + layer.rowWork($1) }
      // The forward product and the gradient of the weights belong to rows.
      flops += 4 * work
      if !layer.rowsOwnWeights {
        parameters += layer.parameterCount
      } else {
        parameters += work + rows.reduce(0) { $0 + layer.target.channels(of: $1) }
      }
      guard item.source != 0 else { continue }
      // The gradient of the input belongs to sources.
      let sources = partition.values[item.source].computed(by: rank)
      for row in 0..<layer.pattern.targetCount {
        for entry in layer.pattern.entries(of: row)
        where sources.contains(Int(layer.pattern.sources[entry])) {
          flops +=
            2 * layer.target.channels(of: row)
            * layer.source.channels(of: Int(layer.pattern.sources[entry]))
        }
      }
    }
    self.parameters = parameters
    channels = network.values.indices.reduce(0) { sum, value in
      let boxes = partition.values[value].computed(by: rank)
      let starts = network.values[value].layout.starts
      return sum + starts[boxes.upperBound] - starts[boxes.lowerBound]
    }
    flopsPerSample = flops
  }
}
