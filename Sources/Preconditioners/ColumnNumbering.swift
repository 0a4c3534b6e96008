import SparseMatrices

/// The columns that the rows of one rank have, numbered without gaps in the order of the matrix: those of ranks
/// before, the rows of this rank, those of ranks behind.
struct ColumnNumbering {
  /// The rows of this rank.
  let rows: Range<Int>
  /// The columns of other ranks, ascending.
  let remote: [Int32]
  /// How many of them belong to ranks before.
  let before: Int

  init(_ matrix: SparseMatrix, _ rows: Range<Int>) {
    self.rows = rows
    remote = Set(matrix.columns.filter { !rows.contains(Int($0)) }).sorted()
    before = remote.count { Int($0) < rows.lowerBound }
  }

  /// The number of columns.
  var count: Int { remote.count + rows.count }

  /// Finds the number of a column; nil if the rows do not have it.
  func number(of column: Int32) -> Int32? {
    let column = Int(column)
    if rows.contains(column) { return Int32(column - rows.lowerBound + before) }
    var (low, high) = (0, remote.count)
    while low < high {
      let middle = (low + high) / 2
      if Int(remote[middle]) < column { low = middle + 1 } else { high = middle }
    }
    guard low < remote.count, Int(remote[low]) == column else { return nil }
    return Int32(low < before ? low : low + rows.count)
  }

  /// The column of the matrix with a number.
  func column(_ number: Int32) -> Int32 {
    let number = Int(number)
    if number < before { return remote[number] }
    guard number >= before + rows.count else { return Int32(rows.lowerBound + number - before) }
    return remote[number - rows.count]
  }
}
