import BlockSparse
import ClusterTrees

extension Network {
  /// Builds the network MNN-H on a grid.
  ///
  /// Fan et al. 2018 (arXiv 1807.01883): u = near(v) + Σ I_ℓ[bridge_ℓ[R_ℓ v]] over the levels ℓ = 2 … L.
  /// The restriction R_ℓ leads from the points of a box of level ℓ to its r channels and the interpolation
  /// I_ℓ back, both linear; in between are K layers with activation, over the windows of
  /// ``MultiscaleWindows``. Near field and bridges are those of MNN-H².
  static func mnnH(_ options: NetworkOptions, points: PointSet) throws -> Network {
    let windows = try MultiscaleWindows(options, points: points)
    let (tree, sharing) = (windows.tree, windows.transfers)
    let (leaves, layout) = (tree.levels, HierarchicalWiring.leafLayout(tree))
    let places = HierarchicalWiring.places(tree)
    var builder = NetworkBuilder(input: layout)
    var sum = builder.addChain(
      "near", from: 0, to: layout, options: options, pattern: windows.near,
      endsWithActivation: false)
    for level in 2...leaves {
      let boxes = BoxLayout(
        boxes: tree.boxCount(level: level),
        channels: options.channels(level: level, leaves: leaves))
      let restricted = builder.addRestriction(
        "restriction.\(level)", from: 0, to: boxes, options: options,
        pattern: .descendantsToAncestors(tree, from: leaves, to: level, sharing: sharing),
        sharing: sharing, isLeaf: true, places: places[level])
      let bridged = builder.addChain(
        "bridge.\(level)", from: restricted, to: boxes, options: options,
        pattern: { _ in windows.bridge(level) }, endsWithActivation: true, places: places[level])
      sum = builder.addInterpolation(
        "interpolation.\(level)", from: bridged, to: layout, options: options,
        pattern: .ancestorsToDescendants(tree, from: level, to: leaves, sharing: sharing),
        sharing: sharing, isLeaf: true, adding: sum)
    }
    return builder.finish(output: sum, inputOrder: tree.order, outputOrder: tree.order)
  }
}
