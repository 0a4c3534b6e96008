import BlockKernels

/// How the gradient of weights that rows share is summed over the rows, on one rank or on several.
///
/// The rows of a group are summed along a ``SummationTree``: a rank sums the largest nodes inside its rows,
/// and the sums of all ranks are added up along the same tree. A sum is a block of the group's
/// weights followed by its biases, if the layer has any.
struct RowSums: Sendable {
  /// The rows of one node.
  struct Node: Sendable {
    let group: Int
    /// Where its sum stands among those of its rank.
    let start: Int
    let rows: [Int]
    let steps: [SummationTree.Step]
  }

  /// A sum that a rank contributes to that of a group.
  struct Contribution: Sendable {
    let rank: Int
    let start: Int
    let step: SummationTree.Step
  }

  /// The nodes of this rank.
  let nodes: [Node]
  /// For each group: the sums of all ranks, in the order of the rows.
  let contributions: [[Contribution]]
  /// For each rank: the numbers in all its sums.
  let counts: [Int]
  /// For each group: the numbers in one sum.
  let sizes: [Int]
  /// The numbers of the stack on which sums are formed.
  let stackCount: Int

  /// Plans the sums of a layer whose rows are spread over ranks.
  init(_ layer: BlockSparseLayer, rankRows: [Range<Int>], rank: Int, hasBias: Bool) {
    let pattern = layer.pattern
    let groups = layer.groupInputs.indices
    let sizes = groups.map {
      (layer.groupInputs[$0] + (hasBias ? 1 : 0)) * layer.groupOutputs[$0]
    }
    var rows = [[Int]](repeating: [], count: groups.count)
    for row in 0..<pattern.targetCount { rows[Int(pattern.groups[row])].append(row) }
    var (nodes, contributions): ([Node], [[Contribution]]) = ([], [])
    var counts = [Int](repeating: 0, count: rankRows.count)
    var stackCount = 0
    for group in groups {
      let tree = SummationTree(count: rows[group].count)
      var (all, owners): ([SummationTree.Node], [(rank: Int, start: Int)]) = ([], [])
      for (other, range) in rankRows.enumerated() {
        let first = rows[group].firstPlace(from: range.lowerBound)
        let end = rows[group].firstPlace(from: range.upperBound)
        for node in tree.maximalNodes(inside: first..<max(first, end)) {
          all.append(node)
          owners.append((other, counts[other]))
          if other == rank {
            let steps = tree.steps(within: node)
            stackCount = max(stackCount, sizes[group] * ((steps.map(\.place).max() ?? 0) + 1))
            nodes.append(
              Node(
                group: group, start: counts[other],
                rows: tree.items(of: node).map { rows[group][$0] },
                steps: steps))
          }
          counts[other] += sizes[group]
        }
      }
      let steps = tree.steps(all, into: tree.root)
      stackCount = max(stackCount, sizes[group] * ((steps.map(\.place).max() ?? 0) + 1))
      contributions.append(
        zip(owners, steps).map { Contribution(rank: $0.rank, start: $0.start, step: $1) })
    }
    self.nodes = nodes
    self.contributions = contributions
    self.counts = counts
    self.sizes = sizes
    self.stackCount = stackCount
  }
}

extension BlockSparseLayer {
  /// Returns what ranks contribute to the gradient of weights that their rows share.
  ///
  /// - Parameters:
  ///   - rankRows: The rows of each rank.
  ///   - isTransposed: Whether the weights are used by a transposed layer, which has no biases.
  /// - Returns: For each rank the numbers in its sums, for each shard; zeros if rows have weights to
  ///   themselves.
  public func sumCounts(of rankRows: [Range<Int>], isTransposed: Bool = false) -> [Int] {
    rowsOwnWeights
      ? [Int](repeating: 0, count: rankRows.count)
      : RowSums(self, rankRows: rankRows, rank: 0, hasBias: hasBias && !isTransposed).counts
  }
}

extension Array where Element == Int {
  /// Returns the first place of an ascending array whose element is at least a bound.
  package func firstPlace(from bound: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The stack on which sums are formed: its lowest place, where the sum ends, and the others behind each other.
struct SumStack {
  let first: Int
  let others: Int
  let size: Int

  /// Returns where a term begins in the scratch.
  func start(of place: Int) -> Int { place == 0 ? first : others + (place - 1) * size }

  /// Adds the topmost terms to those below them.
  @inline(__always)
  func merge<Scalar: KernelScalar>(
    _ step: SummationTree.Step, _ scratch: inout MutableSpan<Scalar>
  ) {
    for merge in 0..<step.merges {
      let below = start(of: step.place - merge - 1)
      Elementwise.add(
        within: &scratch, from: start(of: step.place - merge), to: below..<below + size)
    }
  }
}
