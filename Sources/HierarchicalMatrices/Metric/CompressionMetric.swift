public import BlockKernels

/// What the error of a compressed matrix means.
public enum CompressionMetric: Sendable, Equatable {
  /// ‖A − H‖_F, the entries.
  case entries
  /// ‖(A − H) L‖_F, the outputs for inputs of second moment L Lᵀ.
  case data(DataMetric)

  /// The kind of the metric, without its numbers.
  public enum Kind: String, Sendable, Codable {
    /// The entries.
    case entries
    /// The outputs.
    case data
  }

  /// The kind of the metric.
  public var kind: Kind {
    switch self {
    case .entries: .entries
    case .data: .data
    }
  }

  /// The norm of a matrix, or of the difference of two.
  ///
  /// - Parameter matrix: The matrix.
  /// - Returns: Its norm.
  /// - Throws: ``HierarchicalMatrixError`` if the data are those of another number of inputs.
  public func norm(of matrix: DenseMatrix) throws(HierarchicalMatrixError) -> Double {
    switch self {
    case .entries: return matrix.frobeniusNorm
    case .data(let data):
      guard data.inputs == matrix.columns else {
        throw HierarchicalMatrixError(
          .input, "data of \(data.inputs) inputs for a matrix of \(matrix.columns) columns")
      }
      return matrix.times(data.factor).frobeniusNorm
    }
  }
}
