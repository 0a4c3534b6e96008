import BlockKernels

extension BlockTriangle {
  /// Solves T x = b or Tᵀ x = b by substitution over the blocks.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]`; become the solutions.
  ///   - count: The number of vectors.
  ///   - transposed: Whether the matrix is Tᵀ.
  ///   - inverses: The inverses of the diagonal blocks.
  func solve(
    _ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool, inverses: [DenseMatrix]
  ) {
    var x = vectors.mutableSpan
    let leaves = 0..<structure.leafCount
    for step in leaves {
      let leaf = transposed ? leaves.upperBound - 1 - step : step
      if transposed { subtract(leaf, &x, count, transposed) }
      divide(&x, structure.starts[leaf], inverses[leaf], count, transposed)
      if !transposed { subtract(leaf, &x, count, transposed) }
    }
  }

  /// Subtracts the products of a column's blocks: from the unknowns of their rows, or, transposed, from those of the
  /// column.
  private func subtract(
    _ leaf: Int, _ x: inout MutableSpan<Double>, _ count: Int, _ transposed: Bool
  ) {
    let blocks = elements.span
    let (first, width) = (structure.starts[leaf], structure.size(leaf))
    for (index, row) in structure.rows[leaf].enumerated() {
      let (other, height) = (structure.starts[Int(row)], structure.size(Int(row)))
      let place = places[leaf][index + 1]
      for column in 0..<width {
        for line in 0..<height {
          let factor = blocks[place + column * height + line]
          let (one, two) = ((first + column) * count, (other + line) * count)
          let (target, source) = transposed ? (one, two) : (two, one)
          for vector in 0..<count { x[target + vector] -= factor * x[source + vector] }
        }
      }
    }
  }

  /// The inverses of the diagonal blocks.
  ///
  /// - Returns: One for each leaf.
  /// - Throws: `LAPACKError` if one is singular.
  func diagonalInverses() throws(LAPACKError) -> [DenseMatrix] {
    var result: [DenseMatrix] = []
    for leaf in 0..<structure.leafCount { result.append(try diagonal(leaf).inverse()) }
    return result
  }

  /// Multiplies the unknowns of a leaf by the inverse of its block.
  private func divide(
    _ x: inout MutableSpan<Double>, _ first: Int, _ inverse: DenseMatrix, _ count: Int,
    _ transposed: Bool
  ) {
    let size = inverse.rows
    let old = (0..<size * count).map { x[first * count + $0] }
    for row in 0..<size {
      for vector in 0..<count { x[(first + row) * count + vector] = 0 }
      for column in 0..<size {
        let factor = transposed ? inverse[column, row] : inverse[row, column]
        guard factor != 0 else { continue }
        for vector in 0..<count {
          x[(first + row) * count + vector] += factor * old[column * count + vector]
        }
      }
    }
  }
}

/// Solves A x = b and Aᵀ x = b with an exact factor.
struct ExactSolver {
  private let factor: ExactFactor
  private let lower: [DenseMatrix]
  private let upper: [DenseMatrix]

  /// Prepares for solving.
  ///
  /// - Parameter factor: The factor.
  /// - Throws: `LAPACKError` if a diagonal block is singular.
  init(_ factor: ExactFactor) throws(LAPACKError) {
    self.factor = factor
    lower = try factor.lower.diagonalInverses()
    upper = try factor.upper?.diagonalInverses() ?? lower
  }

  /// Solves.
  ///
  /// - Parameters:
  ///   - vectors: The right-hand sides, `[unknown][vector]`; become the solutions.
  ///   - count: The number of vectors.
  ///   - transposed: Whether the matrix is Aᵀ = (Uᵀ) (Lᵀ).
  func solve(_ vectors: AlignedBuffer<Double>, count: Int, transposed: Bool = false) {
    let (first, second) =
      transposed
      ? ((factor.upper ?? factor.lower, upper), (factor.lower, lower))
      : ((factor.lower, lower), (factor.upper ?? factor.lower, upper))
    first.0.solve(vectors, count: count, transposed: false, inverses: first.1)
    second.0.solve(vectors, count: count, transposed: true, inverses: second.1)
  }
}
