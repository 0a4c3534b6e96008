import MessagePassing
import ParallelHDF5

let hdf5Checks = [
  Check("hdf5-rows", checkRows),
  Check("hdf5-rounds", checkRounds),
  Check("hdf5-gathered-rounds", checkGatheredRounds),
  Check("hdf5-conversion", checkConversion),
  Check("hdf5-empty", checkEmpty),
  Check("hdf5-whole", checkWhole),
  Check("hdf5-attributes", checkAttributes),
]

/// Deals rows to ranks: uneven, and none to the ranks 0, 3, 6.
private func deal(_ size: Int) -> [Range<Int>] {
  var start = 0
  return (0..<size).map { rank in
    let count = size == 1 ? 4 : 5 * rank % 3 * (rank + 1)
    defer { start += count }
    return start..<start + count
  }
}

/// The element at a position of a dataset of so many columns.
private func element(_ row: Int, _ column: Int) -> Double { Double(1000 * row + column) + 0.5 }

/// The elements of rows.
private func elements(_ rows: Range<Int>, width: Int) -> [Double] {
  rows.flatMap { row in (0..<width).map { element(row, $0) } }
}

/// Writes a dataset of three dimensions by all ranks.
private func writeRows(
  _ file: borrowing HDF5File, _ path: String, on world: borrowing Communicator
) throws -> Int {
  let parts = deal(world.size)
  let (mine, length) = (parts[world.rank], parts[world.size - 1].upperBound)
  try file.createDataset(path, shape: [length, 3, 2], as: Double.self)
  let values = elements(mine, width: 6)
  try file.write(path, rows: mine, from: values.span)
  return length
}

/// Reads the file by one process, and then by all with another distribution.
private func verifyRows(
  _ name: String, _ path: String, length: Int, limit: Int, gathers: Bool = false,
  on world: borrowing Communicator
) throws {
  let serial = try HDF5File.open(name)
  try expectEqual(try serial.shape(of: path), [length, 3, 2], "the shape")
  let whole = try serial.read(path, as: Double.self)
  try expect(whole == elements(0..<length, width: 6), "the whole is not what was written")
  let rows = deal(world.size)[world.size - 1 - world.rank]
  var parallel = try HDF5File.open(name, on: world)
  parallel.transferLimit = limit
  parallel.gathersTransfers = gathers
  var part = [Double](repeating: -1, count: 6 * rows.count)
  var span = part.mutableSpan
  try parallel.read(path, rows: rows, into: &span)
  try expect(part == elements(rows, width: 6), "the part is not what was written")
  let everything = try parallel.read(path, as: Double.self)
  try expect(everything == whole, "the ranks do not read the whole")
  try parallel.close()
}

@Sendable private func checkRows(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let file = try HDF5File.create(folder + "/rows.h5", on: world)
    let length = try writeRows(file, "/Group/Data", on: world)
    try file.close()
    try verifyRows(
      folder + "/rows.h5", "/Group/Data", length: length, limit: 1 << 30, on: world)
  }
}

/// Ranks with more rows, or a smaller limit, need more rounds than others.
@Sendable private func checkRounds(_ world: borrowing Communicator) throws {
  try checkRounds(world, gathers: false)
}

/// The same when ranks without rows in a round take part in it.
@Sendable private func checkGatheredRounds(_ world: borrowing Communicator) throws {
  try checkRounds(world, gathers: true)
}

private func checkRounds(_ world: borrowing Communicator, gathers: Bool) throws {
  try withScratchFolder(on: world) { folder in
    let limit = 48 * (1 + world.rank % 3) + 7
    var file = try HDF5File.create(folder + "/rounds.h5", on: world)
    file.transferLimit = limit
    file.gathersTransfers = gathers
    let length = try writeRows(file, "/Data", on: world)
    try file.close()
    try verifyRows(
      folder + "/rounds.h5", "/Data", length: length, limit: limit, gathers: gathers, on: world)
  }
}

