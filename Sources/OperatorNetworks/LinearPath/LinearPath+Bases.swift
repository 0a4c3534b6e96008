import BlockKernels
import BlockSparse
import ClusterTrees

extension LinearPath {
  /// A basis of a receiver box: its points × its coefficients.
  typealias Bases = [[DenseMatrix]]

  /// Finds orthonormal nested bases of the receivers, and writes them into the interpolations.
  ///
  /// The basis of a box t spans the leading left singular vectors of M(t, F) Q(F), F its far points.
  func receiverBases(
    _ matrix: DenseMatrix, _ spread: DenseMatrix?, _ values: inout LinearWeights
  ) throws(LAPACKError) -> Bases {
    var bases = Bases(repeating: [], count: receivers.levels + 1)
    for level in stride(from: receivers.levels, through: coarsest, by: -1) {
      let isLeaf = level == receivers.levels
      let far = Self.farPoints(receivers, sources, self.far, level)
      let item = interpolation(level)
      for box in 0..<receivers.boxCount(level: level) {
        let points = range(receivers, level, box)
        let channels = receiverChannels(level, box)
        guard channels > 0, !far[box].isEmpty else {
          bases[level].append(DenseMatrix(rows: points.count, columns: 0))
          continue
        }
        let children = receivers.children(level: level, box: box)
        var projected = matrix.block(points, far[box])
        if !isLeaf {
          projected = DenseMatrix.stacked(
            children.map { child in
              bases[level + 1][child].times(
                matrix.block(range(receivers, level + 1, child), far[box]), transposesLeft: true)
            })
        }
        if let spread { projected = projected.times(spread.block(far[box], 0..<spread.columns)) }
        let factors = try projected.singularValueDecomposition()
        let kept = factors.kept(channels)
        let vectors = factors.left.block(0..<factors.left.rows, 0..<kept)
        guard !isLeaf else {
          bases[level].append(vectors)
          values.set(item, row: box, from: 0, vectors)
          continue
        }
        var (first, parts) = (0, [DenseMatrix]())
        for child in children {
          let basis = bases[level + 1][child]
          let transfer = vectors.block(first..<first + basis.columns, 0..<kept)
          // Channels of the child that the matrix does not need must stay zero.
          let unused = receiverChannels(level + 1, child) - basis.columns
          values.set(
            item, row: child, from: 0,
            .stacked([
              transfer.widened(to: channels), DenseMatrix(rows: unused, columns: channels),
            ]))
          parts.append(basis.times(transfer))
          first += basis.columns
        }
        bases[level].append(.stacked(parts))
      }
    }
    return bases
  }

  /// The data of a source box during the upward pass.
  private struct SourceBasis {
    /// Its coefficients of Q, coefficients × columns of Q, or of its points.
    var coefficients: DenseMatrix
    /// The map from its coefficients to the far receivers: far receivers × coefficients.
    var effects: DenseMatrix
    var far: [Int]
  }

  /// Finds nested bases of the sources, and writes them into the restrictions, and the couplings into the
  /// bridges.
  ///
  /// The coefficients of a box s belong to the leading singular values of M(F, s) Q(s); for inputs of the covariance
  /// Q Qᵀ they have the deviation one.
  func sourceBases(
    _ matrix: DenseMatrix, _ spread: DenseMatrix?, _ receiverBases: Bases,
    _ values: inout LinearWeights
  ) throws(LAPACKError) {
    var below: [SourceBasis] = []
    for level in stride(from: sources.levels, through: coarsest, by: -1) {
      let isLeaf = level == sources.levels
      let far = Self.farPoints(sources, receivers, farOfSources, level)
      let item = restriction(level)
      var bases: [SourceBasis] = []
      for box in 0..<sources.boxCount(level: level) {
        let (points, channels) = (range(sources, level, box), sourceChannels(level, box))
        guard channels > 0, !far[box].isEmpty else {
          bases.append(
            SourceBasis(
              coefficients: DenseMatrix(rows: 0, columns: spread?.columns ?? points.count),
              effects: DenseMatrix(rows: 0, columns: 0), far: []))
          continue
        }
        let children = isLeaf ? [] : sources.children(level: level, box: box).map { below[$0] }
        let effects =
          isLeaf
          ? matrix.block(far[box], points)
          : .beside(children.map { $0.effects.rows(far[box], among: $0.far) })
        let coefficients =
          isLeaf
          ? spread.map { $0.block(points, 0..<$0.columns) } ?? .identity(points.count)
          : spread == nil
            ? .diagonal(children.map(\.coefficients)) : .stacked(children.map(\.coefficients))
        let factors = try effects.times(
          coefficients.transposed.triangle(), transposesRight: true
        ).singularValueDecomposition()
        let kept = factors.kept(channels)
        let vectors = factors.left.block(0..<factors.left.rows, 0..<kept)
        let scales = factors.values[..<kept]
        let transfer = vectors.times(effects, transposesLeft: true)
          .scaledRows(scales.map { 1 / $0 })
        write(transfer, item, box, children: isLeaf ? nil : (level, children), &values)
        bases.append(
          SourceBasis(
            coefficients: transfer.times(coefficients),
            effects: vectors.scaledColumns(Array(scales)), far: far[box]))
      }
      writeCouplings(level, bases, receiverBases[level], &values)
      below = bases
    }
  }

  /// Writes a restriction; channels of the children that the matrix does not need have no effect.
  private func write(
    _ transfer: DenseMatrix, _ item: NetworkLayer, _ box: Int,
    children: (level: Int, bases: [SourceBasis])?, _ values: inout LinearWeights
  ) {
    guard let children else { return values.set(item, row: box, from: 0, transfer) }
    var (first, place) = (0, 0)
    for (child, basis) in zip(
      sources.children(level: children.level, box: box), children.bases)
    {
      let (used, all) = (
        basis.coefficients.rows, sourceChannels(children.level + 1, child)
      )
      values.set(
        item, row: box, from: place,
        transfer.block(0..<transfer.rows, first..<first + used).widened(to: all))
      first += used
      place += all
    }
  }

  /// Writes the couplings Uᵀ M V of a level.
  private func writeCouplings(
    _ level: Int, _ bases: [SourceBasis], _ receiverBases: [DenseMatrix],
    _ values: inout LinearWeights
  ) {
    guard far[level].entryCount > 0 else { return }
    let item = layer("bridge.\(level).linear")
    values.clear(item)
    for row in 0..<item.layer.pattern.targetCount {
      let points = Array(range(receivers, level, row))
      for entry in item.layer.pattern.entries(of: row) {
        let basis = bases[Int(item.layer.pattern.sources[entry])]
        let coupling = receiverBases[row].times(
          basis.effects.rows(points, among: basis.far), transposesLeft: true)
        values.set(item, row: row, from: Int(item.layer.entryInputs[entry]), coupling)
      }
    }
  }
}

extension DenseMatrix.SingularValues {
  /// The number of singular values above rounding, at most some.
  fileprivate func kept(_ most: Int) -> Int {
    let bound = 1e-14 * (values.first ?? 0)
    return min(values.count { $0 > bound }, most)
  }
}
