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
    precondition(
      structure.pattern == .weak, "the pattern \(structure.pattern.rawValue) is not closed")
    let old = parameters.span
    var new = result.mutableSpan
    let tree = structure.tree
    // T of the boxes of a level.
    var couplings: [DenseMatrix] = []
    for leaf in 0..<tree.boxCount(level: tree.levels) {
      let inverse: DenseMatrix
      do throws(FactorFailure) {
        inverse =
          try inverseDiagonal(leaf, parameters)
          ?? .identity(tree.pointRange(level: tree.levels, box: leaf).count)
      } catch {
        throw error.error(self)
      }
      diagonal.set(leaf, 0, inverse, &new)
      guard let leafRestriction, let leafInterpolation else { continue }
      let basis = inverse.times(leafInterpolation.block(leaf, 0, old))
      leafInterpolation.set(leaf, 0, basis, &new)
      // Vᵀ is stored.
      let restriction = leafRestriction.block(leaf, 0, old)
      leafRestriction.set(leaf, 0, restriction.times(inverse), &new)
      couplings.append(restriction.times(basis))
    }
    guard let coarsest = structure.coarsest else { return }
    for level in stride(from: tree.levels, through: coarsest, by: -1) {
      var parents: [DenseMatrix] = []
      for parent in 0..<tree.boxCount(level: level - 1) {
        let coupling = invert(
          children: parent * tree.arity..<(parent + 1) * tree.arity, level, couplings, old, &new)
        if let coupling { parents.append(coupling) }
      }
      couplings = parents
    }
  }

  /// Inverts the blocks between siblings, and what leads to their parent.
  ///
  /// - Returns: T of the parent; nil if it has no basis.
  private func invert(
    children: Range<Int>, _ level: Int, _ couplings: [DenseMatrix], _ old: Span<Double>,
    _ new: inout MutableSpan<Double>
  ) -> DenseMatrix? {
    let first = children.lowerBound
    guard let bridge = bridges[level] else { return nil }
    // S_ij T_j, and S_ij: siblings before a box are the sources of its row.
    func s(_ i: Int, _ j: Int) -> DenseMatrix { bridge.block(i, j - first, old) }
    for j in children {
      // Z_ij T-weighted for the column j, from the first row behind it on.
      var column: [(k: Int, z: DenseMatrix)] = []
      for i in j + 1..<max(children.upperBound, j + 1) {
        var z = s(i, j)
        for (k, before) in column { z.add(s(i, k).times(couplings[k]), times: before) }
        z.elements = z.elements.map { -$0 }
        bridge.set(i, j - first, z, &new)
        column.append((i, z))
      }
    }
    guard level > (structure.coarsest ?? level), let interpolation = interpolations[level - 1],
      let restriction = restrictions[level - 1]
    else { return nil }
    let parent = first / structure.tree.arity
    // X, from the first child on.
    var x: [DenseMatrix] = []
    for i in children {
      var transfer = interpolation.block(i, 0, old)
      for j in first..<i {
        let term = s(i, j).times(couplings[j].times(x[j - first]))
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
        let term = behind.times(couplings[i]).times(s(i, j))
        for place in transfer.elements.indices { transfer.elements[place] -= term.elements[place] }
      }
      restriction.set(parent, j - first, transfer, &new)
      y[j - first] = transfer
    }
    for i in children {
      let term = restriction.block(parent, i - first, old).times(couplings[i]).times(x[i - first])
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
