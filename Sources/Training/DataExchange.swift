/// What a data group sends in one step: subtrees of its gradients, and its range of the new parameters.
public struct DataExchange: Sendable, Equatable {
  /// The shards of the group.
  public let shards: Int
  /// The messages that it sends.
  public let messages: Int
  /// The numbers in them.
  public let count: Int

  /// Plans the exchange of one group.
  ///
  /// - Parameters:
  ///   - shards: The shards of a batch.
  ///   - parameters: The parameters that the groups share.
  ///   - group: The group.
  ///   - groups: The number of groups.
  public init(shards: Int, parameters: Int, group: Int, groups: Int) {
    let own = evenPiece(of: shards, pieces: groups, piece: group)
    let subtrees = ShardTree(shardCount: shards).maximalNodes(inside: own).count
    let range = evenPiece(of: parameters, pieces: groups, piece: group).count
    self.shards = own.count
    let others = (0..<groups).filter { $0 != group }
    let owners = others.count { !evenPiece(of: parameters, pieces: groups, piece: $0).isEmpty }
    messages = (subtrees > 0 ? owners : 0) + (range > 0 ? others.count : 0)
    count = groups == 1 ? 0 : subtrees * (parameters - range) + range * others.count
  }
}
