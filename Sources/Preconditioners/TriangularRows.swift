/// The entries before or behind the diagonal of the rows of one rank, for substitution.
struct TriangularRows {
  /// Where the entries of each row begin, and their number.
  let starts: [Int]
  /// Their columns in the numbering of the rank.
  let columns: [Int32]
  /// Their values.
  let values: [Double]

  /// Copies some entries of each row.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - places: The entries of each row.
  init(_ rows: EliminatedRows, _ places: (Int) -> Range<Int>) {
    var starts = [0]
    var columns: [Int32] = []
    var values: [Double] = []
    starts.reserveCapacity(rows.diagonals.count + 1)
    for row in rows.diagonals.indices {
      columns += rows.columns[places(row)]
      values += rows.values[places(row)]
      starts.append(columns.count)
    }
    (self.starts, self.columns, self.values) = (starts, columns, values)
  }

  /// The bytes of the entries.
  var bytes: Int {
    starts.count * MemoryLayout<Int>.stride
      + values.count * (MemoryLayout<Int32>.stride + MemoryLayout<Double>.stride)
  }

  /// Lends the arrays to a kernel.
  ///
  /// - Parameters:
  ///   - x: The vectors, `[column][k]`; the kernel has checked nothing, so they have all columns of the rows.
  ///   - vectors: k.
  ///   - body: What is done with the kernel.
  @unsafe
  func lend(
    _ x: UnsafeMutablePointer<Double>, vectors: Int, _ body: (TriangularSweep) -> Void
  ) {
    // The pointers are used during the call.
    unsafe starts.withUnsafeBufferPointer { starts in
      unsafe columns.withUnsafeBufferPointer { columns in
        unsafe values.withUnsafeBufferPointer { values in
          unsafe body(
            TriangularSweep(
              starts: starts, columns: columns, values: values, x: x, vectors: vectors))
        }
      }
    }
  }
}
