import ClusterTrees
import NetworkExecution
import OperatorNetworks

/// How the leaves of factors, and with them the unknowns, are spread over ranks.
///
/// A rank owns a run of leaves, maybe none. The cuts are those of the factors' networks, so that products with the
/// factors and solving with them share one partition.
public struct LeafPartition: Sendable, Equatable {
  /// The first leaf of each rank, and at the end the number of leaves.
  public let leafCuts: [Int]
  /// The first unknown of each rank in the order of the tree, and at the end the number of unknowns.
  public let rowCuts: [Int]

  /// The number of ranks.
  public var rankCount: Int { leafCuts.count - 1 }

  /// Spreads factors over ranks.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - ranks: The number of ranks; any number, also more than there are leaves.
  /// - Precondition: There is a rank.
  public init(_ factors: Factors, ranks: Int) {
    let whole = factors.upper.networks.forward
    let blocks = factors.isSymmetric ? [factors.lower] : [factors.lower, factors.upper]
    let networks = blocks.flatMap { [$0.networks.forward, $0.networks.transposed] }
      .map { $0.sharingSlices(of: whole) }
    // The axis of these networks has a place for each leaf.
    let cuts = TreePartition.joint(networks, ranks: ranks)[0].cuts
    let tree = factors.structure.tree
    leafCuts = cuts
    rowCuts = cuts.map { leaf in
      leaf < tree.boxCount(level: tree.levels)
        ? tree.pointRange(level: tree.levels, box: leaf).lowerBound : tree.points.count
    }
  }

  /// Returns the leaves of a rank.
  ///
  /// - Parameter rank: The rank.
  /// - Returns: Their range; it may be empty.
  public func leaves(of rank: Int) -> Range<Int> { leafCuts[rank]..<leafCuts[rank + 1] }

  /// Returns the unknowns of a rank in the order of the tree.
  ///
  /// - Parameter rank: The rank.
  /// - Returns: Their range; it may be empty.
  public func rows(of rank: Int) -> Range<Int> { rowCuts[rank]..<rowCuts[rank + 1] }
}
