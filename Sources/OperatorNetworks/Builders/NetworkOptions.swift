public import BlockKernels
import BlockSparse
public import ClusterTrees

/// Which network.
public enum Model: String, CaseIterable, Sendable, Codable {
  /// FMM-NET's network: patterns from admissibility, own weights.
  case h2nn
  /// The multiscale network on nested bases of Fan et al. 2019.
  case mnnH2 = "mnn-h2"
  /// The multiscale network on hierarchical matrices of Fan et al. 2018, without nested bases.
  case mnnH = "mnn-h"
  /// A linear map with the structure of the fast multipole method (GFMM block).
  case gfmm
  /// Plain convolutions over the points.
  case conv
  /// Fully connected layers.
  case dense
}

/// How the layers of MNN-H², MNN-H and GFMM share weights.
public enum NetworkSharing: String, CaseIterable, Sendable, Codable {
  /// Own blocks everywhere (the papers' LC).
  case own
  /// Blocks by relative offset everywhere (the papers' CNN).
  case offset
  /// Own blocks for transfers and the last layer of the near field, by offset otherwise (Mix).
  case mix
}

/// What lies beyond the ends of a grid.
public enum Boundary: String, CaseIterable, Sendable, Codable {
  /// The other end.
  case periodic
  /// Zeros.
  case zero
}

/// The model and its sizes.
public struct NetworkOptions: Sendable, Equatable, Codable {
  /// Which network.
  public var model = Model.h2nn
  /// How MNN-H², MNN-H and GFMM share weights.
  public var sharing = NetworkSharing.own
  /// Which boxes see each other in `gfmm`; ``BridgePattern/usual`` if nil.
  public var bridges: BridgePattern?
  /// r: the channels of a box, or of a point for `conv`.
  public var channels = 6
  /// The channels of the boxes above the leaves, level by level upwards, the last number for all further levels; r
  /// if nil.
  public var coarseChannels: [Int]?
  /// The kernel whose H²-matrix says how many channels each box of `h2nn` has; r everywhere if nil.
  public var skeleton: SkeletonKernel?
  /// ε: a basis of the skeleton leaves out singular values up to ε times the largest; 1e-3 if nil.
  public var tolerance: Double?
  /// The most channels of a box with a skeleton; no limit if nil.
  public var rankLimit: Int?
  /// K or ζ: the layers of each bridge, of the near field, of `conv` and of `dense`.
  public var layers = 3
  /// The points of a leaf, in each dimension on grids; if nil it follows from the levels, or from the grid.
  public var leaf: Int?
  /// The levels below the root; if nil they follow from the leaf, or from the grid.
  public var levels: Int?
  /// ϱ: boxes are far if their centres are more than ϱ sides apart.
  public var admissibility = 1.9
  /// What lies beyond the ends of the grid, for `mnn-h2`, `mnn-h`, `gfmm` and `conv`.
  public var boundary = Boundary.zero
  /// Whether a layer without activation stands beside each bridge and the near field.
  public var linearPath = false
  /// f.
  public var activation = Activation.elu
  /// The function h of each block (FMM-NET, equation 4), in near field and bridges.
  public var blockActivation = Activation.identity
  /// The hidden channels of the small network that stands for each block in near field and bridges; if nil
  /// the blocks are matrices.
  public var blockWidth: Int?
  /// K′: the layers of each transfer; one if nil.
  public var transferLayers: Int?
  /// The function of the transfers; if nil the identity, or f if they have several layers.
  public var transferActivation: Activation?
  /// The hidden channels of `dense`; as many as points if nil.
  public var width: Int?

  /// Creates the default options.
  public init() {}

  /// Whether the network does the same at each box: weights by offset, and no ends.
  public var isTheSameEverywhere: Bool {
    switch model {
    case .mnnH2, .mnnH, .gfmm: sharing == .offset && boundary == .periodic
    case .conv: boundary == .periodic
    case .h2nn, .dense: false
    }
  }

  /// Returns the channels of the boxes of a level.
  ///
  /// - Parameters:
  ///   - level: The level.
  ///   - leaves: The level of the leaves.
  /// - Returns: r on the level of the leaves.
  func channels(level: Int, leaves: Int) -> Int {
    guard let coarseChannels, let last = coarseChannels.last, level < leaves else {
      return channels
    }
    let above = leaves - level - 1
    return above < coarseChannels.count ? coarseChannels[above] : last
  }

  /// K′ and the function of the transfers.
  var transfers: (layers: Int, activation: Activation) {
    let layers = transferLayers ?? 1
    return (layers, transferActivation ?? (layers > 1 ? activation : .identity))
  }
}

