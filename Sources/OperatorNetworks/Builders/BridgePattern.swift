import BlockSparse
import ClusterTrees

/// Which boxes of a level see each other in the network GFMM.
///
/// The near field of the leaves has the same pattern, and always the blocks of leaves with themselves. In one dimension
/// neighbours follow each other. In two and three they are cells that touch, also at an edge or a corner; which of two
/// boxes comes first is a matter of their numbers, in Z-order.
public enum BridgePattern: String, CaseIterable, Sendable, Codable {
  /// ``FactorPattern/weak``: lower triangular; boxes see siblings before them.
  case weak
  /// ``FactorPattern/strong``: lower triangular; near leaves, and interaction lists.
  case strong
  /// ``FactorPattern/blog``: lower triangular, in one dimension; ``strictlyLower`` is the same.
  case blog
  /// A box, and its neighbours.
  case tridiagonal
  /// A box, and the boxes up to two cells away.
  case pentadiagonal
  /// A box, and the neighbours before it. Bridges above the leaves lead from a box to itself, so the blocks inside of
  /// a box of level 1 are filled on both sides of the diagonal.
  case lowerBidiagonal = "lower-bidiagonal"
  /// A box, and the neighbours behind it.
  case upperBidiagonal = "upper-bidiagonal"
  /// The neighbours before a box: the matrix is block lower triangular.
  case strictlyLower = "strictly-lower"
  /// The neighbours behind a box: the matrix is block upper triangular.
  case strictlyUpper = "strictly-upper"

  /// The pattern that is taken if none is given.
  public static let usual = BridgePattern.tridiagonal

  /// The pattern of a triangular factor of the same name, if it is one.
  var factor: FactorPattern? { FactorPattern(rawValue: rawValue) }

  /// How many cells a box sees to each side.
  var width: Int { self == .pentadiagonal ? 2 : 1 }

  /// Whether a box sees itself in the bridges above the leaves.
  var seesItself: Bool { self != .strictlyLower && self != .strictlyUpper }

  /// Whether a box sees boxes on one side only.
  var isOneSided: Bool { self != .tridiagonal && self != .pentadiagonal }

  /// Returns the pattern of a level, with or without the blocks of boxes with themselves.
  ///
  /// - Parameters:
  ///   - tree: A uniform tree.
  ///   - level: The level.
  ///   - options: Who owns weights, and what lies beyond the ends.
  ///   - isNear: Whether it is the near field, whose diagonal is a part of its own.
  /// - Returns: The pattern; nil if it has no entries.
  /// - Precondition: This pattern is none of a factor.
  /// - Throws: `ClusterTreeError` if the tree is not uniform.
  func pattern(
    _ tree: ClusterTree, level: Int, _ options: NetworkOptions, isNear: Bool
  ) throws(ClusterTreeError) -> BlockPattern? {
    precondition(factor == nil, "\(rawValue) has lists of its own")
    let periodic = options.boundary == .periodic
    let band = try Band.band(tree, level: level, width: width, periodic: periodic)
    // Around a ring no box is the first: there the offset decides, with which in one dimension numbers grow.
    let centre = Int32(band.windowCount / 2)
    let pattern = BlockPattern.band(
      band, sharing: options.sharing == .offset ? .offset : .own
    ) { target, source, offset in
      if target == source { return !isNear && seesItself }
      let isBefore = periodic ? offset < centre : source < target
      switch self {
      case .lowerBidiagonal, .strictlyLower: return isBefore
      case .upperBidiagonal, .strictlyUpper: return !isBefore
      case .tridiagonal, .pentadiagonal, .weak, .strong, .blog: return true
      }
    }
    return pattern.entryCount > 0 ? pattern : nil
  }
}
