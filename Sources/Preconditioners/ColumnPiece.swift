import BlockKernels

/// Some columns of a block `[column][row]`, in a buffer in which the numbers of a row stand together.
enum ColumnPiece {
  /// Copies columns into a buffer `[row][k]`.
  ///
  /// - Parameters:
  ///   - block: The block, `[column][rows]`.
  ///   - rows: Its rows.
  ///   - columns: The k columns.
  ///   - buffer: The buffer.
  ///   - start: Where the first row begins in it.
  static func gather(
    _ block: Span<Double>, rows: Int, columns: Range<Int>, into buffer: AlignedBuffer<Double>,
    at start: Int
  ) {
    check(block.count, rows, columns, buffer.count, start)
    let k = columns.count
    var buffer = buffer.mutableSpan
    // The sizes were checked above.
    unsafe block.withUnsafeBufferPointer { block in
      unsafe buffer.withUnsafeMutableBufferPointer { buffer in
        let source = columns.lowerBound &* rows
        guard k > 1 else {
          for row in 0..<rows * k { unsafe buffer[start &+ row] = block[source &+ row] }
          return
        }
        for row in 0..<rows {
          for column in 0..<k {
            unsafe buffer[start &+ row &* k &+ column] = block[source &+ column &* rows &+ row]
          }
        }
      }
    }
  }

  /// Copies a buffer `[row][k]` into columns.
  ///
  /// - Parameters:
  ///   - buffer: The buffer.
  ///   - start: Where the first row begins in it.
  ///   - block: The block, `[column][rows]`.
  ///   - rows: Its rows.
  ///   - columns: The k columns.
  static func scatter(
    _ buffer: AlignedBuffer<Double>, at start: Int, into block: inout MutableSpan<Double>,
    rows: Int, columns: Range<Int>
  ) {
    check(block.count, rows, columns, buffer.count, start)
    let k = columns.count
    let buffer = buffer.span
    // The sizes were checked above.
    unsafe buffer.withUnsafeBufferPointer { buffer in
      unsafe block.withUnsafeMutableBufferPointer { block in
        let target = columns.lowerBound &* rows
        guard k > 1 else {
          for row in 0..<rows * k { unsafe block[target &+ row] = buffer[start &+ row] }
          return
        }
        for row in 0..<rows {
          for column in 0..<k {
            unsafe block[target &+ column &* rows &+ row] = buffer[start &+ row &* k &+ column]
          }
        }
      }
    }
  }

  private static func check(
    _ block: Int, _ rows: Int, _ columns: Range<Int>, _ buffer: Int, _ start: Int
  ) {
    precondition(
      columns.lowerBound >= 0 && columns.upperBound * rows <= block && start >= 0
        && start + columns.count * rows <= buffer,
      "columns \(columns) of \(rows) rows in \(block) numbers, from \(start) in \(buffer)")
  }
}