extension Network {
  /// Builds a network.
  ///
  /// - Parameters:
  ///   - options: What to build.
  ///   - sources: The points of the input.
  ///   - receivers: The points of the output; those of the input if nil.
  ///   - skeleton: The channels of the boxes, if the options ask for a skeleton; computed if nil.
  /// - Returns: The network.
  /// - Throws: ``NetworkError`` if the model or the skeleton does not fit the points.
  public static func build(
    _ options: NetworkOptions, sources: PointSet, receivers: PointSet? = nil,
    skeleton: Skeleton? = nil
  ) throws(NetworkError) -> Network {
    let sizes = [
      ("channels", options.channels), ("layers", options.layers), ("width", options.width ?? 1),
      ("blockWidth", options.blockWidth ?? 1), ("transferLayers", options.transferLayers ?? 1),
      ("coarseChannels", options.coarseChannels?.min() ?? 1),
    ]
    for (name, value) in sizes where value < 1 {
      throw NetworkError("`\(name)` \(value): at least 1 is needed")
    }
    try options.checkParts()
    try options.checkLinear()
    try options.checkSkeleton()
    let options = try options.settled(sources: sources, receivers: receivers)
    do {
      switch options.model {
      case .h2nn:
        return try h2nn(options, sources: sources, receivers: receivers, skeleton: skeleton)
      case .mnnH2: return try mnnH2(options, points: try common(options, sources, receivers))
      case .mnnH: return try mnnH(options, points: try common(options, sources, receivers))
      case .gfmm: return try gfmm(options, points: try common(options, sources, receivers))
      case .conv: return try convolution(options, points: try common(options, sources, receivers))
      case .dense: return dense(options, sources: sources, receivers: receivers ?? sources)
      }
    } catch let error as ClusterTreeError {
      throw NetworkError(error.message)
    } catch let error as NetworkError {
      throw error
    } catch {
      throw NetworkError(internal: error)
    }
  }

  private static func common(
    _ options: NetworkOptions, _ sources: PointSet, _ receivers: PointSet?
  ) throws(NetworkError) -> PointSet {
    guard receivers == nil || receivers == sources else {
      throw NetworkError(
        "`model` \(options.model.rawValue) needs inputs and outputs at the same points; use h2nn")
    }
    return sources
  }
}

extension NetworkOptions {
  /// Throws if an option belongs to a part that the model does not have.
  fileprivate func checkParts() throws(NetworkError) {
    if model == .mnnH && transferActivation != nil && transfers.layers == 1 {
      throw NetworkError(
        "`transferActivation` with `model` mnn-h: its transfers lead from and to points and end "
          + "without a function; give 2 `transferLayers` or more")
    }
    if coarseChannels != nil && skeleton != nil {
      throw NetworkError("`coarseChannels` and `skeleton` both say how many channels boxes have")
    }
    guard model == .conv || model == .dense else { return }
    let names = [
      ("coarseChannels", coarseChannels != nil),
      ("blockWidth", blockWidth != nil), ("transferLayers", transferLayers != nil),
      ("transferActivation", transferActivation != nil),
    ]
    for (name, isGiven) in names where isGiven {
      throw NetworkError(
        "`\(name)` with `model` \(model.rawValue): it has neither bridges nor transfers; "
          + "use h2nn, mnn-h2 or mnn-h")
    }
  }
}

extension NetworkOptions {
  /// The settings that differ from the defaults and mean nothing to the model, by name.
  ///
  /// They are no errors: runs that exist can be continued.
  public var unused: [String] {
    let standard = NetworkOptions()
    let withLayers: [Model] = [.h2nn, .mnnH2, .mnnH]
    let onTrees = withLayers + [.gfmm]
    let settings: [(name: String, isGiven: Bool, models: [Model])] = [
      ("sharing", sharing != standard.sharing, [.mnnH2, .mnnH, .gfmm]),
      ("bridges", bridges != nil, [.gfmm]),
      ("channels", channels != standard.channels, onTrees + [.conv]),
      ("leaf", leaf != nil, onTrees + [.conv]), ("levels", levels != nil, onTrees),
      ("admissibility", admissibility != standard.admissibility, [.h2nn]),
      ("layers", layers != standard.layers, withLayers + [.conv, .dense]),
      ("boundary", boundary != standard.boundary, [.mnnH2, .mnnH, .gfmm, .conv]),
      ("linearPath", linearPath, withLayers),
      ("blockActivation", blockActivation != standard.blockActivation, withLayers),
      ("width", width != nil, [.dense]),
    ]
    return settings.filter { $0.isGiven && !$0.models.contains(model) }.map(\.name)
  }

  /// A remark on settings that mean nothing to the model; nil if there are none.
  public var unusedRemark: String? {
    guard !unused.isEmpty else { return nil }
    let names = unused.map { "`\($0)`" }.joined(separator: ", ")
    return "\(names): not used by `model` \(model.rawValue)"
  }

  /// Returns a remark if a network on a tree has no far field, as on few points.
  ///
  /// - Parameter network: The network that the options give.
  /// - Returns: The remark; nil if there is a far field, or no tree.
  public func farFieldRemark(on network: Network) -> String? {
    guard model != .conv, model != .dense,
      !network.layers.contains(where: { $0.layer.name.hasPrefix("bridge.") })
    else { return nil }
    return
      "no two boxes of the tree are far from each other: the network is a dense near field without a far "
      + "field; more points, a smaller `leaf`, more `levels` or a smaller `admissibility` give one"
  }
}
