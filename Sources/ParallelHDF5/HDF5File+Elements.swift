internal import CHDF5

extension HDF5File {
  /// Finds the kind of the numbers of a dataset.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Tequal`.
  ///
  /// - Parameter path: The path of the dataset.
  /// - Returns: The kind; nil if the elements are none of the numbers that files of ours hold.
  /// - Throws: ``HDF5Error`` if there is no such dataset.
  public func scalarKind(of path: String) throws(HDF5Error) -> HDF5ScalarKind? {
    let operation = operation("read", path)
    let dataset = try openDataset(path, operation)
    let type = try operation.open(.datatype) { [id = dataset.id] in H5Dget_type(id) }
    let id = type.id
    for kind in HDF5ScalarKind.allCases {
      let isEqual = try operation.check { H5Tequal(id, kind.fileType) } > 0
      if isEqual { return kind }
    }
    return nil
  }

  /// Reads rows of a dataset: a range of the first dimension with all of the others.
  ///
  /// Collective if the file is parallel; the ranges may differ from rank to rank and be empty. The
  /// corresponding HDF5 routine is `H5Dread`.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - rows: The range of the first dimension; 0..<1 for a single element without dimensions.
  ///   - type: The type of the numbers in memory.
  /// - Returns: The elements, with the last dimension contiguous.
  /// - Throws: ``HDF5Error`` if the dataset is missing, too short, or holds no such numbers.
  public func read<T: HDF5Scalar>(
    _ path: String, rows: Range<Int>, as type: T.Type
  ) throws(HDF5Error) -> [T] {
    let count = rows.count * (try shape(of: path).dropFirst().reduce(1, *))
    return try [T](capacity: count) { (output) throws(HDF5Error) in
      // The buffer has room for `count` elements, and all of them are read unless this throws.
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, initialized) throws(HDF5Error) in
        let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<count])
        var values = unsafe room.mutableSpan
        try read(path, rows: rows, into: &values)
        initialized = count
      }
    }
  }

  /// Says whether a path leads to a group.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Iget_type`.
  ///
  /// - Parameter path: The path.
  /// - Returns: Whether there is a group.
  /// - Throws: ``HDF5Error`` if the file cannot be read.
  public func isGroup(_ path: String) throws(HDF5Error) -> Bool {
    try isGroup(path, operation("look up", path))
  }
}
