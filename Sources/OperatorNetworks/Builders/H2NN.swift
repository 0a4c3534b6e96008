import BlockSparse
public import ClusterTrees

extension Network {
  /// Builds the network of FMM-NET.
  ///
  /// Sushnikova et al., equations 2 to 4. Near field and bridges have K layers with an activation after all but the last; transfers are
  /// linear; every layer has a bias. Where sources and receivers differ, the first layer of a bridge
  /// leads from sources to receivers, and the following ones use the receivers' own lists, in which a
  /// box without far boxes sees itself, so that the output of the first layer is not lost.
  ///
  /// With a skeleton a box has as many channels as its basis has columns, that of the sources before the
  /// first layer of a bridge, that of the receivers behind it; a box with no far box at or above it has
  /// no basis and no channels.
  static func h2nn(
    _ options: NetworkOptions, sources: PointSet, receivers: PointSet?, skeleton: Skeleton? = nil
  ) throws -> Network {
    let (sourceTree, targetTree) = try trees(options, sources: sources, receivers: receivers)
    let lists = try InteractionLists.admissible(
      receivers: targetTree ?? sourceTree, sources: sourceTree,
      admissibility: options.admissibility)
    let later = try targetTree.map {
      try InteractionLists.admissible(
        receivers: $0, sources: $0, admissibility: options.admissibility)
    }
    let trees = (sourceTree, targetTree ?? sourceTree)
    let coarsest = lists.far.firstIndex { $0.entryCount > 0 } ?? trees.1.levels + 1
    let ranks = try options.skeleton.map { kernel in
      try skeleton
        ?? Skeleton(
          kernel, tolerance: options.tolerance ?? Skeleton.usualTolerance,
          limit: options.rankLimit, sources: trees.0, receivers: trees.1, lists)
    }
    try ranks?.check(sources: trees.0, receivers: trees.1, lists)
    var network = HierarchicalWiring(
      sources: trees.0, receivers: trees.1, options: options, skeleton: ranks, coarsest: coarsest,
      near: { k in
        let boxes = k == 1 ? trees.0 : trees.1
        return .lists(
          k == 1 ? lists.near : (later ?? lists).near,
          sourceCount: boxes.boxCount(level: boxes.levels))
      },
      bridge: { level, k in
        guard lists.far[level].entryCount > 0 else { return nil }
        return .lists(
          k == 1
            ? lists.far[level] : later.map { withoutEmptyRows($0.far[level]) } ?? lists.far[level],
          sourceCount: (k == 1 ? trees.0 : trees.1).boxCount(level: level))
      },
      transfers: .own, bridgeEndsWithActivation: false
    ).build()
    network.skeleton = ranks
    return network
  }

  /// Lets each box without sources see itself.
  private static func withoutEmptyRows(_ lists: BoxLists) -> BoxLists {
    var offsets = [0]
    var indices: [Int32] = []
    for target in 0..<lists.targetCount {
      let sources = lists.sources(of: target)
      indices += sources.isEmpty ? [Int32(target)] : sources
      offsets.append(indices.count)
    }
    return BoxLists(offsets: offsets, indices: indices)
  }

  /// Builds the cluster trees of the inputs and, where they lie elsewhere, of the outputs.
  ///
  /// Two trees have as many levels as the shallower one would have alone, and both are halved by count, also
  /// on grids, so that boxes of a level are about as large in both.
  ///
  /// - Parameters:
  ///   - options: The leaf size or the levels; if neither is given they are chosen.
  ///   - sources: The points of the inputs.
  ///   - receivers: The points of the outputs.
  /// - Returns: The trees; one if all points are the same.
  /// - Throws: ``NetworkError`` if the points do not split that way.
  public static func trees(
    _ options: NetworkOptions, sources: PointSet, receivers: PointSet?
  ) throws(NetworkError) -> (sources: ClusterTree, receivers: ClusterTree?) {
    let settled = try options.settled(sources: sources, receivers: receivers)
    do {
      return try settledTrees(settled, sources: sources, receivers: receivers)
    } catch {
      throw NetworkError(error.message)
    }
  }

  private static func settledTrees(
    _ options: NetworkOptions, sources: PointSet, receivers: PointSet?
  ) throws(ClusterTreeError) -> (sources: ClusterTree, receivers: ClusterTree?) {
    guard let receivers, receivers != sources else { return (try tree(options, sources), nil) }
    let (leaf, given) = (options.levels == nil ? options.leaf : nil, options.levels)
    let first = try ClusterTree.bisection(sources, leaf: leaf, levels: given)
    let second = try ClusterTree.bisection(receivers, leaf: leaf, levels: given)
    let levels = min(first.levels, second.levels)
    return (
      first.levels == levels ? first : try .bisection(sources, leaf: nil, levels: levels),
      second.levels == levels ? second : try .bisection(receivers, leaf: nil, levels: levels)
    )
  }

  /// Builds the cluster tree of a grid or a cloud.
  ///
  /// - Parameters:
  ///   - options: The leaf size or the levels, settled for the points.
  ///   - points: The points.
  /// - Returns: The tree.
  /// - Throws: `ClusterTreeError` if the points do not split that way.
  static func tree(
    _ options: NetworkOptions, _ points: PointSet
  ) throws(ClusterTreeError) -> ClusterTree {
    func build(_ leaf: Int?, _ levels: Int?) throws(ClusterTreeError) -> ClusterTree {
      guard points.gridShape != nil else {
        return try .bisection(points, leaf: leaf, levels: levels)
      }
      do {
        return try .uniform(points, leaf: leaf, levels: levels)
      } catch {
        throw ClusterTreeError(
          message: "\(error.message); without `leaf` and `levels` they are chosen from the grid")
      }
    }
    guard let levels = options.levels, let leaf = options.leaf else {
      return try build(options.leaf, options.levels)
    }
    let tree = try build(leaf, nil)
    guard tree.levels == levels else {
      throw ClusterTreeError(
        message: "leaves of \(leaf) points give \(tree.levels) levels, not \(levels): "
          + "give one of `leaf` and `levels`")
    }
    return tree
  }
}
