import BlockKernels
import BlockSparse
public import OperatorNetworks

/// What one tree rank holds and computes.
public struct RankLoad: Sendable, Equatable {
  /// The parameters that it holds: those of its rows, and those that are shared or replicated.
  public private(set) var parameters = 0
  /// The channels that it computes, over all values.
  public private(set) var channels = 0
  /// The floating-point operations of its products for one sample of a step: forward, and both gradients.
  public private(set) var flopsPerSample = 0

  /// Adds up the loads of all ranks.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  /// - Returns: For each rank its load.
  public static func all(_ network: Network, _ partition: TreePartition) -> [RankLoad] {
    var loads = [RankLoad](repeating: RankLoad(), count: partition.rankCount)
    for (slice, boxes) in zip(network.slices, partition.slices) {
      let shape = slice.shape
      guard shape.rowsOwnWeights else {
        for rank in loads.indices { loads[rank].parameters += shape.parameterCount }
        continue
      }
      for (rank, rows) in ranges(boxes).enumerated() {
        var load = RankLoad()
        load.parameters = shape.weights(of: rows).count + shape.biases(of: rows).count
        add(load, to: &loads, boxes, rank)
      }
    }
    for item in network.layers {
      let layer = item.layer
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      for (rank, rows) in ranges(target).enumerated() {
        var work = 0
        for row in rows { work += layer.rowWork(row) }
        // The forward product belongs to targets; so does the gradient of the weights, unless they are transposed.
        var load = RankLoad()
        load.flopsPerSample = item.isTransposed ? 2 * work : 4 * work
        add(load, to: &loads, target, rank)
      }
      guard item.source != 0 || item.isTransposed else { continue }
      // The gradient of the input belongs to sources, and that of transposed weights.
      let products = (item.source != 0 ? 1 : 0) + (item.isTransposed ? 1 : 0)
      var work = [Int](repeating: 0, count: source.boxCount)
      for row in 0..<layer.pattern.targetCount {
        for entry in layer.pattern.entries(of: row) {
          let box = Int(layer.pattern.sources[entry])
          work[box] +=
            2 * products * layer.target.channels(of: row) * layer.source.channels(of: box)
        }
      }
      for (rank, boxes) in ranges(source).enumerated() {
        var load = RankLoad()
        load.flopsPerSample = work[boxes].reduce(0, +)
        add(load, to: &loads, source, rank)
      }
      if layer.blockActivation != .identity {
        for rank in loads.indices {
          loads[rank].flopsPerSample += repeatedFlops(
            layer, rows: target.computed(by: rank), sources: source.computed(by: rank))
        }
      }
    }
    for (value, boxes) in zip(network.values, partition.values) {
      for (rank, range) in ranges(boxes).enumerated() {
        var load = RankLoad()
        load.channels =
          value.layout.starts[range.upperBound] - value.layout.starts[range.lowerBound]
        add(load, to: &loads, boxes, rank)
      }
    }
    return loads
  }

  /// The operations for blocks of other ranks' rows: the owner of the source computes their products again, since a
  /// function follows them.
  private static func repeatedFlops(
    _ layer: BlockSparseLayer, rows: Range<Int>, sources: Range<Int>
  ) -> Int {
    var flops = 0
    for row in 0..<layer.pattern.targetCount where !rows.contains(row) {
      for entry in layer.pattern.entries(of: row) {
        let box = Int(layer.pattern.sources[entry])
        guard sources.contains(box) else { continue }
        flops += 2 * layer.target.channels(of: row) * layer.source.channels(of: box)
      }
    }
    return flops
  }

  /// Returns the boxes of each rank, or one range of all boxes if every rank computes these.
  private static func ranges(_ boxes: BoxPartition) -> [Range<Int>] {
    boxes.isReplicated ? [0..<boxes.boxCount] : (0..<boxes.rankCount).map { boxes.range(of: $0) }
  }

  private static func add(
    _ load: RankLoad, to loads: inout [RankLoad], _ boxes: BoxPartition, _ rank: Int
  ) {
    for index in boxes.isReplicated ? loads.indices : rank..<rank + 1 {
      loads[index].parameters += load.parameters
      loads[index].channels += load.channels
      loads[index].flopsPerSample += load.flopsPerSample
    }
  }
}
