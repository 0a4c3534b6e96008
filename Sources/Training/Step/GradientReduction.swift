import BlockKernels
import BlockSparse
import MessagePassing
import NetworkExecution
import OperatorNetworks

/// Sums the gradients of the shards of a batch over data groups, with bits that do not depend on the groups.
///
/// A group sums the largest subtrees of a `SummationTree` that lie inside its shards; then each group
/// receives the part of all subtrees that it owns, and sums them in the order of the tree.
struct GradientReduction<Scalar: KernelScalar & MPIScalar> {
  /// The buffer of a shard's gradient, and the pairwise additions of the last two buffers that follow.
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
  /// The parameters of each message.
  private let chunks: DataChunks
  /// For each chunk and group: where its part begins among what is sent, or received.
  private let sent: [[Int]]
  private let received: [[Int]]
  private let outgoing: AlignedBuffer<Scalar>
  private let incoming: AlignedBuffer<Scalar>
  /// The sum over the parameters of this group, then the places above it on the stack, one chunk each.
  private let stack: [AlignedBuffer<Scalar>]
  /// Measures the parts of a step, if wanted.
  var clock: StepClock?
  /// For each chunk: the parameters whose gradient is not complete.
  private let missing: AlignedBuffer<Int>

  init(shards: Int, parameters: Int, group: Int, groupCount: Int) {
    let tree = SummationTree(count: shards)
    shardCount = shards
    parameterCount = parameters
    self.group = group
    self.groupCount = groupCount
    let nodes = (0..<groupCount).map {
      tree.maximalNodes(inside: evenPiece(of: shards, pieces: groupCount, piece: $0))
    }
    let subtrees = nodes.map(\.count)
    self.subtrees = subtrees
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
    let chunks = DataChunks(parameters: isAlone ? 0 : parameters, groups: groupCount)
    self.chunks = chunks
    var (outgoing, incoming) = (0, 0)
    sent = chunks.ranges.map { chunk in
      (0..<groupCount).map { other in
        let start = outgoing
        if other != group { outgoing += own.count * chunks.part(of: chunk, for: other).count }
        return start
      }
    }
    received = chunks.ranges.map { chunk in
      (0..<groupCount).map { other in
        let start = incoming
        if other != group { incoming += subtrees[other] * chunks.part(of: chunk, for: group).count }
        return start
      }
    }
    self.outgoing = AlignedBuffer(repeating: 0, count: outgoing)
    self.incoming = AlignedBuffer(repeating: 0, count: incoming)
    let owned = evenPiece(of: parameters, pieces: groupCount, piece: group).count
    let longest = chunks.ranges.map { chunks.part(of: $0, for: group).count }.max() ?? 0
    stack = (0...(steps.lazy.filter { $0.merges == 0 }.map(\.place).max() ?? 0)).map {
      AlignedBuffer(repeating: 0, count: isAlone ? 0 : $0 == 0 ? owned : longest)
    }
    missing = AlignedBuffer(repeating: 0, count: chunks.ranges.count)
  }

  /// The shards of this group.
  var shards: Range<Int> { evenPiece(of: shardCount, pieces: groupCount, piece: group) }

  /// Returns the parameters that a group owns.
  func owned(by group: Int) -> Range<Int> {
    evenPiece(of: parameterCount, pieces: groupCount, piece: group)
  }

  /// The sum of all shards over the parameters that this group owns, after the reduction.
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
      Self.add(source.span, at: range.lowerBound, to: &span, in: range)
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func add(
    _ source: Span<Scalar>, at start: Int, to target: inout MutableSpan<Scalar>,
    in range: Range<Int>
  ) {
    Elementwise.add(source, at: start, to: &target, in: range)
  }

