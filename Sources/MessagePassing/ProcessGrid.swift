/// The process grid of a run: data groups × tree ranks.
///
/// The ranks of a group follow each other. A group has the whole network, spread over its tree ranks; the
/// groups share the samples of a step.
public struct ProcessGrid: ~Copyable {
  /// The number of groups that share samples.
  public let dataGroups: Int
  /// The number of ranks over which each group spreads the network.
  public let treeRanks: Int
  /// All ranks.
  public let world: Communicator
  /// The tree ranks of this rank's group.
  public let tree: Communicator
  /// The ranks of all groups that hold what this rank holds.
  public let groups: Communicator

  /// Arranges the ranks.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - dataGroups: The number of groups.
  ///   - treeRanks: The number of ranks of each group.
  ///   - world: All ranks.
  /// - Throws: `MPIError` if the library fails.
  /// - Precondition: There are as many ranks as the grid has places.
  public init(
    dataGroups: Int, treeRanks: Int, on world: borrowing Communicator
  ) throws(MPIError) {
    precondition(
      dataGroups > 0 && treeRanks > 0 && dataGroups * treeRanks == world.size,
      "\(world.size) ranks on a grid \(dataGroups)x\(treeRanks)")
    let (group, place) = (world.rank / treeRanks, world.rank % treeRanks)
    let tree = try Self.part(of: world, color: group, key: place)
    let groups = try Self.part(of: world, color: place, key: group)
    let all = try world.duplicate()
    self.dataGroups = dataGroups
    self.treeRanks = treeRanks
    self.world = all
    self.tree = tree
    self.groups = groups
  }

  /// Makes the communicator of the ranks with one color; every rank has one.
  package static func part(
    of world: borrowing Communicator, color: Int, key: Int
  ) throws(MPIError) -> Communicator {
    guard let part = try world.split(color: color, key: key) else {
      preconditionFailure("every rank has a color")
    }
    return part
  }

  /// The group of this rank.
  public var group: Int { groups.rank }
  /// The place of this rank in its group.
  public var treeRank: Int { tree.rank }
}
