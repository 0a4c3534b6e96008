public import BlockSparse
import ClusterTrees

/// The networks of a triangular factor: y = L x, and y = Lᵀ x on the same parameters.
///
/// Both are linear and have no biases. The slices of the parameters are, by name:
///
/// | slice | row | blocks |
/// |---|---|---|
/// | `diagonal` | leaf i | L_ii |
/// | `near` | leaf i | L_ij of the near list |
/// | `restriction.leaf` | leaf j | V_jᵀ |
/// | `restriction.ℓ` | box b of level ℓ | the transposed transfers of V from its children |
/// | `bridge.ℓ` | box a of level ℓ | S_ab of the far list |
/// | `interpolation.ℓ` | box of level ℓ + 1 | the transfer of U from its parent |
/// | `interpolation.leaf` | leaf i | U_i |
public struct FactorNetworks: Sendable {
  /// The structure.
  public let structure: FactorStructure
  /// What stands before the names of the slices.
  public let prefix: String
  /// y = L x.
  public let forward: Network
  /// y = Lᵀ x.
  public let transposed: Network

  /// Builds the networks.
  ///
  /// - Parameters:
  ///   - structure: The blocks.
  ///   - prefix: What stands before the names of the slices.
  ///   - network: A network behind whose parameters those of the factor stand; none if nil.
  public init(
    _ structure: FactorStructure, named prefix: String = "", sharing network: Network? = nil
  ) {
    self.structure = structure
    self.prefix = prefix
    forward = structure.forwardNetwork(prefix, network)
    transposed = structure.transposedNetwork(prefix, of: forward)
  }
}

extension FactorStructure {
  /// The unknowns of the leaves.
  public var leafLayout: BoxLayout { HierarchicalWiring.leafLayout(tree) }

  private func layout(_ level: Int) -> BoxLayout {
    BoxLayout(boxes: tree.boxCount(level: level), channels: channels[level])
  }

  private func pattern(_ lists: BoxLists) -> BlockPattern {
    BlockPattern(
      ownWeights: lists.targetCount, rowStarts: lists.offsets, sources: lists.indices)
  }

  /// Builds y = L x with parameters of its own.
  fileprivate func forwardNetwork(_ prefix: String, _ network: Network?) -> Network {
    let (leaves, unknowns) = (tree.levels, leafLayout)
    let places = HierarchicalWiring.places(tree)
    var builder =
      network.map { NetworkBuilder(input: unknowns, sharing: $0) }
      ?? NetworkBuilder(input: unknowns)
    let diagonal = BlockPattern.diagonal(unknowns.boxCount, sharing: .own)
    var sum = builder.add(
      "\(prefix)diagonal", from: 0, to: unknowns, pattern: diagonal, hasBias: false)
    if near.entryCount > 0 {
      sum = builder.add(
        "\(prefix)near", from: 0, to: unknowns, pattern: pattern(near), adding: sum, hasBias: false)
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
        pattern: .childrenToParents(tree, level: level, sharing: .own), places: places[level],
        hasBias: false)
    }
    // Across and down: the sums S Vᵀ x, gathered on the way to the leaves.
    var down: Int?
    for level in coarsest...leaves {
      down = down.map { parent in
        builder.add(
          "\(prefix)interpolation.\(level - 1)", from: parent, to: layout(level),
          pattern: .parentsToChildren(tree, level: level - 1, sharing: .own),
          places: places[level], hasBias: false)
      }
      guard far[level].entryCount > 0 else { continue }
      down = builder.add(
        "\(prefix)bridge.\(level)", from: up[level], to: layout(level),
        pattern: pattern(far[level]),
        adding: down, places: places[level], hasBias: false)
    }
    sum = builder.add(
      "\(prefix)interpolation.leaf", from: down ?? 0, to: unknowns, pattern: diagonal, adding: sum,
      hasBias: false)
    return builder.finish(output: sum, inputOrder: tree.order, outputOrder: tree.order)
  }

  /// Builds y = Lᵀ x on the parameters of y = L x.
  fileprivate func transposedNetwork(_ prefix: String, of forward: Network) -> Network {
    let leaves = tree.levels
    var builder = NetworkBuilder(input: leafLayout, sharing: forward)
    func add(_ name: String, from source: Int, adding addend: Int? = nil) -> Int {
      builder.add(
        "\(prefix)\(name).transposed",
        using: SliceUse(forward.sliceIndex(prefix + name) ?? 0, .transposed),
        from: source, adding: addend)
    }
    var sum = add("diagonal", from: 0)
    if near.entryCount > 0 { sum = add("near", from: 0, adding: sum) }
    guard let coarsest else {
      return builder.finish(output: sum, inputOrder: tree.order, outputOrder: tree.order)
    }
    var up = [Int](repeating: 0, count: leaves + 1)
    up[leaves] = add("interpolation.leaf", from: 0)
    for level in stride(from: leaves - 1, through: coarsest, by: -1) {
      up[level] = add("interpolation.\(level)", from: up[level + 1])
    }
    var down: Int?
    for level in coarsest...leaves {
      down = down.map { add("restriction.\(level - 1)", from: $0) }
      guard far[level].entryCount > 0 else { continue }
      down = add("bridge.\(level)", from: up[level], adding: down)
    }
    sum = add("restriction.leaf", from: down ?? 0, adding: sum)
    return builder.finish(output: sum, inputOrder: tree.order, outputOrder: tree.order)
  }
}
