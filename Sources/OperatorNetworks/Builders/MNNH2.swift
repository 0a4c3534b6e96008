import BlockSparse
import ClusterTrees

extension Network {
  /// Builds the network MNN-H² on a grid.
  ///
  /// Fan et al. 2019, algorithms 3 and 4, with the windows of ``MultiscaleWindows``. All layers of a bridge have an
  /// activation, and all of the near field but the last; transfers are linear unless the options say
  /// otherwise (as in the authors' program).
  static func mnnH2(_ options: NetworkOptions, points: PointSet) throws -> Network {
    let windows = try MultiscaleWindows(options, points: points)
    return HierarchicalWiring(
      sources: windows.tree, receivers: windows.tree, options: options, coarsest: 2,
      near: windows.near, bridge: { level, _ in windows.bridge(level) },
      transfers: windows.transfers, bridgeEndsWithActivation: true
    ).build()
  }
}
