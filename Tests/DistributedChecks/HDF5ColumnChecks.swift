import MessagePassing
import ParallelHDF5

let hdf5ColumnChecks = [
  Check("hdf5-columns", checkColumns),
  Check("hdf5-row-list", checkRowList),
  Check("hdf5-one-rank-outside", checkOneRankOutside),
]

/// Creates a file with a dataset of three dimensions whose elements are their positions.
private func makeFile(_ folder: String, on world: borrowing Communicator) throws -> HDF5File {
  let length = 3 * world.size
  let file = try HDF5File.create(folder + "/columns.h5", on: world)
  try file.write("/Data", Array(0..<12 * length), shape: [length, 3, 4])
  return file
}

/// The elements that belong to columns of rows.
private func elements(_ rows: [Int], _ columns: Range<Int>) -> [Float] {
  rows.flatMap { row in columns.map { Float(12 * row + $0) } }
}

/// Each rank reads other columns of other rows, and some none, in rounds of different sizes.
@Sendable private func checkColumns(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let (rank, size) = (world.rank, world.size)
    var file = try makeFile(folder, on: world)
    for round in 0..<24 {
      file.gathersTransfers = round % 2 == 1
      file.transferLimit = [1, 50, 1 << 30][(rank + round) % 3]
      let lower = (5 * rank + round) % 13
      let columns = lower..<min(12, lower + (3 * rank + 7 * round) % 12)
      let rows = rank..<rank + (rank + round) % (2 * size + 1)
      var values = [Float](repeating: -1, count: rows.count * columns.count)
      var span = values.mutableSpan
      try file.read("/Data", rows: rows, columns: columns, into: &span)
      try world.agree {
        try expectEqual(values, elements(Array(rows), columns), "columns \(columns) of \(rows)")
      }
    }
    try file.close()
  }
}

/// Each rank reads other rows, another number of them, some of them twice, and rank 0 none.
@Sendable private func checkRowList(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let (rank, size) = (world.rank, world.size)
    var file = try makeFile(folder, on: world)
    for round in 0..<8 {
      file.gathersTransfers = round % 2 == 1
      file.transferLimit = [1, 100, 1 << 30][(rank + round) % 3]
      let list = (0..<5 * rank).map { ($0 / 2 * (rank + round) + $0 % 2) % (3 * size) }
      let columns = round..<round + rank % 5
      var values = [Float](repeating: -1, count: list.count * columns.count)
      var span = values.mutableSpan
      try file.read("/Data", rowList: list, columns: columns, into: &span)
      try world.agree {
        try expectEqual(values, elements(list, columns), "columns \(columns) of \(list)")
      }
    }
    try file.close()
  }
}

/// One rank asks for columns or rows that do not exist, and all hear of it; then the file still works.
@Sendable private func checkOneRankOutside(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let file = try makeFile(folder, on: world)
    var values = [Float](repeating: -1, count: 2)
    for failing in 0..<world.size {
      let isFailing = world.rank == failing
      let columns = try expectThrows(HDF5Error.self) {
        let start = isFailing ? 11 : 10
        var span = values.mutableSpan
        try file.read("/Data", rows: 0..<1, columns: start..<start + 2, into: &span)
      }
      try expectEqual(columns.exitStatus, 65, "the status")
      try expect(columns.message.contains("12 columns"), "the message is \(columns.message)")
      let rows = try expectThrows(HDF5Error.self) {
        var span = values.mutableSpan
        let list = [0, isFailing ? 3 * world.size : 1]
        try file.read("/Data", rowList: list, columns: 0..<1, into: &span)
      }
      try expect(rows.message.contains("\(3 * world.size) rows"), "the message is \(rows.message)")
    }
    var span = values.mutableSpan
    try file.read("/Data", rowList: [2, 0], columns: 11..<12, into: &span)
    try expectEqual(values, [35, 11], "the values")
  }
}
