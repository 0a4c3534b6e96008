public import ClusterTrees

/// Which blocks of a triangular factor are dense, and which are products of bases of the cluster tree.
public enum FactorPattern: String, CaseIterable, Sendable, Codable {
  /// Diagonal blocks alone are dense; siblings see each other through bases. Closed under inversion.
  case weak
  /// Blocks of neighbouring leaves are dense; boxes see those of their interaction list through bases.
  case strong
  /// The paper's bridges: leaves see their predecessor, and so do boxes on the levels 1 … L − 1 (GFMM, figure 3). In one
  /// dimension only: in more, some blocks would have no parameters at all.
  case blog
}

/// The blocks of a block-triangular matrix over a cluster tree.
///
/// The unknowns stand in the order of the tree, leaf by leaf. Block (i, j) of leaves j < i is dense if j is in the near
/// list of i. Else it is U_a S_ab V_bᵀ, where a and b are the boxes above i and j on the one level on which b is in the
/// far list of a. U and V are nested: the basis of a box is that of its children times transfers. Blocks above the
/// diagonal are zero.
public struct FactorStructure: Sendable {
  /// The tree of the unknowns.
  public let tree: ClusterTree
  /// The pattern.
  public let pattern: FactorPattern
  /// For each leaf i the leaves j < i with a dense block.
  public let near: BoxLists
  /// For each level and each box a on it the boxes b < a that it sees through bases.
  public let far: [BoxLists]
  /// The number of basis vectors of a box, by level; zeros if there is no far field.
  public let channels: [Int]
  /// The coarsest level with far lists; nil if there are none, or they have no basis vectors.
  public let coarsest: Int?

  /// Makes the lists of a pattern.
  ///
  /// - Parameters:
  ///   - tree: A uniform tree.
  ///   - pattern: The pattern.
  ///   - channels: The number r of basis vectors, for each level from 0 to L or one for all; zero for dense blocks alone.
  /// - Throws: ``NetworkError`` if the tree is not uniform, the pattern does not fit it, or a leaf has fewer unknowns than
  ///   basis vectors.
  public init(
    tree: ClusterTree, pattern: FactorPattern, channels: [Int]
  ) throws(NetworkError) {
    guard tree.isUniform else {
      throw NetworkError("`pattern` \(pattern.rawValue) needs unknowns on a grid, found a cloud")
    }
    guard pattern != .blog || tree.points.dimension == 1 else {
      throw NetworkError(
        "`pattern` blog leaves blocks of a matrix in \(tree.points.dimension) dimensions without parameters: "
          + "use strong or weak, or `order` natural")
    }
    guard channels.count == 1 || channels.count == tree.levels + 1, channels.allSatisfy({ $0 >= 0 })
    else {
      throw NetworkError(
        "`channels`: needed is one number, or one for each of the levels 0 to \(tree.levels), zero or more"
      )
    }
    let ranks =
      channels.count == 1 ? [Int](repeating: channels[0], count: tree.levels + 1) : channels
    try LinearHierarchy.check(channels: ranks, tree)
    self.tree = tree
    self.pattern = pattern
    (near, far) = try Self.lists(tree, pattern)
    let first = far.firstIndex { $0.entryCount > 0 }
    coarsest = first.flatMap { ranks[$0...].allSatisfy { $0 > 0 } ? $0 : nil }
    guard coarsest != nil || first == nil || ranks.allSatisfy({ $0 == 0 }) else {
      throw NetworkError("`channels`: zero for all levels, or for none that has far blocks")
    }
    self.channels = ranks
  }

  /// Returns the lists below the diagonal.
  private static func lists(
    _ tree: ClusterTree, _ pattern: FactorPattern
  ) throws(NetworkError) -> (near: BoxLists, far: [BoxLists]) {
    let levels = tree.levels
    func boxes(_ level: Int, _ sources: (Int) -> [Int]) -> BoxLists {
      var (offsets, indices) = ([0], [Int32]())
      for box in 0..<tree.boxCount(level: level) {
        indices += sources(box).map { Int32($0) }
        offsets.append(indices.count)
      }
      return BoxLists(offsets: offsets, indices: indices)
    }
    let none = (0...levels).map { boxes($0) { _ in [] } }
    switch pattern {
    case .weak:
      let far = (0...levels).map { level in
        level == 0 ? none[0] : boxes(level) { Array($0 / tree.arity * tree.arity..<$0) }
      }
      return (none[levels], far)
    case .blog:
      let far = (0...levels).map { level in
        (1..<levels).contains(level) ? boxes(level) { $0 > 0 ? [$0 - 1] : [] } : none[level]
      }
      return (boxes(levels) { $0 > 0 ? [$0 - 1] : [] }, far)
    case .strong:
      let lists: InteractionLists
      do {
        lists = try .adjacent(tree, periodic: false)
      } catch {
        throw NetworkError(error.message)
      }
      return (lists.near.belowDiagonal, lists.far.map(\.belowDiagonal))
    }
  }

  /// The number of parameters of one factor: near P² + 2 M P r + 2 r² Σ b^ℓ + r² far, with M leaves of P unknowns.
  public var parameterCount: Int {
    let leaves = tree.levels
    func size(_ leaf: Int) -> Int { tree.pointRange(level: leaves, box: leaf).count }
    var count = 0
    for leaf in 0..<tree.boxCount(level: leaves) {
      count += near.sources(of: leaf).reduce(size(leaf) * size(leaf)) {
        $0 + size(leaf) * size(Int($1))
      }
    }
    guard let coarsest else { return count }
    count += 2 * tree.points.count * channels[leaves]
    for level in coarsest...leaves {
      count += far[level].entryCount * channels[level] * channels[level]
      guard level > coarsest else { continue }
      count += 2 * tree.boxCount(level: level) * channels[level] * channels[level - 1]
    }
    return count
  }
}

extension BoxLists {
  /// The same lists without sources at or behind their target.
  fileprivate var belowDiagonal: BoxLists {
    var (offsets, kept) = ([0], [Int32]())
    for target in 0..<targetCount {
      kept += sources(of: target).filter { $0 < Int32(target) }
      offsets.append(kept.count)
    }
    return BoxLists(offsets: offsets, indices: kept)
  }
}
