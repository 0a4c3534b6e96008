public import MessagePassing

extension SparseMatrix {
  /// An entry with its place.
  public struct Triplet: Sendable, Equatable {
    /// The row, from 0.
    public let row: Int32
    /// The column, from 0.
    public let column: Int32
    /// The value.
    public let value: Double

    /// Creates an entry.
    ///
    /// - Parameters:
    ///   - row: The row, from 0.
    ///   - column: The column, from 0.
    ///   - value: The value.
    public init(row: Int32, column: Int32, value: Double) {
      self.row = row
      self.column = column
      self.value = value
    }
  }

  /// Creates a matrix of entries in any order.
  ///
  /// Entries of one place are added in the order of the list.
  ///
  /// - Parameters:
  ///   - rowCount: The number of rows.
  ///   - columnCount: The number of columns.
  ///   - triplets: The entries.
  /// - Throws: `RunError` (65) if a row or column does not exist or a value is not finite.
  public init(rowCount: Int, columnCount: Int, triplets: [Triplet]) throws(RunError) {
    try Self.checkSize(rowCount, columnCount)
    var starts = [Int](repeating: 0, count: rowCount + 1)
    for triplet in triplets {
      guard triplet.row >= 0, triplet.row < rowCount else {
        throw .data("row \(triplet.row), but there are \(rowCount) (from 0)")
      }
      starts[Int(triplet.row) + 1] += 1
    }
    for row in 0..<rowCount { starts[row + 1] += starts[row] }
    // A counting sort keeps the order of the entries of a row.
    var next = starts
    var columns = [Int32](repeating: 0, count: triplets.count)
    var values = [Double](repeating: 0, count: triplets.count)
    for triplet in triplets {
      let place = next[Int(triplet.row)]
      next[Int(triplet.row)] += 1
      columns[place] = triplet.column
      values[place] = triplet.value
    }
    try self.init(
      rowCount: rowCount, columnCount: columnCount, rowStarts: starts, columns: columns,
      values: values)
  }
}
