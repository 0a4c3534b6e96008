internal import CHDF5
internal import MessagePassing

extension HDF5File {
  /// Reads rows of a dataset: a range of the first dimension with all of the others.
  ///
  /// Collective if the file is parallel; the range may differ from rank to rank and be empty. The
  /// corresponding HDF5 routine is `H5Dread`.
  ///
  /// - Parameters:
  ///   - path: The path of the dataset.
  ///   - rows: The range of the first dimension; 0..<1 for a single element without dimensions.
  ///   - values: The elements of the rows, with the last dimension contiguous.
  /// - Precondition: There are as many values as elements in the rows.
  /// - Throws: ``HDF5Error`` if the dataset is missing, too short, or holds no such numbers.
  public func read<T: HDF5Scalar>(
    _ path: String, rows: Range<Int>, into values: inout MutableSpan<T>
  ) throws(HDF5Error) {
    let operation = operation("read", path)
    try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(HDF5Error) in
      // The plan checks that the elements of the rows fill the buffer.
      let start = buffer.baseAddress
      try transfer(operation, rows, T.hdf5Kind, count: buffer.count) { part in
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
      try transfer(operation, rows, T.hdf5Kind, count: buffer.count) { part in
        unsafe H5Dwrite(
          part.dataset, T.hdf5Kind.memoryType, part.memorySpace, part.fileSpace, part.properties,
          start.map { unsafe $0 + part.first })
      }
    }
  }

  /// What one call of the library transfers.
  private struct Part {
    let dataset, memorySpace, fileSpace, properties: Int64
    /// The position of the first element in memory.
    let first: Int
  }

  /// Moves rows in rounds of a limited size.
  private func transfer(
    _ operation: Operation, _ rows: Range<Int>, _ kind: HDF5ScalarKind, count: Int,
    _ move: (Part) -> herr_t
  ) throws(HDF5Error) {
    let dataset = try openDataset(operation.object, operation)
    let fileShape = try shape(dataset, operation)
    let (length, width) = (fileShape.first ?? 1, fileShape.dropFirst().reduce(1, *))
    try agreed(operation) { () throws(HDF5Error) in
      let type = try operation.open(.datatype) { [id = dataset.id] in H5Dget_type(id) }
      try kind.check(against: type.id, operation)
      guard rows.lowerBound >= 0, rows.upperBound <= length else {
        let text = "it has \(length) rows, rows \(rows) are needed"
        throw operation.error(text, exitStatus: ExitStatus.wrongContent)
      }
    }
    precondition(
      rows.count * width == count,
      "\(count) values for \(rows.count) rows of \(width) elements in \(operation.object)")
    guard length * width > 0 else { return }
    let limit = max(1, transferLimit / (width * kind.size))
    let ownRounds = (rows.count + limit - 1) / limit
    // A rank that has no more rows, or failed, takes part in the rounds that are left.
    let rounds = gathersTransfers ? try maximum(ownRounds, operation) : ownRounds
    var failure: HDF5Error?
    for round in 0..<rounds {
      let start = min(rows.lowerBound + round * limit, rows.upperBound)
      let part = start..<min(start + limit, rows.upperBound)
      do throws(HDF5Error) {
        try transferRound(
          operation, dataset, part, fileShape, first: (start - rows.lowerBound) * width, move)
      } catch {
        failure = failure ?? error
      }
    }
    try agreed(operation) { () throws(HDF5Error) in
      if let failure { throw failure }
    }
  }

  /// Moves the rows of one round, which may be none.
  private func transferRound(
    _ operation: Operation, _ dataset: borrowing Handle, _ rows: Range<Int>, _ shape: [Int],
    first: Int, _ move: (Part) -> herr_t
  ) throws(HDF5Error) {
    let fileSpace = try operation.open(.dataspace) { [id = dataset.id] in H5Dget_space(id) }
    let width = shape.dropFirst().reduce(1, *)
    let memorySpace = try dataspace([max(1, rows.count * width)], operation)
    if rows.isEmpty {
      try operation.check { [id = fileSpace.id] in H5Sselect_none(id) }
      try operation.check { [id = memorySpace.id] in H5Sselect_none(id) }
    } else if !shape.isEmpty {
      let start = [UInt64(rows.lowerBound)] + [UInt64](repeating: 0, count: shape.count - 1)
      let count = [UInt64(rows.count)] + shape.dropFirst().map { UInt64($0) }
      try operation.check { [id = fileSpace.id] in
        // Both arrays have one element for each dimension.
        unsafe H5Sselect_hyperslab(id, H5S_SELECT_SET, start, nil, count, nil)
      }
    }
    let properties = try transferProperties(operation)
    let part = Part(
      dataset: dataset.id, memorySpace: memorySpace.id, fileSpace: fileSpace.id,
      properties: properties.id, first: first)
    try operation.check { move(part) }
  }

  /// Makes the properties of a transfer.
  private func transferProperties(_ operation: Operation) throws(HDF5Error) -> Handle {
    let properties = try operation.open(.properties) { H5Pcreate(chdf5_dataset_transfer()) }
    if isParallel && gathersTransfers {
      try operation.check { [id = properties.id] in
        H5Pset_dxpl_mpio(id, H5FD_MPIO_COLLECTIVE)
      }
    }
    return properties
  }
}
