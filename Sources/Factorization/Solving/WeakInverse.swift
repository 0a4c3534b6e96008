public import BlockKernels
import ClusterTrees
public import MessagePassing
import OperatorNetworks

extension FactorBlocks {
  /// Returns the parameters of L⁻¹, which has the same structure if the pattern is weak.
  ///
  /// Let T_c = V_cᵀ L_c⁻¹ U_c for a box c with the diagonal part L_c of the factor; for a leaf it is formed from its
  /// blocks. The bases of the inverse are L_c⁻¹ U_c and L_c⁻ᵀ V_c. For a box with the children 1 … b, transfers R_c and
  /// W_c of U and V, and bridges S_ij between siblings j < i:
  ///
  /// - X_i = R_i − Σ_{j<i} S_ij T_j X_j are the transfers of L⁻¹ U, from the first child on;
  /// - Y_j = W_j − Σ_{i>j} S_ijᵀ T_iᵀ Y_i are those of L⁻ᵀ V, from the last child on;
  /// - Z_ij = −S_ij − Σ_{j<k<i} S_ik T_k Z_kj are the bridges;
  /// - T = Σ W_iᵀ T_i X_i belongs to the box itself.
  ///
  /// Each follows from L z = U x by substitution over the children. A box needs its children only: the sweep goes up level
  /// by level, with O(r³) operations a box.
  ///
  /// - Parameters:
  ///   - parameters: Those of L, all of them.
  ///   - result: The parameters of the factor are set to those of L⁻¹.
  /// - Throws: `RunError` if a diagonal block is numerically singular, or not finite.
  /// - Precondition: The pattern is weak.
  public func invert(
    _ parameters: AlignedBuffer<Double>, into result: AlignedBuffer<Double>
  ) throws(RunError) {
    let tree = structure.tree
    var inversion = WeakInversion(self, parameters, result)
    do throws(FactorFailure) {
      try inversion.sweep(0..<tree.boxCount(level: tree.levels))
    } catch {
      throw error.error(self)
    }
  }

  /// Sets the parameters of this rank's part of L⁻¹; ranks go up their subtrees side by side.
  ///
  /// What the boxes above the subtrees need of them, one matrix r × r of each box, is gathered, and all ranks invert those
  /// few boxes.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allgatherv`.
  ///
  /// - Parameters:
  ///   - parameters: Those of L, all of them.
  ///   - result: The parameters of the blocks that begin in this rank's leaves, and of all boxes that lie on several ranks,
  ///     are set to those of L⁻¹.
  ///   - partition: The leaves of each rank.
  ///   - ranks: The ranks.
  /// - Throws: `RunError`, the same on all ranks, if a diagonal block is numerically singular, or not finite; `MPIError`.
  /// - Precondition: The pattern is weak.
  func invert(
    _ parameters: AlignedBuffer<Double>, into result: AlignedBuffer<Double>,
    partition: LeafPartition, ranks: borrowing Communicator
  ) throws {
    var inversion = WeakInversion(self, parameters, result)
    var failure: FactorFailure?
    do throws(FactorFailure) {
      try inversion.sweep(partition.leaves(of: ranks.rank))
    } catch {
      failure = error
    }
    try FactorFailure.share(failure, self, on: ranks)
    guard ranks.size > 1 else { return }
    let needed = inversion.needed(partition)
    let counts = needed.map { $0.reduce(0) { $0 + $1.count } }
    let own = needed[ranks.rank].flatMap { inversion.coupling($0) }
    var all = [Double](repeating: 0, count: counts.reduce(0, +))
    var span = all.mutableSpan
    try ranks.allGather(own.span, counts: counts, into: &span)
    var place = 0
    for box in needed.joined() {
      inversion.setCoupling(box, Array(all[place..<place + box.count]))
      place += box.count
    }
    inversion.sweepShared(partition)
  }
}

