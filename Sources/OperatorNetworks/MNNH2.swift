import BlockSparse
import ClusterTrees

extension Network {
  /// Builds the network MNN-H² on a grid.
  ///
  /// Fan et al. 2019, algorithms 3 and 4. Windows span 3 boxes in the near field, 5 on level 2 and 7 below; all layers of a bridge have an
  /// activation, and all of the near field but the last; transfers are linear (as in the authors'
  /// program). With `mix`, transfers have own weights, bridges and near field share by offset, and in
  /// one dimension the last layer of the near field has own weights.
  static func mnnH2(_ options: NetworkOptions, points: PointSet) throws -> Network {
    guard points.gridShape != nil else {
      throw NetworkError("--model mnn-h2 needs a uniform grid; use h2nn for clouds of points")
    }
    let tree = try Network.tree(options, points)
    guard tree.levels >= 2 else {
      throw NetworkError(
        "--model mnn-h2 needs at least 2 levels below the root, found \(tree.levels): "
          + "use a smaller --leaf")
    }
    let periodic = options.boundary == .periodic
    let nearBand = try Band.band(tree, level: tree.levels, width: 1, periodic: periodic)
    var bands: [Band] = []
    for level in 2...tree.levels {
      bands.append(
        try Band.band(tree, level: level, width: level == 2 ? 2 : 3, periodic: periodic))
    }
    let shared: Sharing = options.sharing == .own ? .own : .offset
    let lastNear: Sharing =
      options.sharing == .own || (options.sharing == .mix && points.dimension == 1)
      ? .own : .offset
    return HierarchicalWiring(
      sources: tree, receivers: tree, options: options, coarsest: 2,
      near: { k in .band(nearBand, sharing: k == options.layers ? lastNear : shared) },
      bridge: { level, _ in .band(bands[level - 2], sharing: shared) },
      transfers: options.sharing == .offset ? .offset : .own, bridgeEndsWithActivation: true
    ).build()
  }
}
