import BlockKernels
import BlockSparse
import ClusterTrees

/// The parts in which the networks over a cluster tree differ.
struct HierarchicalWiring {
  let sources: ClusterTree
  let receivers: ClusterTree
  let options: NetworkOptions
  /// The channels of each box; r if nil.
  var skeleton: Skeleton?
  /// The coarsest level with a bridge.
  let coarsest: Int
  /// The pattern of the near field's layer k = 1 … K.
  let near: (_ k: Int) -> BlockPattern
  /// The pattern of the layer k = 1 … K of a level's bridge; nil if the level has none.
  let bridge: (_ level: Int, _ k: Int) -> BlockPattern?
  /// How the transfers share weights.
  let transfers: Sharing
  /// Whether a bridge's last layer has an activation.
  let bridgeEndsWithActivation: Bool

  /// Builds the graph: near field, up-sweep, bridges, down-sweep.
  func build() -> Network {
    let leaves = receivers.levels
    let leafSources = Self.leafLayout(sources)
    let leafReceivers = Self.leafLayout(receivers)
    var builder = NetworkBuilder(input: leafSources, skipsEmptyBoxes: skeleton != nil)

    let nearField = builder.addChain(
      "near", from: 0, to: leafReceivers, options: options, pattern: near,
      endsWithActivation: false)
    let order = (sources.order, receivers.order)
    guard coarsest <= leaves else {
      return builder.finish(output: nearField, inputOrder: order.0, outputOrder: order.1)
    }

    // Up-sweep: ξ of each level, from the leaves to the coarsest level with a bridge.
    var multipoles = [Int](repeating: 0, count: leaves + 1)
    multipoles[leaves] = builder.addRestriction(
      "restriction.leaf", from: 0,
      to: sourceLayout(leaves), options: options,
      pattern: .diagonal(sources.boxCount(level: leaves), sharing: transfers),
      sharing: transfers, isLeaf: true)
    let places = (Self.places(sources), Self.places(receivers))
    for level in stride(from: leaves - 1, through: coarsest, by: -1) {
      multipoles[level] = builder.addRestriction(
        "restriction.\(level)", from: multipoles[level + 1],
        to: sourceLayout(level), options: options,
        pattern: .childrenToParents(sources, level: level, sharing: transfers),
        sharing: transfers, isLeaf: false, places: places.0[level])
    }

    // Bridges: ζ of each level.
    var bridged: [Int: Int] = [:]
    for level in coarsest...leaves {
      guard bridge(level, 1) != nil else { continue }
      bridged[level] = builder.addChain(
        "bridge.\(level)", from: multipoles[level],
        to: receiverLayout(level), options: options,
        pattern: { k in bridge(level, k) ?? .diagonal(1, sharing: .own) },
        endsWithActivation: bridgeEndsWithActivation, places: places.1[level])
    }

    // Down-sweep: χ gathers the bridges on its way to the leaves.
    var local: Int? = bridged[coarsest]
    for level in coarsest..<leaves {
      guard let parent = local else { continue }
      local = builder.addInterpolation(
        "interpolation.\(level)", from: parent,
        to: receiverLayout(level + 1), options: options,
        pattern: .parentsToChildren(receivers, level: level, sharing: transfers),
        sharing: transfers, isLeaf: false, adding: bridged[level + 1],
        places: places.1[level + 1])
    }
    let output = builder.addInterpolation(
      "interpolation.leaf", from: local ?? 0, to: leafReceivers, options: options,
      pattern: .diagonal(receivers.boxCount(level: leaves), sharing: transfers),
      sharing: transfers, isLeaf: true, adding: nearField)
    return builder.finish(output: output, inputOrder: order.0, outputOrder: order.1)
  }

  /// The boxes of the sources on a level, with the channels of their expansions.
  private func sourceLayout(_ level: Int) -> BoxLayout {
    skeleton.map { BoxLayout(channels: $0.sources[level]) }
      ?? BoxLayout(
        boxes: sources.boxCount(level: level),
        channels: options.channels(level: level, leaves: sources.levels))
  }

  /// The boxes of the receivers on a level, with the channels of their expansions.
  private func receiverLayout(_ level: Int) -> BoxLayout {
    skeleton.map { BoxLayout(channels: $0.receivers[level]) }
      ?? BoxLayout(
        boxes: receivers.boxCount(level: level),
        channels: options.channels(level: level, leaves: receivers.levels))
  }

  /// For each level: the first leaf under each box, and the number of leaves.
  static func places(_ tree: ClusterTree) -> [[Int]] {
    var places = [Array(0...tree.boxCount(level: tree.levels))]
    for level in stride(from: tree.levels - 1, through: 0, by: -1) {
      let below = places[0]
      let boxes = tree.boxCount(level: level)
      places.insert(
        (0..<boxes).map { below[tree.children(level: level, box: $0).lowerBound] }
          + [below[below.count - 1]], at: 0)
    }
    return places
  }

  /// The boxes of the leaves: one channel for each point.
  static func leafLayout(_ tree: ClusterTree) -> BoxLayout {
    BoxLayout(
      channels: (0..<tree.boxCount(level: tree.levels)).map {
        tree.pointRange(level: tree.levels, box: $0).count
      })
  }
}
