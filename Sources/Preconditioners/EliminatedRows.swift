import MessagePassing
import SparseMatrices

/// The rows of one rank while they become those of L and U, on the places of A.
struct EliminatedRows {
  /// Where the entries of each row begin.
  let starts: [Int]
  /// The columns in the numbering of the rank, ascending in each row.
  let columns: [Int32]
  /// The place of the diagonal of each row.
  let diagonals: [Int]
  /// The values of A, then those of L below the diagonal and of U on it and above.
  private(set) var values: [Double]

  /// Takes the rows of A.
  ///
  /// - Throws: `RunError` (65) if a row has no entry on the diagonal.
  init(_ matrix: SparseMatrix, _ numbering: ColumnNumbering) throws(RunError) {
    starts = matrix.rowStarts
    // All columns of the rows have numbers.
    let columns = matrix.columns.map { numbering.number(of: $0) ?? -1 }
    var diagonals: [Int] = []
    diagonals.reserveCapacity(matrix.rowCount)
    for row in 0..<matrix.rowCount {
      let column = Int32(numbering.before + row)
      let places = starts[row]..<starts[row + 1]
      guard let place = places.first(where: { columns[$0] == column }) else {
        throw .data(
          "row \(numbering.rows.lowerBound + row) (from 0) has no entry on the diagonal, where "
            + "incomplete LU needs a pivot")
      }
      diagonals.append(place)
    }
    (self.columns, self.diagonals, values) = (columns, diagonals, matrix.values)
  }

  /// The entries of a row on the diagonal and behind.
  func upperPlaces(_ row: Int) -> Range<Int> { diagonals[row]..<starts[row + 1] }

  /// Eliminates all rows in their order: for each entry before the diagonal, ascending, its pivot row is subtracted
  /// where this row has entries.
  ///
  /// The order of operations on an entry is that of the columns, whoever has the pivot rows.
  ///
  /// - Parameters:
  ///   - pivotRows: The rows of U of ranks before.
  ///   - numbering: The numbers of columns.
  /// - Returns: The first row, counted from the first of this rank, whose pivot has no reciprocal or that overflows;
  ///   nil if all is well. All rows are eliminated in any case.
  mutating func eliminate(_ pivotRows: PivotRows, _ numbering: ColumnNumbering) -> Int? {
    var failure: Int?
    var positions = [Int](repeating: -1, count: numbering.count)
    for row in diagonals.indices {
      let places = starts[row]..<starts[row + 1]
      for place in places { positions[Int(columns[place])] = place }
      for place in places.lowerBound..<diagonals[row] {
        let pivot = Int(columns[place])
        if pivot < numbering.before {
          let upper = pivotRows.starts[pivot]..<pivotRows.starts[pivot + 1]
          let factor = values[place] / pivotRows.values[upper.lowerBound]
          values[place] = factor
          for other in upper.dropFirst() where pivotRows.columns[other] >= 0 {
            let target = positions[Int(pivotRows.columns[other])]
            if target >= 0 { values[target] -= factor * pivotRows.values[other] }
          }
        } else {
          let upper = upperPlaces(pivot - numbering.before)
          let factor = values[place] / values[upper.lowerBound]
          values[place] = factor
          for other in upper.dropFirst() {
            let target = positions[Int(columns[other])]
            if target >= 0 { values[target] -= factor * values[other] }
          }
        }
      }
      for place in places { positions[Int(columns[place])] = -1 }
      let isGood = values[diagonals[row]].isInvertible && values[places].allSatisfy(\.isFinite)
      if !isGood, failure == nil { failure = row }
    }
    return failure
  }
}
