public import BlockKernels

extension BlockSpectra {
  /// Computes the singular values of all blocks for the order of rows and columns that serves best.
  ///
  /// The natural order is compared with two that follow from the rows and columns themselves (bisection along their principal direction); the one
  /// with the least storage for the error, or the least error for the size, wins, the natural one at equal numbers.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - leaf: The largest number of rows or columns of a leaf.
  ///   - options: For what error or size orders are compared.
  ///   - metric: What the error means.
  /// - Returns: The singular values, with the trees.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used.
  /// - Complexity: About four times that of one order.
  public static func recovering(
    _ matrix: DenseMatrix, leaf: Int = 32, for options: CompressionOptions,
    metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) -> BlockSpectra {
    let ordered = try MatrixPartition.ordered(
      rows: matrix.rows, columns: matrix.columns, leaf: leaf)
    var best = try BlockSpectra(matrix, partition: ordered, metric: metric)
    var bestRank = try best.rank(options)
    let root = best.tree.nodes[0].spectrum
    let transposed = matrix.transposed
    for magnitudes in [false, true] {
      let partition = MatrixPartition(
        rows: try HiddenOrder.rows(of: matrix, magnitudes: magnitudes, leaf: leaf),
        columns: try HiddenOrder.rows(of: transposed, magnitudes: magnitudes, leaf: leaf))
      // The singular values of the whole do not depend on the order.
      let other = try BlockSpectra(matrix, partition: partition, metric: metric, root: root)
      let rank = try other.rank(options)
      if rank < bestRank { (best, bestRank) = (other, rank) }
    }
    return best
  }

  /// What orders are compared by, the smaller the better.
  private func rank(
    _ options: CompressionOptions
  ) throws(HierarchicalMatrixError) -> (Double, Double) {
    let (storage, error) = try counts(options)
    return switch options.target {
    case .absolute, .relative: (Double(storage.numbers), error)
    case .numbers, .bytes: (error, Double(storage.numbers))
    }
  }
}
