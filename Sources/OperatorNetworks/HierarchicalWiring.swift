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
  /// Who owns the weights of the transfers.
  let transfers: Sharing
  /// Whether a bridge's last layer has an activation.
  let bridgeEndsWithActivation: Bool

  /// Builds the graph: near field, up-sweep, bridges, down-sweep.
  func build() -> Network {
    let leaves = receivers.levels
    let leafSources = Self.leafLayout(sources)
    let leafReceivers = Self.leafLayout(receivers)
    var builder = NetworkBuilder(input: leafSources)

    let nearField = chain(
      &builder, "near", from: 0, to: leafReceivers, pattern: near, endsWithActivation: false)
    let order = (sources.order, receivers.order)
    guard coarsest <= leaves else {
      return builder.finish(output: nearField, inputOrder: order.0, outputOrder: order.1)
    }

    // Up-sweep: ξ of each level, from the leaves to the coarsest level with a bridge.
    var multipoles = [Int](repeating: 0, count: leaves + 1)
    multipoles[leaves] = add(
      &builder, "restriction.leaf", from: 0, to: sourceLayout(leaves),
      pattern: .diagonal(sources.boxCount(level: leaves), sharing: transfers))
    let places = (Self.places(sources), Self.places(receivers))
    for level in stride(from: leaves - 1, through: coarsest, by: -1) {
      multipoles[level] = add(
        &builder, "restriction.\(level)", from: multipoles[level + 1],
        to: sourceLayout(level),
        pattern: .childrenToParents(sources, level: level, sharing: transfers),
        places: places.0[level])
    }

    // Bridges: ζ of each level.
    var bridged: [Int: Int] = [:]
    for level in coarsest...leaves {
      guard bridge(level, 1) != nil else { continue }
      bridged[level] = chain(
        &builder, "bridge.\(level)", from: multipoles[level],
        to: receiverLayout(level),
        pattern: { k in bridge(level, k) ?? .diagonal(1, sharing: .own) },
        endsWithActivation: bridgeEndsWithActivation, places: places.1[level])
    }

    // Down-sweep: χ gathers the bridges on its way to the leaves.
    var local: Int? = bridged[coarsest]
    for level in coarsest..<leaves {
      guard let parent = local else { continue }
      local = add(
        &builder, "interpolation.\(level)", from: parent,
        to: receiverLayout(level + 1),
        pattern: .parentsToChildren(receivers, level: level, sharing: transfers),
        adding: bridged[level + 1], places: places.1[level + 1])
    }
    let output = add(
      &builder, "interpolation.leaf", from: local ?? 0, to: leafReceivers,
      pattern: .diagonal(receivers.boxCount(level: leaves), sharing: transfers),
      adding: nearField)
    return builder.finish(output: output, inputOrder: order.0, outputOrder: order.1)
  }

  /// Adds K layers, and beside them the linear path if it is asked for.
  private func chain(
    _ builder: inout NetworkBuilder, _ name: String, from source: Int, to layout: BoxLayout,
    pattern: (Int) -> BlockPattern, endsWithActivation: Bool, places: [Int]? = nil
  ) -> Int {
    var value = source
    for k in 1...options.layers {
      let isLinear = k == options.layers && !endsWithActivation
      // Between receivers nothing must be lost of what the first layer brought.
      value = add(
        &builder, "\(name).\(k)", from: value, to: layout, pattern: pattern(k),
        activation: isLinear ? .identity : options.activation,
        blockActivation: options.blockActivation, places: places,
        seesItself: k > 1 && sources != receivers)
    }
    guard options.linearPath else { return value }
    return add(
      &builder, "\(name).linear", from: source, to: layout, pattern: pattern(1), adding: value,
      places: places)
  }

  /// Adds a layer; boxes without channels stand in no pattern.
  private func add(
    _ builder: inout NetworkBuilder, _ name: String, from source: Int, to target: BoxLayout,
    pattern: BlockPattern, activation: Activation = .identity,
    blockActivation: Activation = .identity, adding addend: Int? = nil, places: [Int]? = nil,
    seesItself: Bool = false
  ) -> Int {
    let kept =
      skeleton == nil
      ? pattern
      : pattern.withoutEmptyBoxes(
        builder.layout(of: source), target, seesItself: seesItself)
    return builder.add(
      name, from: source, to: target, pattern: kept, activation: activation,
      blockActivation: blockActivation, adding: addend, places: places)
  }

  /// The boxes of the sources on a level, with the channels of their expansions.
  private func sourceLayout(_ level: Int) -> BoxLayout {
    skeleton.map { BoxLayout(channels: $0.sources[level]) }
      ?? BoxLayout(boxes: sources.boxCount(level: level), channels: options.channels)
  }

  /// The boxes of the receivers on a level, with the channels of their expansions.
  private func receiverLayout(_ level: Int) -> BoxLayout {
    skeleton.map { BoxLayout(channels: $0.receivers[level]) }
      ?? BoxLayout(boxes: receivers.boxCount(level: level), channels: options.channels)
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
