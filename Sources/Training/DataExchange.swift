import BlockSparse

/// What a data group sends in one step: subtrees of its gradients, and its range of the new parameters.
public struct DataExchange: Sendable, Equatable {
  /// The shards of the group.
  public let shards: Int
  /// The collective operations in which it takes part.
  public let collectives: Int
  /// The numbers that it contributes to them.
  public let count: Int

  /// Plans the exchange of one rank of a group.
  ///
  /// - Parameters:
  ///   - shards: The shards of a batch.
  ///   - parameters: The parameters that the rank shares with its counterparts in the other groups.
  ///   - group: The group.
  ///   - groups: The number of groups.
  public init(shards: Int, parameters: Int, group: Int, groups: Int) {
    let own = evenPiece(of: shards, pieces: groups, piece: group)
    let subtrees = SummationTree(count: shards).maximalNodes(inside: own).count
    let range = evenPiece(of: parameters, pieces: groups, piece: group).count
    self.shards = own.count
    collectives = groups == 1 ? 0 : 2
    count = groups == 1 ? 0 : subtrees * parameters + range
  }
}
