extension SparseMatrix {
  /// The transposed matrix.
  ///
  /// - Complexity: O(rows + columns + entries).
  public var transposed: SparseMatrix {
    var starts = [Int](repeating: 0, count: columnCount + 1)
    for column in columns { starts[Int(column) + 1] += 1 }
    for column in 0..<columnCount { starts[column + 1] += starts[column] }
    var next = starts
    var rows = [Int32](repeating: 0, count: entryCount)
    var transposedValues = [Double](repeating: 0, count: entryCount)
    for row in 0..<rowCount {
      for place in rowStarts[row]..<rowStarts[row + 1] {
        let target = next[Int(columns[place])]
        next[Int(columns[place])] += 1
        rows[target] = Int32(row)
        transposedValues[target] = values[place]
      }
    }
    return SparseMatrix(
      columnCount: rowCount, orderedRows: starts, columns: rows, values: transposedValues)
  }

  /// Whether the matrix is square and exactly equal to its transpose; an entry that is absent is zero.
  ///
  /// - Complexity: O(rows + entries).
  public var isSymmetric: Bool {
    guard rowCount == columnCount else { return false }
    let other = transposed
    // Pairs of entries whose structure is symmetric are compared directly.
    if columns == other.columns && rowStarts == other.rowStarts { return values == other.values }
    return withoutZeros == other.withoutZeros
  }

  /// Whether the matrix is square and has, with each entry, one at the transposed place; zeros that are stored count.
  ///
  /// - Complexity: O(rows + entries).
  public var isStructureSymmetric: Bool {
    guard rowCount == columnCount else { return false }
    let other = transposed
    return columns == other.columns && rowStarts == other.rowStarts
  }

  /// The same matrix without entries that are zero.
  ///
  /// - Complexity: O(rows + entries).
  public var withoutZeros: SparseMatrix {
    guard values.contains(0) else { return self }
    var builder = RowBuilder(rowCount: rowCount, entryCount: entryCount)
    for row in 0..<rowCount {
      for place in rowStarts[row]..<rowStarts[row + 1] where values[place] != 0 {
        builder.append(values[place], at: columns[place])
      }
      builder.endRow()
    }
    return builder.finish(columnCount: columnCount)
  }

  /// Takes some rows that follow each other.
  ///
  /// - Parameter range: The rows.
  /// - Returns: The matrix of them, with all columns.
  /// - Precondition: The matrix has these rows.
  public func rows(_ range: Range<Int>) -> SparseMatrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount, "rows \(range) of \(rowCount)")
    let places = rowStarts[range.lowerBound]..<rowStarts[range.upperBound]
    return SparseMatrix(
      columnCount: columnCount,
      orderedRows: rowStarts[range.lowerBound...range.upperBound].map { $0 - places.lowerBound },
      columns: Array(columns[places]), values: Array(values[places]))
  }

  /// Renumbers rows and columns: entry (i, j) of the result is entry (order[i], order[j]) of this matrix.
  ///
  /// - Parameter order: For each new number the old one.
  /// - Returns: The matrix P A Pᵀ.
  /// - Precondition: The matrix is square, and the order has each number once.
  /// - Complexity: O(rows + entries · log(entries of a row)).
  public func permuted(by order: [Int32]) -> SparseMatrix {
    precondition(
      rowCount == columnCount && order.count == rowCount,
      "an order of \(order.count) numbers for a \(rowCount)×\(columnCount) matrix")
    var position = [Int32](repeating: -1, count: rowCount)
    for (new, old) in order.enumerated() {
      precondition(
        old >= 0 && old < rowCount && position[Int(old)] < 0,
        "an order that has \(old) twice, or too many numbers")
      position[Int(old)] = Int32(new)
    }
    var builder = RowBuilder(rowCount: rowCount, entryCount: entryCount)
    var keys: [UInt64] = []
    for old in order {
      let start = rowStarts[Int(old)]
      keys.removeAll(keepingCapacity: true)
      for place in start..<rowStarts[Int(old) + 1] {
        keys.append(UInt64(position[Int(columns[place])]) << 32 | UInt64(place - start))
      }
      keys.sort()
      for key in keys {
        builder.append(values[start + Int(key & 0xffff_ffff)], at: Int32(key >> 32))
      }
      builder.endRow()
    }
    return builder.finish(columnCount: columnCount)
  }
}
