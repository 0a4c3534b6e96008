package import BlockKernels
import BlockSparse
package import MessagePassing
package import OperatorNetworks

/// Sums over the points of an output, with bits that do not depend on the tree ranks.
///
/// The boxes of the output are summed along a `SummationTree`: each rank sums the largest nodes inside of
/// its boxes, and the sums of all ranks are added up along the same tree.
package struct BoxSums: Sendable {
  /// The channels of each of this rank's boxes, counted from its first one.
  private let channels: [Range<Int>]
  /// For each node of this rank: how the sums of its boxes are added up.
  private let nodes: [[SummationTree.Step]]
  /// For each rank: the number of its nodes.
  private let counts: [Int]
  /// How the nodes of all ranks are added up.
  private let steps: [SummationTree.Step]

  /// Plans the sums of a rank.
  package init(_ network: Network, _ share: RankShare) {
    let layout = network.values[network.output].layout
    let own = share.computed[network.output]
    let tree = SummationTree(count: layout.boxCount)
    channels = own.map { box in
      layout.starts[box] - layout.starts[own.lowerBound]..<layout.starts[box + 1]
        - layout.starts[own.lowerBound]
    }
    nodes = tree.maximalNodes(inside: own).map { tree.steps(within: $0) }
    let all = share.outputBoxes.map { tree.maximalNodes(inside: $0) }
    counts = all.map(\.count)
    steps = tree.steps(all.flatMap { $0 }, into: tree.root)
  }

  /// The number of nodes of this rank.
  package var nodeCount: Int { nodes.count }

  /// The numbers of scratch that ``sum(width:scratch:into:at:_:)`` needs.
  package func scratchCount(width: Int) -> Int {
    ((nodes.joined().map(\.place).max() ?? 0) + 1) * width
  }

  /// Sums terms over the boxes of this rank.
  ///
  /// - Parameters:
  ///   - width: The number of sums that are formed at once.
  ///   - scratch: ``scratchCount(width:)`` numbers.
  ///   - result: Where the sums of each node go, `[node][width]`.
  ///   - start: Where they begin there.
  ///   - add: Adds the terms of some channels to the sums that begin at a place of a buffer.
  /// - Complexity: no allocation.
  package func sum(
    width: Int, scratch: AlignedBuffer<Double>, into result: AlignedBuffer<Double>,
    at start: Int = 0,
    _ add: (_ channels: Range<Int>, _ sums: AlignedBuffer<Double>, _ place: Int)
      -> Void
  ) {
    var box = 0
    for node in nodes.indices {
      for step in nodes[node] {
        var stack = scratch.mutableSpan
        Elementwise.clear(&stack, in: step.place * width..<(step.place + 1) * width)
        add(channels[box], scratch, step.place * width)
        for merge in 0..<step.merges {
          let top = (step.place - merge) * width
          Elementwise.add(within: &stack, from: top, to: top - width..<top)
        }
        box += 1
      }
      result.copy(from: scratch, at: 0, to: start + node * width..<start + (node + 1) * width)
    }
  }

  /// Sums terms over the boxes of this rank.
  ///
  /// - Parameters:
  ///   - width: The number of sums that are formed at once.
  ///   - add: Adds the terms of some channels to the sums that begin at a place of a buffer.
  /// - Returns: The sums of each node, `[node][width]`.
  package func sum(
    width: Int, _ add: (_ channels: Range<Int>, _ sums: AlignedBuffer<Double>, _ place: Int) -> Void
  ) -> [Double] {
    let result = AlignedBuffer(repeating: 0.0, count: nodes.count * width)
    sum(
      width: width, scratch: AlignedBuffer(repeating: 0, count: scratchCount(width: width)),
      into: result, add)
    return result.array()
  }

  private static func merge(_ step: SummationTree.Step, _ width: Int, _ stack: inout [Double]) {
    for merge in 0..<step.merges {
      let top = (step.place - merge) * width
      for index in top..<top + width { stack[index - width] += stack[index] }
    }
  }

  /// Adds up the sums of all ranks.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - own: The sums of this rank's nodes, `[node][width]`.
  ///   - width: The number of sums.
  ///   - tree: The tree ranks.
  /// - Returns: The sums over all boxes.
  /// - Throws: `MPIError` if the gathering fails.
  package func finish(
    _ own: [Double], width: Int, on tree: borrowing Communicator
  ) throws(MPIError) -> [Double] {
    guard tree.size > 1 else { return own }
    // In blocks, so that what all ranks contribute stays small.
    let limit = max(1, Self.blockLimit / max(steps.count, 1))
    var result: [Double] = []
    result.reserveCapacity(width)
    for first in stride(from: 0, to: width, by: limit) {
      let block = first..<min(first + limit, width)
      let part = (0..<nodeCount).flatMap {
        own[$0 * width + block.lowerBound..<$0 * width + block.upperBound]
      }
      result += try finishBlock(part, width: block.count, on: tree)
    }
    return result
  }

  /// The sums of all ranks' nodes that are brought together at once.
  private static let blockLimit = 1 << 22

  /// Adds up some of the sums of all ranks.
  private func finishBlock(
    _ own: [Double], width: Int, on tree: borrowing Communicator
  ) throws(MPIError) -> [Double] {
    var all = [Double](repeating: 0, count: steps.count * width)
    var span = all.mutableSpan
    try tree.allGather(own.span, counts: counts.map { $0 * width }, into: &span)
    let depth = steps.map(\.place).max() ?? 0
    var stack = [Double](repeating: 0, count: (depth + 1) * width)
    for (index, step) in steps.enumerated() {
      for item in 0..<width { stack[step.place * width + item] = all[index * width + item] }
      Self.merge(step, width, &stack)
    }
    return Array(stack[..<width])
  }
}
