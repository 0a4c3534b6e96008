internal import CHDF5
internal import MessagePassing

extension HDF5File {
  /// Reads rows of a dataset: a range of the first dimension with all of the others, or with a part.
  ///
  /// Collective if the file is parallel; the ranges may differ from rank to rank and be empty. The
  /// corresponding HDF5 routine is `H5Dread`.
  ///
  /// The elements of a row are its columns, counted with the last dimension contiguous: a dataset of
  /// shape `[r, a, b]` has a·b columns.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - rows: The range of the first dimension; 0..<1 for a single element without dimensions.
  ///   - columns: The range of the elements of each row; nil for all of them.
  ///   - values: The elements of the rows, `[row, column]`, with the last dimension contiguous.
  /// - Precondition: There are as many values as elements in these columns of the rows.
  /// - Throws: ``HDF5Error`` if the dataset is missing, too short, or holds no such numbers.
  public func read<T: HDF5Scalar>(
    _ path: String, rows: Range<Int>, columns: Range<Int>? = nil,
    into values: inout MutableSpan<T>
  ) throws(HDF5Error) {
    try read(path, runs: [rows], columns: columns, into: &values)
  }

  /// Reads rows of a dataset one by one, in any order.
  ///
  /// Collective if the file is parallel; the rows, their number and the columns may differ from rank
  /// to rank. The corresponding HDF5 routine is `H5Dread`, called once for rows that follow each other.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - rowList: The positions in the first dimension, of which some may be equal.
  ///   - columns: The range of the elements of each row; nil for all of them.
  ///   - values: The elements of the rows in the order of the list, `[row, column]`.
  /// - Precondition: There are as many values as elements in these columns of the rows.
  /// - Throws: ``HDF5Error`` if the dataset is missing, too short, or holds no such numbers.
  public func read<T: HDF5Scalar>(
    _ path: String, rowList: [Int], columns: Range<Int>? = nil,
    into values: inout MutableSpan<T>
  ) throws(HDF5Error) {
    var runs: [Range<Int>] = []
    for row in rowList {
      if let last = runs.last, last.upperBound == row {
        runs[runs.count - 1] = last.lowerBound..<row + 1
      } else {
        runs.append(row..<row + 1)
      }
    }
    try read(path, runs: runs, columns: columns, into: &values)
  }

  /// Reads runs of rows one after the other.
  private func read<T: HDF5Scalar>(
    _ path: String, runs: [Range<Int>], columns: Range<Int>?, into values: inout MutableSpan<T>
  ) throws(HDF5Error) {
    let operation = operation("read", path)
    try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(HDF5Error) in
      // The plan checks that the rows have as many elements as the buffer.
      let start = buffer.baseAddress
      try transfer(operation, runs, columns: columns, T.hdf5Kind, count: buffer.count) { part in
        unsafe H5Dread(
          part.dataset, T.hdf5Kind.memoryType, part.memorySpace, part.fileSpace, part.properties,
          start.map { unsafe $0 + part.first })
      }
    }
  }

  /// Writes rows of a dataset: a range of the first dimension with all of the others.
  ///
  /// Collective if the file is parallel; the ranges of the ranks may be empty and do not overlap.
  /// The corresponding HDF5 routine is `H5Dwrite`.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - rows: The range of the first dimension; 0..<1 for a single element without dimensions.
  ///   - values: The elements of the rows, with the last dimension contiguous.
  /// - Precondition: There are as many values as elements in the rows.
  /// - Throws: ``HDF5Error`` if the dataset is missing or too short, or cannot be written.
  public func write<T: HDF5Scalar>(
    _ path: String, rows: Range<Int>, from values: Span<T>
  ) throws(HDF5Error) {
    let operation = operation("write", path, ExitStatus.inputOutput)
    try unsafe values.withUnsafeBufferPointer { (buffer) throws(HDF5Error) in
      // The plan checks that the elements of the rows are those of the buffer.
      let start = buffer.baseAddress
      try transfer(operation, [rows], columns: nil, T.hdf5Kind, count: buffer.count) { part in
        unsafe H5Dwrite(
          part.dataset, T.hdf5Kind.memoryType, part.memorySpace, part.fileSpace, part.properties,
          start.map { unsafe $0 + part.first })
      }
    }
  }
}
