public import BlockKernels

/// A matrix of integers, with one scale a row.
public struct QuantizedMatrix: CompressedMatrix, Equatable {
  /// The integers.
  public enum Width: Int, Sendable, CaseIterable {
    /// −127 to 127.
    case int8 = 1
    /// −32767 to 32767.
    case int16 = 2

    /// The largest integer.
    var largest: Double { self == .int8 ? 127 : 32767 }
  }

  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The integers.
  public let width: Width
  /// The integers of the elements, column-major.
  public let codes: [Int16]
  /// What an integer of one stands for, of each row.
  public let scales: [Double]
  /// The distance of the dense matrix.
  public let certificate: Double
  /// The norm of the dense matrix.
  public let norm: Double

  /// The integers.
  public var numbers: Int { codes.count }
  /// The bytes of integers and scales.
  public var bytes: Int { width.rawValue * codes.count + 8 * rows }

  /// Rounds the elements.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - width: The integers.
  ///   - metric: What the certificate means.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used.
  public init(
    _ matrix: DenseMatrix, _ width: Width, metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) {
    try matrix.checkRange("the matrix")
    let rows = matrix.rows
    var scales = [Double](repeating: 0, count: rows)
    for (place, element) in matrix.elements.enumerated() {
      scales[place % rows] = max(scales[place % rows], abs(element) / width.largest)
    }
    let codes = matrix.elements.enumerated().map { place, element in
      let scale = scales[place % rows]
      guard scale > 0 else { return Int16(0) }
      // The quotient may exceed the largest integer by rounding.
      return Int16(max(-width.largest, min(width.largest, (element / scale).rounded())))
    }
    (self.rows, columns, self.width) = (rows, matrix.columns, width)
    (self.codes, self.scales) = (codes, scales)
    norm = try metric.norm(of: matrix)
    var difference = matrix
    for (place, code) in codes.enumerated() {
      difference.elements[place] -= Double(code) * scales[place % rows]
    }
    certificate = try metric.norm(of: difference)
  }

  /// Makes all elements.
  ///
  /// - Returns: The dense matrix.
  public func expanded() -> DenseMatrix {
    DenseMatrix(
      rows: rows, columns: columns,
      elements: codes.enumerated().map { Double($1) * scales[$0 % rows] })
  }
}