/// The sweep up a weak factor that forms its inverse.
private struct WeakInversion {
  /// A box, and the channels of its basis.
  struct Box {
    let level: Int
    let box: Int
    let channels: Int
    /// The numbers of its matrix T.
    var count: Int { channels * channels }
  }

  private let blocks: FactorBlocks
  private let structure: FactorStructure
  private let parameters: AlignedBuffer<Double>
  private let result: AlignedBuffer<Double>
  /// T by level and box, of the boxes that are done.
  private var couplings: [[DenseMatrix?]]

  init(
    _ blocks: FactorBlocks, _ parameters: AlignedBuffer<Double>, _ result: AlignedBuffer<Double>
  ) {
    precondition(
      blocks.structure.pattern == .weak,
      "the pattern \(blocks.structure.pattern.rawValue) is not closed")
    (self.blocks, structure) = (blocks, blocks.structure)
    (self.parameters, self.result) = (parameters, result)
    let tree = structure.tree
    couplings = (0...tree.levels).map {
      [DenseMatrix?](repeating: nil, count: tree.boxCount(level: $0))
    }
  }

  /// The leaves of a box.
  private func leaves(_ level: Int, _ box: Int) -> Range<Int> {
    let width = structure.tree.boxCount(level: structure.tree.levels - level)
    return box * width..<(box + 1) * width
  }

  /// Inverts some leaves, and all boxes whose leaves are among them.
  mutating func sweep(_ own: Range<Int>) throws(FactorFailure) {
    let tree = structure.tree
    for leaf in own { try invert(leaf: leaf) }
    guard let coarsest = structure.coarsest else { return }
    for level in stride(from: tree.levels, through: coarsest, by: -1) {
      let width = leaves(level - 1, 0).count
      let first = (own.lowerBound + width - 1) / width
      for parent in first..<max(first, own.upperBound / width) { invert(parent, above: level) }
    }
  }

  /// Inverts the boxes whose leaves belong to several ranks.
  mutating func sweepShared(_ partition: LeafPartition) {
    guard let coarsest = structure.coarsest else { return }
    for level in stride(from: structure.tree.levels, through: coarsest, by: -1) {
      for parent in shared(level - 1, partition) { invert(parent, above: level) }
    }
  }

  /// The boxes of a level whose leaves belong to several ranks.
  private func shared(_ level: Int, _ partition: LeafPartition) -> [Int] {
    let width = leaves(level, 0).count
    let cut = partition.leafCuts.dropFirst().dropLast().filter { $0 % width != 0 }
    return Set(cut.map { $0 / width }).sorted()
  }

  /// For each rank the boxes in its part that have parents in several: their matrices T are needed by all.
  func needed(_ partition: LeafPartition) -> [[Box]] {
    var result = [[Box]](repeating: [], count: partition.rankCount)
    guard let coarsest = structure.coarsest else { return result }
    let tree = structure.tree
    for level in coarsest...tree.levels {
      let isShared = Set(shared(level, partition))
      for parent in shared(level - 1, partition) {
        for box in parent * tree.arity..<(parent + 1) * tree.arity where !isShared.contains(box) {
          let leaf = leaves(level, box).lowerBound
          guard
            let rank = (0..<partition.rankCount).first(where: {
              partition.leaves(of: $0).contains(leaf)
            })
          else { continue }
          result[rank].append(Box(level: level, box: box, channels: structure.channels[level]))
        }
      }
    }
    return result
  }

  func coupling(_ box: Box) -> [Double] { couplings[box.level][box.box]?.elements ?? [] }

  mutating func setCoupling(_ box: Box, _ elements: [Double]) {
    var matrix = DenseMatrix(rows: box.channels, columns: box.channels)
    matrix.elements = elements
    couplings[box.level][box.box] = matrix
  }

