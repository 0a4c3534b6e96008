/// The binary tree by which the shards of a batch are summed.
///
/// A node covers an aligned range of shards. Its sum is that of its left half plus that of its right
/// half, or that of its left half alone if the right one lies beyond the last shard. So the sum is a
/// function of the shards only, whoever computes which part.
struct ShardTree: Sendable, Equatable {
  /// An aligned range of 2^level shards.
  struct Node: Sendable, Equatable {
    let level: Int
    let index: Int
    var left: Node { Node(level: level - 1, index: 2 * index) }
    var right: Node { Node(level: level - 1, index: 2 * index + 1) }
  }

  let shardCount: Int

  /// The number of halvings down to one shard.
  var depth: Int {
    var depth = 0
    while 1 << depth < shardCount { depth += 1 }
    return depth
  }

  var root: Node { Node(level: depth, index: 0) }

  /// Returns the shards that a node covers.
  func shards(of node: Node) -> Range<Int> {
    let first = min(node.index << node.level, shardCount)
    return first..<min((node.index + 1) << node.level, shardCount)
  }

  /// Returns the largest nodes inside a range of shards, from left to right.
  func maximalNodes(inside range: Range<Int>) -> [Node] {
    func collect(_ node: Node) -> [Node] {
      let covered = shards(of: node)
      if covered.isEmpty || covered.clamped(to: range).isEmpty { return [] }
      if range.lowerBound <= covered.lowerBound && covered.upperBound <= range.upperBound {
        return [node]
      }
      return collect(node.left) + collect(node.right)
    }
    return collect(root)
  }
}

/// Cuts a range into contiguous pieces of nearly equal length.
///
/// - Parameters:
///   - count: The length of the range.
///   - pieces: The number of pieces.
///   - piece: Which piece.
/// - Returns: The piece; it may be empty.
public func evenPiece(of count: Int, pieces: Int, piece: Int) -> Range<Int> {
  count * piece / pieces..<count * (piece + 1) / pieces
}
