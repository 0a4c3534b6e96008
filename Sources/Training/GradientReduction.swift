import BlockKernels
import MessagePassing

/// Sums the gradients of the shards of a batch over the ranks, with bits that do not depend on the ranks.
///
/// A rank sums the largest subtrees of the ``ShardTree`` that lie inside its shards; then each rank
/// receives the part of all subtrees that it owns, and sums them in the order of the tree.
struct GradientReduction<Scalar: KernelScalar & MPIScalar> {
  let tree: ShardTree
  let parameterCount: Int
  let rank: Int
  let rankCount: Int
  /// For each rank: its subtrees.
  private let nodes: [[ShardTree.Node]]
  /// Buffers for the levels of the tree under the subtree at hand.
  private let scratch: [AlignedBuffer<Scalar>]
  /// The sums of this rank's subtrees.
  private let partial: [AlignedBuffer<Scalar>]
  private let outgoing: AlignedBuffer<Scalar>
  private let incoming: AlignedBuffer<Scalar>
  private let levels: [AlignedBuffer<Scalar>]

  init(shards: Int, parameters: Int, rank: Int, rankCount: Int) {
    tree = ShardTree(shardCount: shards)
    parameterCount = parameters
    self.rank = rank
    self.rankCount = rankCount
    let tree = tree
    nodes = (0..<rankCount).map {
      tree.maximalNodes(inside: evenPiece(of: shards, pieces: rankCount, piece: $0))
    }
    let own = nodes[rank]
    let deepest = own.map(\.level).max() ?? 0
    scratch = (0..<deepest).map { _ in AlignedBuffer(repeating: 0, count: parameters) }
    partial = own.map { _ in AlignedBuffer(repeating: 0, count: parameters) }
    let owned = evenPiece(of: parameters, pieces: rankCount, piece: rank).count
    let isAlone = rankCount == 1
    outgoing = AlignedBuffer(repeating: 0, count: isAlone ? 0 : own.count * parameters)
    incoming = AlignedBuffer(
      repeating: 0, count: isAlone ? 0 : nodes.reduce(0) { $0 + $1.count } * owned)
    levels = (0...(isAlone ? 0 : tree.depth)).map { _ in
      AlignedBuffer(repeating: 0, count: isAlone ? 0 : owned)
    }
  }

  /// The shards of this rank.
  var shards: Range<Int> { evenPiece(of: tree.shardCount, pieces: rankCount, piece: rank) }

  /// Returns the parameters that a rank owns.
  func owned(by rank: Int) -> Range<Int> {
    evenPiece(of: parameterCount, pieces: rankCount, piece: rank)
  }

  /// The sum of all shards over the parameters that this rank owns, after ``reduce(on:)``.
  var result: AlignedBuffer<Scalar> { rankCount == 1 ? partial[0] : levels[0] }

  /// Computes the gradients of this rank's shards and sums its subtrees.
  ///
  /// - Parameter gradient: Computes the gradient of a shard into a buffer.
  func accumulate(_ gradient: (_ shard: Int, _ into: AlignedBuffer<Scalar>) -> Void) {
    func sum(_ node: ShardTree.Node, into buffer: AlignedBuffer<Scalar>) {
      guard node.level > 0 else { return gradient(node.index, buffer) }
      sum(node.left, into: buffer)
      guard !tree.shards(of: node.right).isEmpty else { return }
      let right = scratch[node.level - 1]
      sum(node.right, into: right)
      var target = buffer.mutableSpan
      Self.add(right.span, to: &target)
    }
    for (node, buffer) in zip(nodes[rank], partial) { sum(node, into: buffer) }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func add(_ source: Span<Scalar>, to target: inout MutableSpan<Scalar>) {
    Elementwise.add(source, at: 0, to: &target, in: 0..<target.count)
  }

  /// Sums the subtrees of all ranks over the parameters that this rank owns.
  ///
  /// Collective.
  ///
  /// - Parameter communicator: The data groups.
  /// - Throws: `MPIError` if the exchange fails.
  func reduce(on communicator: borrowing Communicator) throws(MPIError) {
    guard rankCount > 1 else { return }
    let (outgoing, incoming) = (outgoing, incoming)
    var send = outgoing.mutableSpan
    var position = 0
    for destination in 0..<rankCount {
      let range = owned(by: destination)
      for buffer in partial {
        Elementwise.copy(
          buffer.span, at: range.lowerBound, to: &send, in: position..<position + range.count)
        position += range.count
      }
    }
    let length = owned(by: rank).count
    var receive = incoming.mutableSpan
    try communicator.allToAll(
      outgoing.span, counts: (0..<rankCount).map { owned(by: $0).count * partial.count },
      into: &receive, receiveCounts: nodes.map { $0.count * length })

    // The subtrees lie in the order of the shards, which is the order in which they are asked for.
    var next = 0
    func sum(_ node: ShardTree.Node, into level: Int) {
      let target = levels[level]
      var span = target.mutableSpan
      if nodes.contains(where: { $0.contains(node) }) {
        Elementwise.copy(incoming.span, at: next * length, to: &span, in: 0..<length)
        next += 1
        return
      }
      sum(node.left, into: level)
      guard !tree.shards(of: node.right).isEmpty else { return }
      sum(node.right, into: level + 1)
      let right = levels[level + 1]
      Self.add(right.span, to: &span)
    }
    sum(tree.root, into: 0)
  }
}
