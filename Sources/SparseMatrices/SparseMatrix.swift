public import MessagePassing

/// A sparse matrix of double precision in compressed rows.
///
/// The entries of row i stand at the places `rowStarts[i]..<rowStarts[i + 1]`, their columns ascend and differ.
/// All values are finite. An entry may be zero: it belongs to the structure then.
public struct SparseMatrix: Sendable, Equatable {
  /// The number of rows, below 2³¹.
  public let rowCount: Int
  /// The number of columns, below 2³¹.
  public let columnCount: Int
  /// Where the entries of each row begin, and the number of all entries; `rowCount + 1` numbers.
  public let rowStarts: [Int]
  /// The column of each entry, ascending in each row.
  public let columns: [Int32]
  /// The value of each entry.
  public let values: [Double]

  /// The number of entries.
  public var entryCount: Int { values.count }

  /// Creates a matrix of rows that are known to be in order.
  init(columnCount: Int, orderedRows rowStarts: [Int], columns: [Int32], values: [Double]) {
    assert(rowStarts.last == columns.count && columns.count == values.count)
    rowCount = rowStarts.count - 1
    self.columnCount = columnCount
    self.rowStarts = rowStarts
    self.columns = columns
    self.values = values
  }

  /// Creates a matrix of compressed rows, as other programs hold them.
  ///
  /// Columns of a row may come in any order. Entries of one place are added in the order in which they stand.
  ///
  /// - Parameters:
  ///   - rowCount: The number of rows.
  ///   - columnCount: The number of columns.
  ///   - rowStarts: Where the entries of each row begin, and the number of all entries.
  ///   - columns: The column of each entry, from 0.
  ///   - values: The value of each entry.
  /// - Throws: `RunError` (65) if the arrays do not fit together, a column does not exist, or a value is not finite.
  public init(
    rowCount: Int, columnCount: Int, rowStarts: [Int], columns: [Int32], values: [Double]
  ) throws(RunError) {
    try Self.checkSize(rowCount, columnCount)
    guard rowStarts.count == rowCount + 1 else {
      throw .data("\(rowStarts.count) starts of rows, but \(rowCount) rows need \(rowCount + 1)")
    }
    guard columns.count == values.count else {
      throw .data("\(columns.count) column indices, but \(values.count) values")
    }
    guard rowStarts[0] == 0, rowStarts[rowCount] == values.count else {
      throw .data(
        "starts of rows from \(rowStarts[0]) to \(rowStarts[rowCount]), but "
          + "\(values.count) values need 0 to \(values.count)")
    }
    var isOrdered = true
    for row in 0..<rowCount {
      guard rowStarts[row] <= rowStarts[row + 1], rowStarts[row + 1] <= values.count else {
        throw .data(
          "the start of row \(row + 1) is \(rowStarts[row + 1]), after \(rowStarts[row]) (from 0)")
      }
      var last: Int32 = -1
      for place in rowStarts[row]..<rowStarts[row + 1] {
        let column = columns[place]
        guard column >= 0, column < columnCount else {
          throw .data("column \(column) in row \(row), but there are \(columnCount) (from 0)")
        }
        guard values[place].isFinite else {
          throw .data("the value in row \(row), column \(column) (from 0) is \(values[place])")
        }
        isOrdered = isOrdered && column > last
        last = column
      }
    }
    if isOrdered {
      self.init(
        columnCount: columnCount, orderedRows: rowStarts, columns: columns, values: values)
    } else {
      try self.init(columnCount: columnCount, unorderedRows: rowStarts, columns, values)
    }
  }

  /// Creates a matrix of valid rows whose columns are to be sorted and whose duplicates are to be added.
  private init(
    columnCount: Int, unorderedRows rowStarts: [Int], _ columns: [Int32], _ values: [Double]
  ) throws(RunError) {
    var builder = RowBuilder(rowCount: rowStarts.count - 1, entryCount: values.count)
    var keys: [UInt64] = []
    for row in 0..<rowStarts.count - 1 {
      let start = rowStarts[row]
      // The place in the row stands below the column, so that entries of a column keep their order.
      keys.removeAll(keepingCapacity: true)
      for place in start..<rowStarts[row + 1] {
        keys.append(UInt64(columns[place]) << 32 | UInt64(place - start))
      }
      keys.sort()
      for key in keys {
        let value = values[start + Int(key & 0xffff_ffff)]
        let sum = builder.add(value, at: Int32(key >> 32))
        guard sum.isFinite else {
          throw .data("the sum of the values in row \(row), column \(key >> 32) is \(sum)")
        }
      }
      builder.endRow()
    }
    self = builder.finish(columnCount: columnCount)
  }

  /// Throws unless a matrix may have so many rows and columns, and the machine can hold the places of the rows.
  static func checkSize(_ rowCount: Int, _ columnCount: Int) throws(RunError) {
    let sizes = 0...Int(Int32.max)
    guard sizes.contains(rowCount), sizes.contains(columnCount) else {
      throw .data(
        "a matrix of \(rowCount)×\(columnCount): sizes from 0 to \(Int32.max) are possible")
    }
    try Memory.check(rowCount, 2, bytes: 8) {
      .data("a matrix of \(rowCount)×\(columnCount) needs \($0)")
    }
  }
}

/// Builds a matrix row by row, columns ascending.
struct RowBuilder {
  private var rowStarts: [Int]
  private var columns: [Int32] = []
  private var values: [Double] = []

  init(rowCount: Int, entryCount: Int) {
    rowStarts = [0]
    rowStarts.reserveCapacity(rowCount + 1)
    columns.reserveCapacity(entryCount)
    values.reserveCapacity(entryCount)
  }

  /// Adds a value to the last entry of the row if it has this column, else appends an entry; returns what stands there.
  @discardableResult
  mutating func add(_ value: Double, at column: Int32) -> Double {
    let last = columns.count - 1
    if last >= rowStarts[rowStarts.count - 1], columns[last] == column {
      values[last] += value
      return values[last]
    }
    append(value, at: column)
    return value
  }

  /// Appends an entry.
  mutating func append(_ value: Double, at column: Int32) {
    columns.append(column)
    values.append(value)
  }

  /// Ends the row.
  mutating func endRow() { rowStarts.append(columns.count) }

  /// Makes the matrix.
  consuming func finish(columnCount: Int) -> SparseMatrix {
    SparseMatrix(
      columnCount: columnCount, orderedRows: rowStarts, columns: columns, values: values)
  }
}
