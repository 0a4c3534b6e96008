public import BlockKernels

extension HierarchicalMatrix {
  /// Multiplies, H X or Hᵀ X.
  ///
  /// - Parameters:
  ///   - other: X, one row per column of H, or per row if H is transposed.
  ///   - isTransposed: Whether H is transposed.
  /// - Returns: The product.
  /// - Precondition: The shapes fit.
  /// - Complexity: Two operations per stored number and column of X.
  public func times(_ other: DenseMatrix, isTransposed: Bool = false) -> DenseMatrix {
    let (from, to) = isTransposed ? (rowOrder, columnOrder) : (columnOrder, rowOrder)
    precondition(
      other.rows == from.count,
      "a product with \(other.rows) rows, where \(from.count) are needed")
    let count = other.columns
    guard count > 0 else { return DenseMatrix(rows: to.count, columns: 0) }
    let source = Self.isNatural(from) ? other : other.rows(from[...])
    var result = [Double](repeating: 0, count: to.count * count)
    var inner: [Double] = []
    for block in blocks {
      let (sources, targets) =
        isTransposed ? (block.rows, block.columns) : (block.columns, block.rows)
      let numbers = values.span.extracting(block.start..<block.start + block.count)
      let part = source.elements.span.extracting(droppingFirst: sources.lowerBound)
      var target = result.mutableSpan
      guard let rank = block.rank else {
        BLAS.multiply(
          numbers, transposed: isTransposed, part, ldb: from.count, into: &target,
          ldc: to.count, m: targets.count, n: count, k: sources.count, keep: 1,
          cStart: targets.lowerBound)
        continue
      }
      guard rank > 0 else { continue }
      let left = numbers.extracting(0..<block.rows.count * rank)
      let right = numbers.extracting(droppingFirst: block.rows.count * rank)
      // inner = Vᵀ X, result += U inner; the other way round for the transpose.
      if inner.count < rank * count { inner = [Double](repeating: 0, count: rank * count) }
      var product = inner.mutableSpan
      BLAS.multiply(
        isTransposed ? left : right, transposed: true, part, ldb: from.count, into: &product,
        ldc: rank, m: rank, n: count, k: sources.count)
      BLAS.multiply(
        isTransposed ? right : left, transposed: false, product.span, ldb: rank, into: &target,
        ldc: to.count, m: targets.count, n: count, k: rank, keep: 1, cStart: targets.lowerBound)
    }
    return Self.restored(DenseMatrix(rows: to.count, columns: count, elements: result), to)
  }

  /// Multiplies a vector, H x or Hᵀ x.
  ///
  /// - Parameters:
  ///   - vector: x.
  ///   - isTransposed: Whether H is transposed.
  /// - Returns: The product.
  /// - Precondition: The lengths fit.
  public func times(_ vector: [Double], isTransposed: Bool = false) -> [Double] {
    times(
      DenseMatrix(rows: vector.count, columns: 1, elements: vector), isTransposed: isTransposed
    ).elements
  }

  /// Makes all elements.
  ///
  /// - Returns: The dense matrix, in its original order.
  public func expanded() -> DenseMatrix {
    var result = DenseMatrix(rows: rows, columns: columns)
    for block in blocks {
      let elements = expanded(block).elements
      var place = 0
      for column in block.columns {
        let start = columnOrder[column] * rows
        for row in block.rows {
          result.elements[start + rowOrder[row]] = elements[place]
          place += 1
        }
      }
    }
    return result
  }

  /// Brings rows from the order of the blocks into the original one.
  private static func restored(_ matrix: DenseMatrix, _ order: [Int]) -> DenseMatrix {
    guard !isNatural(order) else { return matrix }
    var result = matrix
    for column in 0..<matrix.columns {
      let start = column * matrix.rows
      for (place, row) in order.enumerated() {
        result.elements[start + row] = matrix.elements[start + place]
      }
    }
    return result
  }
}
