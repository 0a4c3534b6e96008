public import BlockKernels

/// A matrix that stands for a dense one at less storage, and knows how far it is from it.
public protocol CompressedMatrix: Sendable {
  /// The number of rows.
  var rows: Int { get }
  /// The number of columns.
  var columns: Int { get }
  /// The stored numbers of any width, without indices.
  var numbers: Int { get }
  /// The bytes of all that is stored: numbers, indices, scales, the description of blocks.
  var bytes: Int { get }
  /// The largest distance of the dense matrix, in the metric in which it was compressed.
  var certificate: Double { get }
  /// The norm of the dense matrix in that metric.
  var norm: Double { get }

  /// Makes all elements.
  ///
  /// - Returns: The dense matrix that this one stands for.
  func expanded() -> DenseMatrix
}

extension CompressedMatrix {
  /// The certificate in parts of the norm; zero for a zero matrix.
  public var relativeError: Double { norm > 0 ? certificate / norm : 0 }

  /// The bytes in parts of those of the dense matrix in double precision.
  public var ratio: Double { Double(bytes) / Double(8 * rows * columns) }

  /// Computes the distance ‖A − H‖_F of a dense matrix.
  ///
  /// - Parameter matrix: The matrix A.
  /// - Returns: The distance.
  /// - Precondition: It has the same shape.
  public func distance(from matrix: DenseMatrix) -> Double {
    precondition(
      matrix.rows == rows && matrix.columns == columns,
      "\(matrix.rows)×\(matrix.columns) elements beside \(rows)×\(columns)")
    let expanded = expanded()
    return sumOfSquares(zip(matrix.elements, expanded.elements).map { $0 - $1 }).squareRoot()
  }
}