  private mutating func invert(leaf: Int) throws(FactorFailure) {
    let tree = structure.tree
    let size = tree.pointRange(level: tree.levels, box: leaf).count
    let inverse = try blocks.inverseDiagonal(leaf, parameters) ?? .identity(size)
    let (parameters, result) = (parameters, result)
    var new = result.mutableSpan
    let old = parameters.span
    blocks.diagonal.set(leaf, 0, inverse, &new)
    guard let leafRestriction = blocks.leafRestriction,
      let leafInterpolation = blocks.leafInterpolation
    else { return }
    let basis = inverse.times(leafInterpolation.block(leaf, 0, old))
    leafInterpolation.set(leaf, 0, basis, &new)
    // Vᵀ is stored.
    let restriction = leafRestriction.block(leaf, 0, old)
    leafRestriction.set(leaf, 0, restriction.times(inverse), &new)
    let (level, coupling) = (tree.levels, restriction.times(basis))
    couplings[level][leaf] = coupling
  }

  /// Inverts the blocks between the children of a box, and what leads to it.
  private mutating func invert(_ parent: Int, above level: Int) {
    let arity = structure.tree.arity
    let (parameters, result) = (parameters, result)
    var new = result.mutableSpan
    let coupling = invert(
      children: parent * arity..<(parent + 1) * arity, level, parameters.span, &new)
    couplings[level - 1][parent] = coupling
  }

  /// Inverts the blocks between siblings, and what leads to their parent.
  ///
  /// - Returns: T of the parent; nil if it has no basis.
  private func invert(
    children: Range<Int>, _ level: Int, _ old: Span<Double>, _ new: inout MutableSpan<Double>
  ) -> DenseMatrix? {
    let first = children.lowerBound
    guard let bridge = blocks.bridges[level] else { return nil }
    func t(_ box: Int) -> DenseMatrix {
      guard let coupling = couplings[level][box] else {
        preconditionFailure("box \(box) of level \(level) is needed before it is inverted")
      }
      return coupling
    }
    // S_ij T_j, and S_ij: siblings before a box are the sources of its row.
    func s(_ i: Int, _ j: Int) -> DenseMatrix { bridge.block(i, j - first, old) }
    for j in children {
      // Z_ij T-weighted for the column j, from the first row behind it on.
      var column: [(k: Int, z: DenseMatrix)] = []
      for i in j + 1..<max(children.upperBound, j + 1) {
        var z = s(i, j)
        for (k, before) in column { z.add(s(i, k).times(t(k)), times: before) }
        z.elements = z.elements.map { -$0 }
        bridge.set(i, j - first, z, &new)
        column.append((i, z))
      }
    }
    guard level > (structure.coarsest ?? level),
      let interpolation = blocks.interpolations[level - 1],
      let restriction = blocks.restrictions[level - 1]
    else { return nil }
    let parent = first / structure.tree.arity
    // X, from the first child on.
    var x: [DenseMatrix] = []
    for i in children {
      var transfer = interpolation.block(i, 0, old)
      for j in first..<i {
        let term = s(i, j).times(t(j).times(x[j - first]))
        for place in transfer.elements.indices { transfer.elements[place] -= term.elements[place] }
      }
      interpolation.set(i, 0, transfer, &new)
      x.append(transfer)
    }
    // Yᵀ, from the last child on.
    var y = [DenseMatrix?](repeating: nil, count: children.count)
    var coupling: DenseMatrix?
    for j in children.reversed() {
      let w = restriction.block(parent, j - first, old)
      var transfer = w
      for i in j + 1..<max(children.upperBound, j + 1) {
        guard let behind = y[i - first] else { continue }
        let term = behind.times(t(i)).times(s(i, j))
        for place in transfer.elements.indices { transfer.elements[place] -= term.elements[place] }
      }
      restriction.set(parent, j - first, transfer, &new)
      y[j - first] = transfer
    }
    for i in children {
      let term = restriction.block(parent, i - first, old).times(t(i)).times(x[i - first])
      coupling =
        coupling.map { sum in
          var sum = sum
          for place in sum.elements.indices { sum.elements[place] += term.elements[place] }
          return sum
        } ?? term
    }
    return coupling
  }
}
