import BlockSparse
import MessagePassing

/// What a data group sends in one step: subtrees of its gradients, and its range of the new parameters.
public struct DataExchange: Sendable, Equatable {
  /// The shards of the group.
  public let shards: Int
  /// The messages that it sends.
  public let messages: Int
  /// The numbers in them.
  public let messageCount: Int
  /// The collective operations in which it takes part.
  public let collectives: Int
  /// The numbers that it contributes to them.
  public let collectiveCount: Int

  /// Plans the exchange of one rank of a group.
  ///
  /// - Parameters:
  ///   - shards: The shards of a batch.
  ///   - parameters: The parameters that the rank shares with its counterparts in the other groups.
  ///   - group: The group.
  ///   - groups: The number of groups.
  public init(shards: Int, parameters: Int, group: Int, groups: Int) {
    let own = evenPiece(of: shards, pieces: groups, piece: group)
    self.shards = own.count
    guard groups > 1 else {
      (messages, messageCount, collectives, collectiveCount) = (0, 0, 0, 0)
      return
    }
    let subtrees = SummationTree(count: shards).maximalNodes(inside: own).count
    let chunks = DataChunks(parameters: parameters, groups: groups)
    let parts = chunks.ranges.flatMap { chunk in
      (0..<groups).filter { $0 != group }.map { chunks.part(of: chunk, for: $0).count }
    }
    messages = subtrees == 0 ? 0 : parts.count { $0 > 0 }
    messageCount = subtrees * parts.reduce(0, +)
    collectives = 1
    collectiveCount = evenPiece(of: parameters, pieces: groups, piece: group).count
  }
}

/// The pieces in which gradients are sent to the groups that own them: each leaves when it is complete.
struct DataChunks: Sendable {
  /// The parameters of each chunk.
  let ranges: [Range<Int>]
  private let parameters: Int
  private let groups: Int

  /// The least parameters of a chunk, and how many chunks there are at most.
  static let (leastCount, mostChunks) = (1 << 14, 8)

  /// Cuts the parameters.
  init(parameters: Int, groups: Int) {
    self.parameters = parameters
    self.groups = groups
    let count = max(1, min(Self.mostChunks, parameters / Self.leastCount))
    ranges =
      parameters == 0
      ? [] : (0..<count).map { evenPiece(of: parameters, pieces: count, piece: $0) }
  }

  /// Returns the part of a chunk that a group owns.
  func part(of chunk: Range<Int>, for group: Int) -> Range<Int> {
    chunk.clamped(to: evenPiece(of: parameters, pieces: groups, piece: group))
  }
}
