public import BlockKernels

/// A matrix as its difference from one that a seed gives again, as from the initial weights of a network.
public struct DeltaMatrix<Difference: CompressedMatrix>: CompressedMatrix {
  /// The matrix that the seed gives.
  public let base: DenseMatrix
  /// The compressed difference.
  public let difference: Difference
  /// The distance of the dense matrix.
  public let certificate: Double
  /// The norm of the dense matrix.
  public let norm: Double

  /// The number of rows.
  public var rows: Int { base.rows }
  /// The number of columns.
  public var columns: Int { base.columns }
  /// The stored numbers of the difference.
  public var numbers: Int { difference.numbers }
  /// The bytes of the difference and of the seed.
  public var bytes: Int { difference.bytes + 8 }

  /// Compresses a difference.
  ///
  /// - Parameters:
  ///   - matrix: The matrix W.
  ///   - base: The matrix W₀, which whoever expands can make again.
  ///   - metric: What the certificate means.
  ///   - compress: Compresses W − W₀.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used.
  public init(
    _ matrix: DenseMatrix, base: DenseMatrix, metric: CompressionMetric = .entries,
    compress: (DenseMatrix) throws(HierarchicalMatrixError) -> Difference
  ) throws(HierarchicalMatrixError) {
    guard matrix.rows == base.rows && matrix.columns == base.columns else {
      throw HierarchicalMatrixError(
        .input, "a difference of \(matrix.rows)×\(matrix.columns) and \(base.rows)×\(base.columns)")
    }
    try matrix.checkRange("the matrix")
    try base.checkRange("the base")
    self.base = base
    difference = try compress(
      DenseMatrix(
        rows: matrix.rows, columns: matrix.columns,
        elements: zip(matrix.elements, base.elements).map { $0 - $1 }))
    norm = try metric.norm(of: matrix)
    let expanded = Self.sum(base, difference)
    certificate = try metric.norm(
      of: DenseMatrix(
        rows: matrix.rows, columns: matrix.columns,
        elements: zip(matrix.elements, expanded.elements).map { $0 - $1 }))
  }

  /// Makes all elements.
  ///
  /// - Returns: The dense matrix.
  public func expanded() -> DenseMatrix { Self.sum(base, difference) }

  private static func sum(_ base: DenseMatrix, _ difference: Difference) -> DenseMatrix {
    DenseMatrix(
      rows: base.rows, columns: base.columns,
      elements: zip(base.elements, difference.expanded().elements).map { $0 + $1 })
  }
}
