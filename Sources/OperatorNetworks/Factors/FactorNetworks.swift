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
    forward = structure.forwardNetwork(named: prefix, behind: network)
    transposed = structure.transposedNetwork(prefix, of: forward)
  }
}

extension FactorStructure {
  /// The unknowns of the leaves.
  public var leafLayout: BoxLayout { HierarchicalWiring.leafLayout(tree) }

  /// Builds y = L x with parameters of its own.
  func forwardNetwork(named prefix: String = "", behind network: Network? = nil) -> Network {
    func pattern(_ lists: BoxLists) -> BlockPattern? {
      lists.entryCount > 0 ? .lists(lists, sourceCount: lists.targetCount) : nil
    }
    return LinearHierarchy(
      tree: tree, channels: channels, coarsest: coarsest, sharing: .own, near: pattern(near),
      bridge: { pattern(far[$0]) }
    ).network(named: prefix, behind: network)
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
