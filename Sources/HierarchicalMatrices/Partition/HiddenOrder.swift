import BlockKernels

/// An order of the rows of a matrix, found from the rows themselves.
///
/// Rows, scaled to length one, are points; they are bisected at the median of their components along the principal
/// direction, and the halves again. The rows of a kernel of ordered positions lie on a curve, of which the principal
/// direction is a coordinate. Magnitudes serve kernels that change their sign across the diagonal.
struct HiddenOrder {
  /// The rows, of length one.
  private let points: DenseMatrix
  private let leaf: Int

  /// Finds the order of the rows of a matrix.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - magnitudes: Whether the signs of the elements are left out.
  ///   - leaf: How many rows need no order among each other.
  /// - Returns: The tree of the rows; those of a leaf ascend.
  /// - Throws: ``HierarchicalMatrixError`` if LAPACK fails.
  static func rows(
    of matrix: DenseMatrix, magnitudes: Bool, leaf: Int
  ) throws(HierarchicalMatrixError) -> IndexTree {
    let rows = matrix.rows
    var squares = [Double](repeating: 0, count: rows)
    for place in matrix.elements.indices {
      squares[place % rows] += matrix.elements[place] * matrix.elements[place]
    }
    let scales = squares.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    var points = matrix
    for place in points.elements.indices {
      let value = points.elements[place] * scales[place % rows]
      points.elements[place] = magnitudes ? abs(value) : value
    }
    let search = HiddenOrder(points: points, leaf: max(leaf, 1))
    return try .halving(order: try search.order(Array(0..<rows)), leaf: leaf)
  }

  /// Orders some rows.
  private func order(_ chosen: [Int]) throws(HierarchicalMatrixError) -> [Int] {
    guard chosen.count > leaf else { return chosen.sorted() }
    let components = try principalComponents(chosen)
    let places = chosen.indices.sorted {
      (components[$0], chosen[$0]) < (components[$1], chosen[$1])
    }
    let half = chosen.count / 2
    return try order(places[..<half].map { chosen[$0] })
      + order(places[half...].map { chosen[$0] })
  }

  /// The components of some rows along the direction in which they spread most.
  private func principalComponents(_ chosen: [Int]) throws(HierarchicalMatrixError) -> [Double] {
    var centred = points.rows(chosen[...])
    let count = chosen.count
    for column in 0..<centred.columns {
      let range = column * count..<(column + 1) * count
      let mean = centred.elements[range].reduce(0, +) / Double(count)
      for place in range { centred.elements[place] -= mean }
    }
    // The smaller of the two Gram matrices has the direction, or the components themselves.
    let isWide = centred.columns >= count
    let gram = centred.times(centred, transposesLeft: !isWide, transposesRight: isWide)
    let (_, vectors) = try factored { () throws(LAPACKError) in try gram.symmetricEigenvectors() }
    let leading = DenseMatrix(
      rows: vectors.rows, columns: 1, elements: Array(vectors.elements.suffix(vectors.rows)))
    return isWide ? leading.elements : centred.times(leading).elements
  }
}
