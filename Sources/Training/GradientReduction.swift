import BlockKernels
import BlockSparse
import MessagePassing

/// Sums the gradients of the shards of a batch over data groups, with bits that do not depend on the groups.
///
/// A group sums the largest subtrees of a `SummationTree` that lie inside its shards; then each group
/// receives the part of all subtrees that it owns, and sums them in the order of the tree.
struct GradientReduction<Scalar: KernelScalar & MPIScalar> {
  /// Where the gradient of a shard goes, and how often the last buffer is then added to the one before.
  private struct Term {
    let buffers: [Int]
    let merges: Int
  }

  let shardCount: Int
  let parameterCount: Int
  let group: Int
  let groupCount: Int
  /// For each group: the number of its subtrees.
  private let subtrees: [Int]
  /// For each shard of this group.
  private let terms: [Term]
  /// How the subtrees of all groups are added up.
  private let steps: [SummationTree.Step]
  /// The sums of this group's subtrees, then the buffers of the stack above them.
  private let buffers: [AlignedBuffer<Scalar>]
  private let outgoing: AlignedBuffer<Scalar>
  private let incoming: AlignedBuffer<Scalar>
  private let stack: [AlignedBuffer<Scalar>]

  init(shards: Int, parameters: Int, group: Int, groupCount: Int) {
    let tree = SummationTree(count: shards)
    shardCount = shards
    parameterCount = parameters
    self.group = group
    self.groupCount = groupCount
    let nodes = (0..<groupCount).map {
      tree.maximalNodes(inside: evenPiece(of: shards, pieces: groupCount, piece: $0))
    }
    subtrees = nodes.map(\.count)
    let own = nodes[group]
    // A subtree is summed on a stack whose bottom is its own buffer and whose other places all share.
    terms = own.enumerated().flatMap { index, node in
      tree.steps(within: node).map { step in
        Term(
          buffers: (0...step.place).map { $0 == 0 ? index : own.count + $0 - 1 },
          merges: step.merges)
      }
    }
    steps = tree.steps(nodes.flatMap { $0 }, into: tree.root)
    let count = terms.flatMap(\.buffers).max().map { $0 + 1 } ?? 0
    buffers = (0..<count).map { _ in AlignedBuffer(repeating: 0, count: parameters) }
    let isAlone = groupCount == 1
    let owned = evenPiece(of: parameters, pieces: groupCount, piece: group).count
    outgoing = AlignedBuffer(repeating: 0, count: isAlone ? 0 : own.count * parameters)
    incoming = AlignedBuffer(repeating: 0, count: isAlone ? 0 : steps.count * owned)
    stack = (0...(steps.map(\.place).max() ?? 0)).map { _ in
      AlignedBuffer(repeating: 0, count: isAlone ? 0 : owned)
    }
  }

  /// The shards of this group.
  var shards: Range<Int> { evenPiece(of: shardCount, pieces: groupCount, piece: group) }

  /// Returns the parameters that a group owns.
  func owned(by group: Int) -> Range<Int> {
    evenPiece(of: parameterCount, pieces: groupCount, piece: group)
  }

  /// The sum of all shards over the parameters that this group owns, after ``reduce(on:)``.
  var result: AlignedBuffer<Scalar> { groupCount == 1 ? buffers[0] : stack[0] }

  /// Returns the buffer for the gradient of a shard of this group.
  func buffer(of shard: Int) -> AlignedBuffer<Scalar> {
    let places = terms[shard - shards.lowerBound].buffers
    return buffers[places[places.count - 1]]
  }

  /// Adds a part of a shard's gradient to those of the shards before; shards come in order.
  func add(_ shard: Int, _ range: Range<Int>) {
    let term = terms[shard - shards.lowerBound]
    for merge in 0..<term.merges {
      let top = term.buffers.count - 1 - merge
      let (source, target) = (buffers[term.buffers[top]], buffers[term.buffers[top - 1]])
      var span = target.mutableSpan
      Self.add(source.span, to: &span, in: range)
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func add(
    _ source: Span<Scalar>, to target: inout MutableSpan<Scalar>, in range: Range<Int>
  ) {
    Elementwise.add(source, at: range.lowerBound, to: &target, in: range)
  }

  /// Sums the subtrees of all groups over the parameters that this group owns.
  ///
  /// Collective.
  ///
  /// - Parameter communicator: The data groups.
  /// - Throws: `MPIError` if the exchange fails.
  func reduce(on communicator: borrowing Communicator) throws(MPIError) {
    guard groupCount > 1 else { return }
    let (outgoing, incoming, own) = (outgoing, incoming, subtrees[group])
    var position = 0
    for destination in 0..<groupCount {
      let range = owned(by: destination)
      for buffer in buffers[..<own] {
        outgoing.copy(
          from: buffer, at: range.lowerBound, to: position..<position + range.count)
        position += range.count
      }
    }
    let length = owned(by: group).count
    communicator.stallWatch.phase = .init("sum of gradients")
    var receive = incoming.mutableSpan
    try communicator.allToAll(
      outgoing.span, counts: (0..<groupCount).map { owned(by: $0).count * own },
      into: &receive, receiveCounts: subtrees.map { $0 * length })

    for (index, step) in steps.enumerated() {
      stack[step.place].copy(from: incoming, at: index * length, to: 0..<length)
      for merge in 0..<step.merges {
        let (source, target) = (stack[step.place - merge], stack[step.place - merge - 1])
        var sum = target.mutableSpan
        Self.add(source.span, to: &sum, in: 0..<length)
      }
    }
  }
}
