internal import CHDF5
internal import MessagePassing

extension HDF5File {
  /// Creates a dataset, and the groups above it.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Dcreate2`.
  ///
  /// The dataset is contiguous and not filled: what is not written has no defined value.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - shape: The lengths of its dimensions, of which some may be zero.
  ///   - type: The type of its elements.
  /// - Throws: ``HDF5Error`` if the dataset cannot be created, among other reasons because it exists.
  public func createDataset<T: HDF5Scalar>(
    _ path: String, shape: [Int], as type: T.Type
  ) throws(HDF5Error) {
    precondition(shape.allSatisfy { $0 >= 0 }, "A length of the shape \(shape) is negative")
    let operation = operation("create dataset", path, ExitStatus.inputOutput)
    try agreed(operation) { () throws(HDF5Error) in
      let links = try linkProperties(operation)
      let properties = try operation.open(.properties) { H5Pcreate(chdf5_dataset_create()) }
      let (id, file, linkID) = (properties.id, handle.id, links.id)
      try operation.check { H5Pset_layout(id, H5D_CONTIGUOUS) }
      try operation.check { H5Pset_alloc_time(id, H5D_ALLOC_TIME_EARLY) }
      try operation.check { H5Pset_fill_time(id, H5D_FILL_TIME_NEVER) }
      let space = try dataspace(shape, operation)
      let dataset = try operation.open(.dataset) { [space = space.id] in
        unsafe H5Dcreate2(
          file, path, T.hdf5Kind.fileType, space, linkID, id, chdf5_default_properties())
      }
      try dataset.close(operation)
    }
  }

  /// Finds the shape of a dataset.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is
  /// `H5Sget_simple_extent_dims`.
  ///
  /// - Parameter path: The path of the dataset.
  /// - Returns: The lengths of its dimensions; none for a single element.
  /// - Throws: ``HDF5Error`` if there is no such dataset.
  public func shape(of path: String) throws(HDF5Error) -> [Int] {
    let operation = operation("read", path)
    let dataset = try openDataset(path, operation)
    return try shape(dataset, operation)
  }

  /// Finds the kind of the elements of a dataset.
  ///
  /// Collective if the file is parallel. The corresponding HDF5 routine is `H5Tget_class`.
  ///
  /// - Parameter path: The path of the dataset.
  /// - Returns: The kind.
  /// - Throws: ``HDF5Error`` if there is no such dataset.
  public func elementKind(of path: String) throws(HDF5Error) -> HDF5ElementKind {
    let operation = operation("read", path)
    let dataset = try openDataset(path, operation)
    let type = try operation.open(.datatype) { [id = dataset.id] in H5Dget_type(id) }
    return try HDF5ElementKind(type.id, operation)
  }

  /// Reads all elements of a dataset.
  ///
  /// Collective if the file is parallel; every rank gets all elements. The corresponding HDF5
  /// routine is `H5Dread`.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - type: The type of the numbers in memory.
  /// - Returns: The elements, with the last dimension contiguous.
  /// - Throws: ``HDF5Error`` if there is no such dataset or its elements are no such numbers.
  public func read<T: HDF5Scalar>(
    _ path: String, as type: T.Type
  ) throws(HDF5Error) -> [T] {
    let shape = try shape(of: path)
    let count = shape.reduce(1, *)
    return try [T](capacity: count) { (output) throws(HDF5Error) in
      // The buffer has room for `count` elements, and all of them are read unless this throws.
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, initialized) throws(HDF5Error) in
        let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<count])
        var values = unsafe room.mutableSpan
        try read(path, rows: 0..<(shape.first ?? 1), into: &values)
        initialized = count
      }
    }
  }

  /// Creates a dataset and writes all its elements.
  ///
  /// Collective if the file is parallel: every rank passes the same values, and the first writes
  /// them. The corresponding HDF5 routine is `H5Dwrite`.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - values: The elements, with the last dimension contiguous.
  ///   - shape: The lengths of the dimensions.
  /// - Precondition: There are as many values as the shape says.
  /// - Throws: ``HDF5Error`` if the dataset exists or cannot be written.
  public func write<T: HDF5Scalar>(
    _ path: String, _ values: [T], shape: [Int]
  ) throws(HDF5Error) {
    let count = shape.reduce(1, *)
    precondition(count == values.count, "\(values.count) values for the shape \(shape)")
    try createDataset(path, shape: shape, as: T.self)
    let isFirst = HDF5File.rank(communicator) == 0
    let rows = shape.first ?? 1
    let mine = values.span.extracting(first: isFirst ? count : 0)
    try write(path, rows: isFirst ? 0..<rows : 0..<0, from: mine)
  }

  /// Opens a dataset.
  func openDataset(_ path: String, _ operation: Operation) throws(HDF5Error) -> Handle {
    guard try exists(path) else { throw operation.error("there is no such dataset") }
    return try operation.open(.dataset) { [id = handle.id] in
      unsafe H5Dopen2(id, path, chdf5_default_properties())
    }
  }

  /// Makes a dataspace.
  func dataspace(_ shape: [Int], _ operation: Operation) throws(HDF5Error) -> Handle {
    guard !shape.isEmpty else {
      return try operation.open(.dataspace) { H5Screate(H5S_SCALAR) }
    }
    let lengths = shape.map { UInt64($0) }
    return try operation.open(.dataspace) {
      // The library reads as many lengths as there are.
      unsafe H5Screate_simple(Int32(lengths.count), lengths, nil)
    }
  }

  /// Finds the shape of an open dataset.
  func shape(
    _ dataset: borrowing Handle, _ operation: Operation
  ) throws(HDF5Error) -> [Int] {
    let space = try operation.open(.dataspace) { [id = dataset.id] in H5Dget_space(id) }
    let shape = try shape(ofSpace: space, operation)
    try checkStorage(of: dataset, shape, operation)
    return shape
  }

  /// Finds the shape of a dataspace.
  ///
  /// Products of any of the lengths, and the bytes of so many numbers, fit an `Int`.
  func shape(
    ofSpace space: borrowing Handle, _ operation: Operation
  ) throws(HDF5Error) -> [Int] {
    let id = space.id
    let rank = try operation.check { H5Sget_simple_extent_ndims(id) }
    var lengths = [UInt64](repeating: 0, count: Int(rank))
    // The library writes `rank` lengths.
    try operation.check { unsafe H5Sget_simple_extent_dims(id, &lengths, nil) }
    try checkSize(lengths, operation)
    return lengths.map { Int($0) }
  }
}
