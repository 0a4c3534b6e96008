import BlockKernels
import BlockSparse
import ClusterTrees

extension Network {
  /// Builds the network of a GFMM block, a linear map with the structure of the fast multipole method.
  ///
  /// y = (D + N + Σ_ℓ U_ℓ S_ℓ V_ℓᵀ) x with nested bases U and V, without biases and functions. The bridges S_ℓ stand on
  /// the levels 1 to L − 1, the near field N between leaves, both with the pattern of ``BridgePattern``. The paper's
  /// program has one more bridge at the root, which adds nothing to a full one on level 1 and has to be zero in a
  /// triangular matrix; here there is none.
  ///
  /// With weights by offset D, U and V are the same for all boxes of a level, and a level's bridge has one block for each
  /// offset: each term is a block Toeplitz matrix with blocks of the boxes of its level, and block circulant if
  /// the grid is periodic.
  static func gfmm(_ options: NetworkOptions, points: PointSet) throws -> Network {
    let bridges = options.bridges ?? .usual
    guard points.gridShape != nil else {
      throw NetworkError("`model` gfmm needs a uniform grid; use h2nn for clouds of points")
    }
    try options.checkBridges(bridges, dimension: points.dimension)
    let tree = try Network.tree(options, points)
    guard tree.hasEqualLeaves || !options.needsEqualLeaves else {
      throw NetworkError(
        "`sharing` offset needs equal leaves, and the grid is no multiple of 2^\(tree.levels) points in each "
          + "dimension: use `sharing` own, or `leaf` or `levels` that divide it")
    }
    let channels = (0...tree.levels).map { options.channels(level: $0, leaves: tree.levels) }
    if let pattern = bridges.factor {
      return try FactorStructure(tree: tree, pattern: pattern, channels: channels).forwardNetwork()
    }
    try LinearHierarchy.check(channels: channels, tree)
    var levels: [Int: BlockPattern] = [:]
    for level in 1..<max(1, tree.levels) {
      levels[level] = try bridges.pattern(tree, level: level, options, isNear: false)
    }
    return LinearHierarchy(
      tree: tree, channels: channels, coarsest: levels.isEmpty ? nil : 1,
      sharing: options.sharing == .offset ? .offset : .own,
      near: try bridges.pattern(tree, level: tree.levels, options, isNear: true),
      bridge: { levels[$0] }
    ).network()
  }
}

extension NetworkOptions {
  /// Throws if a pattern of bridges does not fit the dimension, the sharing or the boundary.
  fileprivate func checkBridges(
    _ bridges: BridgePattern, dimension: Int
  ) throws(NetworkError) {
    let name = "`bridges` \(bridges.rawValue)"
    guard bridges != .blog || dimension == 1 else {
      throw NetworkError(
        "\(name) leaves blocks of a matrix in \(dimension) dimensions without parameters: use strictly-lower, "
          + "strong or weak")
    }
    guard sharing != .mix else {
      throw NetworkError("`sharing` mix with `model` gfmm: needed is own or offset")
    }
    guard sharing == .own || bridges.factor == nil else {
      let other = bridges == .blog ? "strictly-lower" : "strictly-lower or tridiagonal"
      throw NetworkError(
        "\(name) has no weights by offset, as its blocks differ: use `sharing` own, or `bridges` \(other)"
      )
    }
    guard boundary == .zero || (bridges.factor == nil && bridges.seesItself) else {
      throw NetworkError(
        "\(name) is triangular, and on a `boundary` that is periodic no box is the first one: use `boundary` "
          + "zero, or `bridges` lower-bidiagonal or tridiagonal")
    }
    guard dimension == 1 || !bridges.isOneSided || (sharing == .own && boundary == .zero) else {
      throw NetworkError(
        "\(name) in \(dimension) dimensions: which of two neighbours comes first is not a matter of their offset; "
          + "use `sharing` own and `boundary` zero, or `bridges` tridiagonal or pentadiagonal")
    }
  }

  /// Throws if an option asks `gfmm`, which is linear, for functions or more layers.
  func checkLinear() throws(NetworkError) {
    guard model == .gfmm else { return }
    let isGiven = activation != .identity && activation != NetworkOptions().activation
    let names = [
      ("activation", isGiven), ("blockActivation", blockActivation != .identity),
      ("blockWidth", blockWidth != nil), ("transferLayers", transferLayers != nil),
      ("transferActivation", transferActivation != nil),
    ]
    for (name, isGiven) in names where isGiven {
      throw NetworkError(
        "`\(name)` with `model` gfmm: it is linear, one matrix for each block; use h2nn, mnn-h2 or mnn-h"
      )
    }
  }
}
