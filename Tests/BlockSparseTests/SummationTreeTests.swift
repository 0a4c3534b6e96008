import BlockKernels
import Testing

@testable import BlockSparse

@Suite("SummationTree")
struct SummationTreeTests {
  static let itemCounts = [1, 2, 3, 4, 5, 7, 8, 12, 13, 31, 64, 100]

  /// The definition: the left half is the largest power of two below the number of items.
  private func sum(_ values: ArraySlice<Float>) -> Float {
    guard values.count > 1, let only = values.first else { return values.first ?? 0 }
    var half = 1
    while 2 * half < values.count { half *= 2 }
    let middle = values.startIndex + half
    _ = only
    return sum(values[..<middle]) + sum(values[middle...])
  }

  /// Sums the nodes of all ranks along the tree, as ranks do that exchange the sums of their nodes.
  private func sum(_ values: [Float], ranks: Int) -> Float {
    let tree = SummationTree(count: values.count)
    var nodes: [SummationTree.Node] = []
    var sums: [Float] = []
    for rank in 0..<ranks {
      for node in tree.maximalNodes(inside: piece(values.count, ranks, rank)) {
        nodes.append(node)
        sums.append(run(tree.steps(within: node), tree.items(of: node).map { values[$0] }))
      }
    }
    return run(tree.steps(nodes, into: tree.root), sums)
  }

  /// Follows the steps with a stack.
  private func run(_ steps: [SummationTree.Step], _ terms: [Float]) -> Float {
    var stack: [Float] = []
    #expect(steps.count == terms.count)
    for (step, term) in zip(steps, terms) {
      #expect(step.place == stack.count)
      stack.append(term)
      for _ in 0..<step.merges {
        let top = stack.removeLast()
        stack[stack.count - 1] += top
      }
    }
    #expect(stack.count == 1)
    return stack[0]
  }

  private func piece(_ count: Int, _ pieces: Int, _ piece: Int) -> Range<Int> {
    count * piece / pieces..<count * (piece + 1) / pieces
  }

  /// Numbers of very different sizes, whose sum depends on the order.
  private func values(_ count: Int) -> [Float] {
    var stream = RandomStream(seed: 5, purpose: 1, index: UInt64(count))
    return (0..<count).map { Float(stream.normal()) * [1e-4, 1, 3e5][$0 % 3] }
  }

  @Test("the sum is that of the definition for any number of ranks", arguments: itemCounts)
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

  @Test("a rank's nodes are its shards, without overlap, and the largest", arguments: itemCounts)
  func nodes(count: Int) {
    let tree = SummationTree(count: count)
    #expect(tree.items(of: tree.root) == 0..<count)
    for ranks in [1, 2, 3, 5, 7, 16] {
      for rank in 0..<ranks {
        let own = piece(count, ranks, rank)
        let nodes = tree.maximalNodes(inside: own)
        #expect(nodes.flatMap { Array(tree.items(of: $0)) } == Array(own))
        for node in nodes where node != tree.root {
          let parent = SummationTree.Node(level: node.level + 1, index: node.index / 2)
          let covered = tree.items(of: parent)
          #expect(covered.clamped(to: own) != covered)
        }
      }
    }
  }
}
