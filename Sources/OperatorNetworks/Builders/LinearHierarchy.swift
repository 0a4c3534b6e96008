import BlockSparse
import ClusterTrees

/// The parts in which linear networks without biases over one tree differ.
///
/// y = (D + N + Σ_ℓ U_ℓ S_ℓ V_ℓᵀ) x: D has the blocks of leaves with themselves, N those of near leaves, S_ℓ the bridges
/// of a level between nested bases U and V.
struct LinearHierarchy {
  let tree: ClusterTree
  /// The number of basis vectors of a box, by level.
  let channels: [Int]
  /// The coarsest level with a bridge; nil if there is none.
  let coarsest: Int?
  /// Who owns the weights of diagonal and transfers.
  let sharing: Sharing
  /// The pattern between near leaves; nil if there is none.
  let near: BlockPattern?
  /// The pattern of a level's bridge; nil if the level has none.
  let bridge: (_ level: Int) -> BlockPattern?

  /// Builds the network: diagonal and near field, up-sweep, bridges, down-sweep.
  ///
  /// - Parameters:
  ///   - prefix: What stands before the names of the layers.
  ///   - network: A network behind whose parameters those of this one stand; none if nil.
  /// - Returns: The network.
  func network(named prefix: String = "", behind network: Network? = nil) -> Network {
    let (leaves, unknowns) = (tree.levels, HierarchicalWiring.leafLayout(tree))
    let places = HierarchicalWiring.places(tree)
    func layout(_ level: Int) -> BoxLayout {
      BoxLayout(boxes: tree.boxCount(level: level), channels: channels[level])
    }
    var builder =
      network.map { NetworkBuilder(input: unknowns, sharing: $0) }
      ?? NetworkBuilder(input: unknowns)
    let diagonal = BlockPattern.diagonal(unknowns.boxCount, sharing: sharing)
    var sum = builder.add(
      "\(prefix)diagonal", from: 0, to: unknowns, pattern: diagonal, hasBias: false)
    if let near {
      sum = builder.add(
        "\(prefix)near", from: 0, to: unknowns, pattern: near, adding: sum, hasBias: false)
    }
    guard let coarsest else {
      return builder.finish(output: sum, inputOrder: tree.order, outputOrder: tree.order)
    }
    // Up: the coefficients Vᵀ x of all boxes.
    var up = [Int](repeating: 0, count: leaves + 1)
    up[leaves] = builder.add(
      "\(prefix)restriction.leaf", from: 0, to: layout(leaves), pattern: diagonal, hasBias: false)
    for level in stride(from: leaves - 1, through: coarsest, by: -1) {
      up[level] = builder.add(
        "\(prefix)restriction.\(level)", from: up[level + 1], to: layout(level),
        pattern: .childrenToParents(tree, level: level, sharing: sharing), places: places[level],
        hasBias: false)
    }
    // Across and down: the sums S Vᵀ x, gathered on the way to the leaves.
    var down: Int?
    for level in coarsest...leaves {
      down = down.map { parent in
        builder.add(
          "\(prefix)interpolation.\(level - 1)", from: parent, to: layout(level),
          pattern: .parentsToChildren(tree, level: level - 1, sharing: sharing),
          places: places[level], hasBias: false)
      }
      guard let pattern = bridge(level) else { continue }
      down = builder.add(
        "\(prefix)bridge.\(level)", from: up[level], to: layout(level), pattern: pattern,
        adding: down, places: places[level], hasBias: false)
    }
    sum = builder.add(
      "\(prefix)interpolation.leaf", from: down ?? 0, to: unknowns, pattern: diagonal, adding: sum,
      hasBias: false)
    return builder.finish(output: sum, inputOrder: tree.order, outputOrder: tree.order)
  }

  /// Throws if a leaf has fewer unknowns than basis vectors.
  static func check(channels: [Int], _ tree: ClusterTree) throws(NetworkError) {
    let leaves = tree.boxCount(level: tree.levels)
    let least = (0..<leaves).map { tree.pointRange(level: tree.levels, box: $0).count }.min() ?? 0
    guard channels[tree.levels] <= least else {
      throw NetworkError(
        "`channels` \(channels[tree.levels]): leaves of \(least) unknowns have no more than \(least) basis "
          + "vectors; use a larger `leaf`")
    }
  }
}
