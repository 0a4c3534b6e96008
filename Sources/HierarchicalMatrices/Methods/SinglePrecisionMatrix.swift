public import BlockKernels

/// A matrix in single precision.
public struct SinglePrecisionMatrix: CompressedMatrix, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The elements, column-major.
  public let values: [Float]
  /// The distance of the dense matrix.
  public let certificate: Double
  /// The norm of the dense matrix.
  public let norm: Double

  /// The elements.
  public var numbers: Int { values.count }
  /// The bytes of the elements.
  public var bytes: Int { 4 * values.count }

  /// Rounds the elements.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - metric: What the certificate means.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used, or an element is too large.
  public init(
    _ matrix: DenseMatrix, metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) {
    try matrix.checkRange("the matrix")
    let values = matrix.elements.map { Float($0) }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw HierarchicalMatrixError(
        .input, "the element \(matrix.elements[place]) is too large for single precision")
    }
    (rows, columns, self.values) = (matrix.rows, matrix.columns, values)
    norm = try metric.norm(of: matrix)
    certificate = try metric.norm(
      of: DenseMatrix(
        rows: rows, columns: columns,
        elements: zip(matrix.elements, values).map { $0 - Double($1) }))
  }

  /// Makes all elements.
  ///
  /// - Returns: The dense matrix.
  public func expanded() -> DenseMatrix {
    DenseMatrix(rows: rows, columns: columns, elements: values.map { Double($0) })
  }
}
