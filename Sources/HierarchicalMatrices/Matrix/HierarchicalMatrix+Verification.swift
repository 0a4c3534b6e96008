public import BlockKernels

extension HierarchicalMatrix {
  /// Computes the error anew and compares it with the certificate.
  ///
  /// In the metric of the entries both must agree to 100 ε‖A‖_F right after the construction; later, and for blocks
  /// side by side in the metric of data, the certificate is a bound.
  ///
  /// - Parameters:
  ///   - matrix: The matrix A that was compressed, with all changes that H had since.
  ///   - metric: The metric in which it was compressed.
  /// - Returns: The error ‖A − H‖_F, or ‖(A − H) L‖_F.
  /// - Throws: ``HierarchicalMatrixError`` if shape or metric are others, or the error is not what the certificate says.
  @discardableResult
  public func verify(
    against matrix: DenseMatrix, metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) -> Double {
    guard matrix.rows == rows && matrix.columns == columns else {
      throw HierarchicalMatrixError(
        .input, "\(matrix.rows)×\(matrix.columns) elements to verify \(rows)×\(columns)")
    }
    try matrix.checkRange("the matrix")
    return try verify(
      againstOrdered: matrix.ordered(rowOrder, columnOrder), metric: metric)
  }

  /// Compares with a matrix in the order of the blocks.
  func verify(
    againstOrdered matrix: DenseMatrix, metric: CompressionMetric
  ) throws(HierarchicalMatrixError) -> Double {
    guard metric.kind == self.metric else {
      throw HierarchicalMatrixError(
        .input, "certified in the metric of \(self.metric.rawValue), not of \(metric.kind.rawValue)"
      )
    }
    let error: Double
    let size: Double
    switch metric {
    case .entries:
      error = entryDistance(matrix)
      size = max(matrix.frobeniusNorm, norm)
    case .data(let data):
      guard data.inputs == columns else {
        throw HierarchicalMatrixError(
          .input, "data of \(data.inputs) inputs for a matrix of \(columns) columns")
      }
      let factor = data.factor.rows(columnOrder[...])
      error = difference(matrix).times(factor).frobeniusNorm
      // Rounding is that of the entries before the factor.
      size = max(matrix.frobeniusNorm * factor.frobeniusNorm, norm)
    }
    let rounding = 100 * Double.ulpOfOne * size
    let areColumnsWhole = blocks.allSatisfy { $0.columns.count == columns }
    let isEqual = steps.count == 1 && (self.metric == .entries || areColumnsWhole)
    guard error <= certificate + rounding, !isEqual || error >= certificate - rounding else {
      throw HierarchicalMatrixError(
        .certificateMissed,
        "the error is \(error), but the certificate says \(certificate) (norm \(size))")
    }
    return error
  }

  /// ‖A − H‖_F of a matrix in the order of the blocks.
  private func entryDistance(_ matrix: DenseMatrix) -> Double {
    var sum = 0.0
    for block in blocks {
      // Dense blocks too: their numbers may have been changed.
      let difference = expanded(block).elements
      let original = matrix.block(rows: block.rows, columns: block.columns).elements
      sum += sumOfSquares(zip(original, difference).map { $0 - $1 })
    }
    return sum.squareRoot()
  }

  /// A − H in the order of the blocks.
  private func difference(_ matrix: DenseMatrix) -> DenseMatrix {
    var result = matrix
    for block in blocks {
      let elements = expanded(block).elements
      var place = 0
      for column in block.columns {
        let start = column * rows
        for row in block.rows {
          result.elements[start + row] -= elements[place]
          place += 1
        }
      }
    }
    return result
  }
}
