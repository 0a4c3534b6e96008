/// The proof that blocks cover a matrix exactly once.
enum Coverage {
  /// Goes down the rows with the blocks that a row meets, which must follow each other from first to last column.
  ///
  /// - Returns: What is wrong first, in words; nil if every element is covered exactly once.
  static func firstFault(
    of blocks: [HierarchicalMatrix.Block], rows: Int, columns: Int
  ) -> String? {
    for block in blocks {
      guard !block.rows.isEmpty, !block.columns.isEmpty, block.rows.lowerBound >= 0,
        block.rows.upperBound <= rows, block.columns.lowerBound >= 0,
        block.columns.upperBound <= columns
      else {
        return "the block of rows \(block.rows) and columns \(block.columns) does not lie in a "
          + "matrix of \(rows)×\(columns) elements"
      }
    }
    let starts = blocks.sorted { $0.rows.lowerBound < $1.rows.lowerBound }
    var (next, row) = (0, 0)
    var active: [HierarchicalMatrix.Block] = []
    while row < rows {
      active.removeAll { $0.rows.upperBound <= row }
      while next < starts.count, starts[next].rows.lowerBound <= row {
        active.append(starts[next])
        next += 1
      }
      active.sort { $0.columns.lowerBound < $1.columns.lowerBound }
      var column = 0
      for block in active {
        guard block.columns.lowerBound == column else {
          let isMissing = block.columns.lowerBound > column
          return "the element in row \(row), column "
            + "\(min(column, block.columns.lowerBound)) of the blocks is covered "
            + (isMissing ? "by none of them" : "twice")
        }
        column = block.columns.upperBound
      }
      guard column == columns else {
        return "the element in row \(row), column \(column) of the blocks is covered by none"
      }
      // Nothing changes before the next block begins or one of these ends.
      row = active.reduce(rows) { min($0, $1.rows.upperBound) }
      if next < starts.count { row = min(row, starts[next].rows.lowerBound) }
    }
    return nil
  }
}
