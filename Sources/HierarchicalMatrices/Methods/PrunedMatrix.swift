public import BlockKernels

/// The largest elements of a matrix, with their places.
public struct PrunedMatrix: CompressedMatrix, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The places of the elements, column-major and ascending.
  public let places: [Int32]
  /// The elements.
  public let values: [Double]
  /// The distance of the dense matrix.
  public let certificate: Double
  /// The norm of the dense matrix.
  public let norm: Double

  /// The bytes of an element and its place.
  static let elementBytes = 12

  /// The stored elements.
  public var numbers: Int { values.count }
  /// The bytes of elements and places.
  public var bytes: Int { Self.elementBytes * values.count }

  /// Keeps the largest elements, of equal ones the first.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - target: The largest error in the entries, or the size.
  ///   - metric: What the certificate means; an error bound needs the entries.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used.
  public init(
    _ matrix: DenseMatrix, _ target: CompressionTarget, metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) {
    try CompressionOptions(target).validate()
    try matrix.checkRange("the matrix")
    let elements = matrix.elements
    guard elements.count <= Int32.max else {
      throw HierarchicalMatrixError(.input, "\(elements.count) elements cannot be numbered")
    }
    let descending = elements.indices.sorted {
      (-abs(elements[$0]), $0) < (-abs(elements[$1]), $1)
    }
    let norm = matrix.frobeniusNorm
    let kept: Int
    switch target {
    case .numbers(let count): kept = count
    case .bytes(let bytes): kept = bytes / Self.elementBytes
    case .absolute, .relative:
      guard metric.kind == .entries else {
        throw HierarchicalMatrixError(
          .input, "elements are chosen by their own size: no bound in the metric of data")
      }
      let sizes = BlockSpectrum(descending.map { abs(elements[$0]) })
      var error = 0.0
      if case .absolute(let bound) = target { error = bound }
      if case .relative(let bound) = target { error = bound * norm }
      kept = sizes.rank(error: error)
    }
    let chosen = descending.prefix(kept).sorted()
    (rows, columns) = (matrix.rows, matrix.columns)
    places = chosen.map { Int32($0) }
    values = chosen.map { elements[$0] }
    var dropped = matrix
    for place in chosen { dropped.elements[place] = 0 }
    certificate = try metric.norm(of: dropped)
    self.norm = try metric.norm(of: matrix)
  }

  /// Makes all elements.
  ///
  /// - Returns: The dense matrix.
  public func expanded() -> DenseMatrix {
    var result = DenseMatrix(rows: rows, columns: columns)
    for (place, value) in zip(places, values) { result.elements[Int(place)] = value }
    return result
  }
}
