public import BlockKernels
public import MessagePassing

extension SparseMatrix {
  /// Finds one entry.
  ///
  /// - Parameters:
  ///   - row: Its row, from 0.
  ///   - column: Its column, from 0.
  /// - Returns: Its value; zero if it is not stored.
  /// - Precondition: There are such a row and column.
  /// - Complexity: O(log(entries of the row)).
  public func entry(_ row: Int, _ column: Int) -> Double {
    precondition(
      (0..<rowCount).contains(row) && (0..<columnCount).contains(column),
      "entry (\(row), \(column)) of a \(rowCount)×\(columnCount) matrix")
    let place = firstPlace(in: row, from: column)
    return place < rowStarts[row + 1] && columns[place] == Int32(column) ? values[place] : 0
  }

  /// Finds the first entry of a row at or after a column; the end of the row if there is none.
  func firstPlace(in row: Int, from column: Int) -> Int {
    var (low, high) = (rowStarts[row], rowStarts[row + 1])
    while low < high {
      let middle = (low + high) / 2
      if Int(columns[middle]) < column { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The entries (i, i), `min(rowCount, columnCount)` of them.
  public var diagonal: [Double] { (0..<min(rowCount, columnCount)).map { entry($0, $0) } }

  /// The square root of the sum of the squares of all entries.
  ///
  /// Values are scaled by a power of two, so that no square overflows or vanishes before the norm does.
  public var frobeniusNorm: Double {
    let largest = values.reduce(0) { max($0, abs($1)) }
    guard largest > 0 else { return 0 }
    let scale = Double(
      sign: .plus, exponent: max(-1021, min(largest.exponent, 1021)), significand: 1)
    let inverse = 1 / scale
    return scale * values.reduce(0) { $0 + ($1 * inverse) * ($1 * inverse) }.squareRoot()
  }

  /// Copies the matrix with all its zeros.
  ///
  /// - Returns: The dense matrix, column-major.
  /// - Throws: `RunError` (65) if it has more bytes than the machine has memory.
  public func dense() throws(RunError) -> DenseMatrix {
    try Memory.check(rowCount, columnCount, bytes: 8) {
      .data("a dense copy of a \(rowCount)×\(columnCount) matrix needs \($0)")
    }
    return denseBlock(rows: 0..<rowCount, columns: 0..<columnCount)
  }

  /// Copies a block with all its zeros.
  ///
  /// - Parameters:
  ///   - rows: The rows of the block.
  ///   - range: The columns of the block.
  /// - Returns: The dense matrix of the block, column-major.
  /// - Precondition: The matrix has these rows and columns.
  public func denseBlock(rows: Range<Int>, columns range: Range<Int>) -> DenseMatrix {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount && range.lowerBound >= 0
        && range.upperBound <= columnCount,
      "block \(rows) × \(range) of a \(rowCount)×\(columnCount) matrix")
    var result = DenseMatrix(rows: rows.count, columns: range.count)
    for row in rows {
      var place = firstPlace(in: row, from: range.lowerBound)
      while place < rowStarts[row + 1], Int(columns[place]) < range.upperBound {
        result[row - rows.lowerBound, Int(columns[place]) - range.lowerBound] = values[place]
        place += 1
      }
    }
    return result
  }
}
