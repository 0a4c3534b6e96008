public import BlockKernels

extension SparseMatrix {
  /// Multiplies one vector or several at once: Y = A X.
  ///
  /// The k numbers of an unknown stand together, `[row][vector]`: an entry of the matrix is read once for all of
  /// them. With one vector that is the plain vector.
  ///
  /// Each number of Y is the sum of products in the order of the columns, so its bits do not depend on the number
  /// of vectors or on other rows. Products are rounded before they are added.
  ///
  /// - Parameters:
  ///   - x: X, `[columnCount][vectors]`.
  ///   - vectors: The number of vectors, k.
  ///   - y: Y, `[rowCount][vectors]`; overwritten.
  /// - Precondition: The spans have these sizes, and k is at least 1.
  /// - Complexity: 2 k flops for each entry, no allocation.
  public func multiply(_ x: Span<Double>, vectors: Int = 1, into y: inout MutableSpan<Double>) {
    precondition(
      vectors >= 1 && x.count == columnCount * vectors && y.count == rowCount * vectors,
      "\(x.count) and \(y.count) numbers for a \(rowCount)×\(columnCount) matrix, \(vectors) vectors"
    )
    guard rowCount > 0, entryCount > 0 else {
      for place in y.indices { y[place] = 0 }
      return
    }
    // The sizes were checked above; columns are below `columnCount`, and rows have their entries.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        guard let x = x.baseAddress, let y = y.baseAddress else { return }
        unsafe RowEntries.lend(rowStarts, columns, values) { entries in
          let product = unsafe RowProduct(entries: entries, vectors: vectors, x: x, y: y)
          unsafe product.run(0..<rowCount)
        }
      }
    }
  }

  /// Multiplies a dense matrix.
  ///
  /// - Parameter other: The right factor.
  /// - Returns: The product, column-major; each number is summed in the order of the columns of this matrix.
  /// - Precondition: The right factor has as many rows as this matrix columns.
  public func times(_ other: DenseMatrix) -> DenseMatrix {
    precondition(
      other.rows == columnCount,
      "a \(rowCount)×\(columnCount) matrix times one of \(other.rows)×\(other.columns)")
    var result = DenseMatrix(rows: rowCount, columns: other.columns)
    for column in 0..<other.columns {
      let x = Array(other.elements[column * columnCount..<(column + 1) * columnCount])
      var y = [Double](repeating: 0, count: rowCount)
      var span = y.mutableSpan
      multiply(x.span, into: &span)
      result.elements.replaceSubrange(column * rowCount..<(column + 1) * rowCount, with: y)
    }
    return result
  }
}
