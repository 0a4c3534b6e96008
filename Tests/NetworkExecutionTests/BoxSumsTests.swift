import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import TestSupport
import Testing

@testable import NetworkExecution

@Suite("BoxSums")
struct BoxSumsTests {
  /// A number for each channel of the output and each of some sums, of very different sizes.
  private func term(_ channel: Int, _ item: Int) -> Double {
    var stream = RandomStream(seed: 6, purpose: 1, index: UInt64(1000 * channel + item))
    return stream.normal() * [1e-3, 1, 700][channel % 3]
  }

  private static func network(_ name: String) throws -> Network {
    var options = NetworkOptions()
    switch name {
    case "conv":
      (options.model, options.leaf) = (.conv, 2)
      return try Network.build(options, sources: .grid([37]))
    case "cloud":
      options.leaf = 3
      var stream = RandomStream(seed: 9, purpose: 3, index: 0)
      let points = (0..<2 * 70).map { _ in stream.uniform() }
      return try Network.build(
        options, sources: try PointSet(coordinates: points, dimension: 2))
    default: return try Network.build(options, sources: .grid([80]))
    }
  }

  /// The definition: boxes in halves, of which the left one is the largest power of two below their number;
  /// the channels of a box in their order.
  private func sum(_ boxes: Range<Int>, _ layout: BoxLayout, _ item: Int) -> Double {
    guard boxes.count > 1 else {
      return layout.channels(of: boxes).reduce(0) { $0 + term($1, item) }
    }
    var half = 1
    while 2 * half < boxes.count { half *= 2 }
    let middle = boxes.lowerBound + half
    return sum(boxes.lowerBound..<middle, layout, item)
      + sum(middle..<boxes.upperBound, layout, item)
  }

  @Test(
    "each rank sums the largest subtrees of its boxes", arguments: ["conv", "cloud", "h2nn"],
    [1, 2, 3, 5, 7, 50])
  func nodes(name: String, ranks: Int) throws {
    let network = try Self.network(name)
    let layout = network.values[network.output].layout
    let tree = SummationTree(count: layout.boxCount)
    var (boxes, all): ([Int], [(SummationTree.Node, [Double])]) = ([], [])
    for share in try shares(network, ranks: ranks) {
      let own = share.computed[network.output]
      let sums = BoxSums(network, share)
      let first = layout.starts[own.lowerBound]
      let found = sums.sum(width: 2) { channels, sums, place in
        for channel in channels {
          for item in 0..<2 { sums[place + item] += term(first + channel, item) }
        }
      }
      let nodes = tree.maximalNodes(inside: own)
      #expect(sums.nodeCount == nodes.count && found.count == 2 * nodes.count)
      for (index, node) in nodes.enumerated() {
        let values = Array(found[2 * index..<2 * index + 2])
        let expected = (0..<2).map { sum(tree.items(of: node), layout, $0) }
        #expect(values.map(\.bitPattern) == expected.map(\.bitPattern), "\(node)")
        all.append((node, values))
      }
      boxes += own
    }
    #expect(boxes == Array(0..<layout.boxCount))

    // Added up along the tree the parts are the sum of one rank.
    func add(_ node: SummationTree.Node, _ item: Int) -> Double {
      if let known = all.first(where: { $0.0 == node }) { return known.1[item] }
      let left = add(node.left, item)
      return tree.items(of: node.right).isEmpty ? left : left + add(node.right, item)
    }
    let alone = BoxSums(network, RankShare(whole: network)).sum(width: 2) { channels, sums, place in
      for channel in channels {
        for item in 0..<2 { sums[place + item] += term(channel, item) }
      }
    }
    #expect(alone.map(\.bitPattern) == (0..<2).map { add(tree.root, $0).bitPattern })
    // To rounding it is the plain sum; in another order it has other bits.
    let plain = (0..<2).map { item -> Double in
      let terms = (0..<layout.channelCount).map { term($0, item) }
      let (sum, size) = (terms.reduce(0, +), terms.reduce(0) { $0 + abs($1) })
      #expect(abs(alone[item] - sum) <= Double(terms.count) * Double.ulpOfOne * size)
      return sum
    }
    #expect(alone != plain)
  }
}