/// Numbers in memory and in the file may differ in width.
@Sendable private func checkConversion(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let parts = deal(world.size)
    let (mine, length) = (parts[world.rank], parts[world.size - 1].upperBound)
    let file = try HDF5File.create(folder + "/types.h5", on: world)
    try file.createDataset("/Float", shape: [length], as: Float.self)
    try file.createDataset("/Byte", shape: [length], as: UInt8.self)
    let (numbers, integers) = (mine.map { Double($0) + 0.25 }, mine.map { 200 - $0 })
    try file.write("/Float", rows: mine, from: numbers.span)
    try file.write("/Byte", rows: mine, from: integers.span)
    try file.close()
    let serial = try HDF5File.open(folder + "/types.h5")
    try expectEqual(try serial.elementKind(of: "/Float"), .float32, "the kind")
    let floats = try serial.read("/Float", as: Float.self)
    try expectEqual(floats, (0..<length).map { Float($0) + 0.25 }, "the numbers")
    let bytes = try serial.read("/Byte", as: Int32.self)
    try expectEqual(bytes, (0..<length).map { Int32(200 - $0) }, "the bytes")
  }
}

/// Datasets without elements, and transfers in which no rank has a row.
@Sendable private func checkEmpty(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let file = try HDF5File.create(folder + "/empty.h5", on: world)
    let nothing: [Float] = []
    for (path, shape) in [("/Long", [0, 4]), ("/Wide", [world.size, 0]), ("/Some", [3])] {
      try file.createDataset(path, shape: shape, as: Float.self)
      try file.write(path, rows: 0..<0, from: nothing.span)
    }
    try file.write("/Wide", rows: world.rank..<world.rank + 1, from: nothing.span)
    try file.close()
    let parallel = try HDF5File.open(folder + "/empty.h5", on: world)
    try expectEqual(try parallel.names(), ["Long", "Some", "Wide"], "the names")
    try expectEqual(try parallel.shape(of: "/Wide"), [world.size, 0], "the shape")
    try expectEqual(try parallel.read("/Long", as: Float.self), [], "the elements")
    try expectEqual(try parallel.read("/Some", as: Float.self).count, 3, "the number of elements")
  }
}

/// All ranks pass the same values and one of them writes; the others' values do not matter.
@Sendable private func checkWhole(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let size = world.size
    let file = try HDF5File.create(folder + "/whole.h5", on: world)
    let values = (0..<2 * size).map { Int64($0 * $0) }
    try file.write("/Values", values, shape: [size, 2])
    try file.write("/Single", [Double(size)], shape: [])
    try expectEqual(try file.read("/Values", as: Int64.self), values, "the values before the end")
    try file.close()
    let serial = try HDF5File.open(folder + "/whole.h5")
    try expectEqual(try serial.read("/Values", as: Int64.self), values, "the values")
    try expectEqual(try serial.read("/Single", as: Double.self), [Double(size)], "the number")
  }
}

@Sendable private func checkAttributes(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let size = world.size
    let file = try HDF5File.create(folder + "/attributes.h5", on: world)
    try file.createGroup("/A/B")
    try file.setAttribute("text", on: "/A/B", "ranks: \(size)")
    try file.setAttribute("number", on: "/A", 1 / Double(size))
    try file.setAttribute("list", Array(0..<size))
    try file.setAttribute("list", Array(0...size))
    try expectEqual(try file.attribute("list", as: [Int].self), Array(0...size), "the list")
    try file.close()
    let serial = try HDF5File.open(folder + "/attributes.h5")
    let parallel = try HDF5File.open(folder + "/attributes.h5", on: world)
    try expectEqual(
      try serial.attribute("text", on: "/A/B", as: String.self), "ranks: \(size)", "the text")
    try expectEqual(
      try parallel.attribute("text", on: "/A/B", as: String.self), "ranks: \(size)", "the text")
    try expectEqual(
      try serial.attribute("number", on: "/A", as: Double.self), 1 / Double(size), "the number")
    try expectEqual(try serial.attribute("list", as: [Int].self), Array(0...size), "the list")
  }
}