  /// Sums the gradients of all groups over the parameters that this group owns.
  ///
  /// Collective. Messages leave while the gradients of other parameters are computed.
  ///
  /// - Parameters:
  ///   - communicator: The data groups.
  ///   - body: Computes the gradients of this group's shards; it calls its argument with each shard and range of
  ///     parameters whose gradient is complete; for each range, shards come in ascending order.
  /// - Throws: `MPIError` if the exchange fails, and what `body` throws.
  func reduce(
    on communicator: borrowing Communicator,
    _ body: (_ finished: (Int, Range<Int>) throws(MPIError) -> Void) throws(MPIError) -> Void
  ) throws(MPIError) {
    guard groupCount > 1 else { return try body { add($0, $1) } }
    for chunk in chunks.ranges.indices { missing[chunk] = chunks.ranges[chunk].count }
    let (outgoing, incoming, last) = (outgoing, incoming, shards.upperBound - 1)
    var span = incoming.mutableSpan
    communicator.stallWatch.phase = .init("gradients")
    clock?.enter(.communication)
    try communicator.withRequests(sending: outgoing.span, receiving: &span) {
      (requests) throws(MPIError) in
      try receive(&requests)
      clock?.enter(.other)
      try body { (shard, range) throws(MPIError) in
        add(shard, range)
        if shard == last { try send(range, &requests) }
      }
      communicator.stallWatch.phase = .init("sum of gradients")
      clock?.enter(.communication)
    }
    clock?.enter(.sums)
    for chunk in chunks.ranges.indices { addUp(chunk) }
  }

  /// Starts to receive the parts that this group owns.
  private func receive(_ requests: inout Requests<Scalar>) throws(MPIError) {
    for chunk in chunks.ranges.indices {
      let length = chunks.part(of: chunks.ranges[chunk], for: group).count
      for other in 0..<groupCount where other != group && subtrees[other] * length > 0 {
        let start = received[chunk][other]
        try requests.receive(
          start..<start + subtrees[other] * length, from: other, tag: chunk)
      }
    }
  }

  /// Sends the chunks that are complete with a range of parameters.
  private func send(
    _ range: Range<Int>, _ requests: inout Requests<Scalar>
  ) throws(MPIError) {
    for chunk in chunks.ranges.indices {
      let count = range.clamped(to: chunks.ranges[chunk]).count
      guard count > 0 else { continue }
      missing[chunk] -= count
      guard missing[chunk] == 0 else { continue }
      let before = clock?.enter(.communication)
      defer { if let before { clock?.enter(before) } }
      for other in 0..<groupCount where other != group {
        let part = chunks.part(of: chunks.ranges[chunk], for: other)
        let start = sent[chunk][other]
        for tree in 0..<subtrees[group] {
          let place = start + tree * part.count
          outgoing.copy(from: buffers[tree], at: part.lowerBound, to: place..<place + part.count)
        }
        let count = subtrees[group] * part.count
        if count > 0 { try requests.send(start..<start + count, to: other, tag: chunk) }
      }
      try requests.progress()
    }
  }

  /// Sums the subtrees of all groups in a chunk: those of this group stand in their buffers, the others were received.
  private func addUp(_ chunk: Int) {
    let part = chunks.part(of: chunks.ranges[chunk], for: group)
    let first = part.lowerBound - owned(by: group).lowerBound
    guard !part.isEmpty else { return }
    func start(_ place: Int) -> Int { place == 0 ? first : 0 }
    var (other, tree) = (0, 0)
    for step in steps {
      while tree == subtrees[other] { (other, tree) = (other + 1, 0) }
      var (source, from) =
        other == group
        ? (buffers[tree], part.lowerBound)
        : (incoming, received[chunk][other] + tree * part.count)
      tree += 1
      if step.merges == 0 {
        let place = start(step.place)
        stack[step.place].copy(from: source, at: from, to: place..<place + part.count)
      }
      // A term that is added at once needs no place on the stack.
      for merge in 0..<step.merges {
        let below = step.place - merge - 1
        let target = stack[below]
        var sum = target.mutableSpan
        Self.add(source.span, at: from, to: &sum, in: start(below)..<start(below) + part.count)
        (source, from) = (target, start(below))
      }
    }
  }
}
