internal import CHDF5
internal import MessagePassing

/// What one call of the library transfers.
struct TransferPart {
  let dataset, memorySpace, fileSpace, properties: Int64
  /// The position of the first element in memory.
  let first: Int
}

extension HDF5File {
  /// Moves runs of rows, or the same columns of each row, in rounds of a limited size.
  ///
  /// In memory they follow each other in the order of the runs, without the other columns.
  func transfer(
    _ operation: Operation, _ runs: [Range<Int>], columns: Range<Int>?, _ kind: HDF5ScalarKind,
    count: Int, _ move: (TransferPart) -> herr_t
  ) throws(HDF5Error) {
    let dataset = try openDataset(operation.object, operation)
    let shape = try shape(dataset, operation)
    let (length, fullWidth) = (shape.first ?? 1, shape.dropFirst().reduce(1, *))
    let columns = columns ?? 0..<fullWidth
    try agreed(operation) { () throws(HDF5Error) in
      let type = try operation.open(.datatype) { [id = dataset.id] in H5Dget_type(id) }
      try kind.check(against: type.id, operation)
      for rows in runs where rows.lowerBound < 0 || rows.upperBound > length {
        let text = "it has \(length) rows, rows \(rows) are needed"
        throw operation.error(text, exitStatus: ExitStatus.wrongContent)
      }
      guard columns.lowerBound >= 0, columns.upperBound <= fullWidth else {
        let text = "it has \(fullWidth) columns, columns \(columns) are needed"
        throw operation.error(text, exitStatus: ExitStatus.wrongContent)
      }
    }
    let (rowCount, width) = (runs.reduce(0) { $0 + $1.count }, columns.count)
    precondition(
      rowCount * width == count,
      "\(count) values for \(rowCount) rows of \(width) elements in \(operation.object)")
    guard length * fullWidth > 0 else { return }
    let parts = width > 0 ? rounds(runs, limit: max(1, transferLimit / (width * kind.size))) : []
    // A rank that has no more rows, or failed, takes part in the rounds that are left.
    let count = gathersTransfers ? try maximum(parts.count, operation) : parts.count
    var (first, failure) = (0, HDF5Error?.none)
    for round in 0..<count {
      let rows = round < parts.count ? parts[round] : 0..<0
      do throws(HDF5Error) {
        try transferRound(operation, dataset, rows, columns, shape, first: first, move)
      } catch {
        failure = failure ?? error
      }
      first += rows.count * width
    }
    try agreed(operation) { () throws(HDF5Error) in
      if let failure { throw failure }
    }
  }

  /// Cuts runs of rows into pieces of at most so many rows.
  private func rounds(_ runs: [Range<Int>], limit: Int) -> [Range<Int>] {
    runs.flatMap { rows in
      stride(from: rows.lowerBound, to: rows.upperBound, by: limit).map { start in
        start..<min(start + limit, rows.upperBound)
      }
    }
  }

  /// Moves the rows of one round, which may be none.
  private func transferRound(
    _ operation: Operation, _ dataset: borrowing Handle, _ rows: Range<Int>,
    _ columns: Range<Int>, _ shape: [Int], first: Int, _ move: (TransferPart) -> herr_t
  ) throws(HDF5Error) {
    let fileSpace = try operation.open(.dataspace) { [id = dataset.id] in H5Dget_space(id) }
    let memorySpace = try dataspace([max(1, rows.count * columns.count)], operation)
    if rows.isEmpty {
      try operation.check { [id = fileSpace.id] in H5Sselect_none(id) }
      try operation.check { [id = memorySpace.id] in H5Sselect_none(id) }
    } else if !shape.isEmpty {
      try select(rows, columns, of: shape, in: fileSpace, operation)
    }
    let properties = try transferProperties(operation)
    let part = TransferPart(
      dataset: dataset.id, memorySpace: memorySpace.id, fileSpace: fileSpace.id,
      properties: properties.id, first: first)
    // A rank that transfers its own rows waits for no other rank, so the transfer is not watched.
    var transfer = operation
    if !gathersTransfers { transfer.ranks = nil }
    try transfer.check { move(part) }
  }

  /// Selects columns of rows, which are elements that follow each other in each row.
  ///
  /// The library goes through any selection in the order of the file.
  private func select(
    _ rows: Range<Int>, _ columns: Range<Int>, of shape: [Int], in space: borrowing Handle,
    _ operation: Operation
  ) throws(HDF5Error) {
    var mode = H5S_SELECT_SET
    for box in Box.boxes(of: columns, in: shape.dropFirst()) {
      let start = ([rows.lowerBound] + box.start).map { UInt64($0) }
      let count = ([rows.count] + box.count).map { UInt64($0) }
      try operation.check { [id = space.id] in
        // Both arrays have one element for each dimension.
        unsafe H5Sselect_hyperslab(id, mode, start, nil, count, nil)
      }
      mode = H5S_SELECT_OR
    }
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

/// A range in each of several dimensions.
private struct Box {
  var start, count: [Int]

  /// Takes a range of the elements of an array apart, which are counted with the last dimension
  /// contiguous: into one box for a range of whole blocks, and those of a block begun or ended.
  static func boxes(of range: Range<Int>, in shape: ArraySlice<Int>) -> [Box] {
    guard !range.isEmpty else { return [] }
    guard !shape.isEmpty else { return [Box(start: [], count: [])] }
    let inner = shape.dropFirst()
    let size = inner.reduce(1, *)
    // The whole blocks, and the elements before and after them; or a part of one block.
    let lower = (range.lowerBound + size - 1) / size
    let upper = range.upperBound / size
    func part(_ block: Int, _ elements: Range<Int>) -> [Box] {
      let offset = block * size
      return Box.boxes(of: elements.lowerBound - offset..<elements.upperBound - offset, in: inner)
        .map { Box(start: [block] + $0.start, count: [1] + $0.count) }
    }
    guard lower <= upper else { return part(upper, range) }
    let whole = Box(start: [lower] + inner.map { _ in 0 }, count: [upper - lower] + Array(inner))
    return part(lower - 1, range.lowerBound..<lower * size)
      + (lower < upper ? [whole] : []) + part(upper, upper * size..<range.upperBound)
  }
}
