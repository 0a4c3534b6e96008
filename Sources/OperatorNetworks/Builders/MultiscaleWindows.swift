import BlockSparse
import ClusterTrees

/// The tree over a grid and the windows of the networks of Fan et al., MNN-H and MNN-H².
///
/// Windows span 3 boxes in the near field, 5 on level 2 and 7 below, in each dimension. Periodic windows
/// wrap around; on level 2, which has 4 boxes along each dimension, the offsets −2 and +2 lead to the same
/// box, which then is two terms of the sum with a block each.
///
/// Boxes are in Z-order, the bit of the first dimension in front, and the points of a leaf row-major
/// inside of it; so the children of a box stand in row-major order. The blocks of a window are in
/// row-major order of the offsets. The authors' programs keep boxes row-major, and in two dimensions the
/// channels of a transfer down channel-major: against these, weights are permuted.
struct MultiscaleWindows {
  let tree: ClusterTree
  private let options: NetworkOptions
  private let nearBand: Band
  /// From level 2 on.
  private let bands: [Band]

  /// Makes the windows.
  ///
  /// - Parameters:
  ///   - options: The model and its sizes.
  ///   - points: The points of input and output.
  /// - Throws: ``NetworkError`` or `ClusterTreeError` if the points are no grid that splits that way.
  init(_ options: NetworkOptions, points: PointSet) throws {
    let model = options.model.rawValue
    guard points.gridShape != nil else {
      throw NetworkError("`model` \(model) needs a uniform grid; use h2nn for clouds of points")
    }
    tree = try Network.tree(options, points)
    guard tree.levels >= 2 else {
      throw NetworkError(
        "`model` \(model) needs at least 2 levels below the root, found \(tree.levels): "
          + "use a smaller `leaf`")
    }
    guard tree.hasEqualLeaves || !options.needsEqualLeaves else {
      throw NetworkError(
        "`sharing` \(options.sharing.rawValue) needs equal leaves, and the grid is no multiple of "
          + "2^\(tree.levels) points in each dimension: use `sharing` own, or `leaf` or `levels` that divide it"
      )
    }
    let periodic = options.boundary == .periodic
    nearBand = try Band.band(tree, level: tree.levels, width: 1, periodic: periodic)
    var bands: [Band] = []
    for level in 2...tree.levels {
      bands.append(
        try Band.band(tree, level: level, width: level == 2 ? 2 : 3, periodic: periodic))
    }
    self.bands = bands
    self.options = options
  }

  /// How transfers share weights: with `mix` each box has its own.
  var transfers: Sharing { options.sharing == .offset ? .offset : .own }

  /// Returns the pattern of the near field's layer k = 1 … K.
  ///
  /// With `mix` weights are shared by offset, but for the last layer in one dimension, as in the authors'
  /// programs.
  func near(_ k: Int) -> BlockPattern {
    let isOwn =
      options.sharing == .own
      || options.sharing == .mix && tree.points.dimension == 1 && k == options.layers
    return .band(nearBand, sharing: isOwn ? .own : .offset)
  }

  /// Returns the pattern of the layers of a level's bridge; with `mix` weights are shared by offset.
  func bridge(_ level: Int) -> BlockPattern {
    .band(bands[level - 2], sharing: options.sharing == .own ? .own : .offset)
  }
}
