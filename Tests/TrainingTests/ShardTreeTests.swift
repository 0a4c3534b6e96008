import BlockKernels
import Testing

@testable import Training

@Suite("ShardTree")
struct ShardTreeTests {
  static let shardCounts = [1, 2, 3, 4, 5, 7, 8, 12, 13, 31, 64, 100]

  /// The definition: the left half is the largest power of two below the number of shards.
  private func sum(_ values: ArraySlice<Float>) -> Float {
    guard values.count > 1, let only = values.first else { return values.first ?? 0 }
    var half = 1
    while 2 * half < values.count { half *= 2 }
    let middle = values.startIndex + half
    _ = only
    return sum(values[..<middle]) + sum(values[middle...])
  }

  /// Sums the nodes of all ranks along the tree, as ranks do that exchange their subtrees.
  private func sum(_ values: [Float], ranks: Int) -> Float {
    let tree = ShardTree(shardCount: values.count)
    var known: [(ShardTree.Node, Float)] = []
    func add(_ node: ShardTree.Node) -> Float {
      if let item = known.first(where: { $0.0 == node }) { return item.1 }
      guard node.level > 0 else { return values[node.index] }
      let left = add(node.left)
      return tree.shards(of: node.right).isEmpty ? left : left + add(node.right)
    }
    for rank in 0..<ranks {
      let own = evenPiece(of: values.count, pieces: ranks, piece: rank)
      for node in tree.maximalNodes(inside: own) { known.append((node, add(node))) }
    }
    return add(tree.root)
  }

  /// Numbers of very different sizes, whose sum depends on the order.
  private func values(_ count: Int) -> [Float] {
    var stream = RandomStream(seed: 5, purpose: 1, index: UInt64(count))
    return (0..<count).map { Float(stream.normal()) * [1e-4, 1, 3e5][$0 % 3] }
  }

  @Test("the sum is that of the definition for any number of ranks", arguments: shardCounts)
  func sums(count: Int) {
    let values = values(count)
    let expected = sum(values[...])
    for ranks in [1, 2, 3, 4, 5, 7, 8, 11, 128] {
      #expect(sum(values, ranks: ranks).bitPattern == expected.bitPattern, "\(ranks) ranks")
    }
  }

  @Test("the order of the sum matters for these numbers")
  func orderMatters() {
    let values = values(100)
    #expect(sum(values[...]) != values.reduce(0, +))
  }

  @Test("a rank's nodes are its shards, without overlap, and the largest", arguments: shardCounts)
  func nodes(count: Int) {
    let tree = ShardTree(shardCount: count)
    #expect(tree.shards(of: tree.root) == 0..<count)
    for ranks in [1, 2, 3, 5, 7, 16] {
      for rank in 0..<ranks {
        let own = evenPiece(of: count, pieces: ranks, piece: rank)
        let nodes = tree.maximalNodes(inside: own)
        #expect(nodes.flatMap { Array(tree.shards(of: $0)) } == Array(own))
        for node in nodes where node != tree.root {
          let parent = ShardTree.Node(level: node.level + 1, index: node.index / 2)
          let covered = tree.shards(of: parent)
          #expect(covered.clamped(to: own) != covered)
        }
      }
    }
  }

  @Test(
    "pieces are contiguous, complete and even", arguments: [0, 1, 5, 16, 97], [1, 2, 3, 7, 20])
  func pieces(count: Int, pieces: Int) {
    let all = (0..<pieces).map { evenPiece(of: count, pieces: pieces, piece: $0) }
    #expect(all.flatMap { Array($0) } == Array(0..<count))
    #expect((all.map(\.count).max() ?? 0) - (all.map(\.count).min() ?? 0) <= 1)
  }

  @Test("gradients of one rank are summed along the tree", arguments: shardCounts)
  func accumulates(count: Int) {
    let values = values(count)
    let reduction = GradientReduction<Float>(shards: count, parameters: 3, rank: 0, rankCount: 1)
    var order: [Int] = []
    reduction.accumulate { shard, buffer in
      order.append(shard)
      var span = buffer.mutableSpan
      for place in 0..<3 { span[place] = values[shard] * Float(place) }
    }
    #expect(order == Array(0..<count))
    let result = reduction.result.array()
    for place in 0..<3 {
      let scaled = values.map { $0 * Float(place) }
      #expect(result[place].bitPattern == sum(scaled[...]).bitPattern)
    }
  }
}
