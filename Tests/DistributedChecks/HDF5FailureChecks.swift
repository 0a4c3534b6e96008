import Foundation
import MessagePassing
import ParallelHDF5

let hdf5FailureChecks = [
  Check("hdf5-missing", checkMissing),
  Check("hdf5-truncated", checkTruncated),
  Check("hdf5-uncreatable", checkUncreatable),
  Check("hdf5-one-rank-fails", checkOneRankFails),
  Check("hdf5-full", checkFull),
]

/// A missing file, a file of another kind, and a missing dataset are errors on all ranks.
@Sendable private func checkMissing(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let missing = try expectThrows(HDF5Error.self) {
      _ = try HDF5File.open(folder + "/missing.h5", on: world)
    }
    try expectEqual(missing.exitStatus, 66, "the status of a missing file")
    if world.rank == 0 { try Data("text".utf8).write(to: URL(fileURLWithPath: folder + "/text")) }
    let text = try expectThrows(HDF5Error.self) {
      _ = try HDF5File.open(folder + "/text", on: world)
    }
    try expectEqual(text.exitStatus, 65, "the status of a text")
    let file = try HDF5File.create(folder + "/file.h5", on: world)
    let dataset = try expectThrows(HDF5Error.self) { _ = try file.read("/No", as: Float.self) }
    try expectEqual(dataset.exitStatus, 65, "the status of a missing dataset")
  }
}

/// A file that lost its end is an error on all ranks.
@Sendable private func checkTruncated(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let path = folder + "/truncated.h5"
    let file = try HDF5File.create(path, on: world)
    try file.write("/Values", [Double](repeating: 1, count: 10_000), shape: [10_000])
    try file.close()
    if world.rank == 0 {
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.truncate(atOffset: 40_000)
      try handle.close()
    }
    try world.barrier()
    let error = try expectThrows(HDF5Error.self) {
      let file = try HDF5File.open(path, on: world)
      _ = try file.read("/Values", as: Double.self)
    }
    try expectEqual(error.exitStatus, 65, "the status")
    try expect(error.message.contains("truncated"), "the message is \(error.message)")
  }
}

@Sendable private func checkUncreatable(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let error = try expectThrows(HDF5Error.self) {
      _ = try HDF5File.create(folder + "/no/folder.h5", on: world)
    }
    try expectEqual(error.exitStatus, 73, "the status")
    try expect(error.message.contains("No such file"), "the message is \(error.message)")
  }
}

/// One rank asks for rows that do not exist, and all hear of it; then the file still works.
@Sendable private func checkOneRankFails(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let (rank, size) = (world.rank, world.size)
    let file = try HDF5File.create(folder + "/short.h5", on: world)
    try file.createDataset("/Values", shape: [size], as: Int32.self)
    let values = [Int32(rank + 1)]
    for failing in 0..<size {
      let start = rank == failing ? size : rank
      let error = try expectThrows(HDF5Error.self) {
        try file.write("/Values", rows: start..<start + 1, from: values.span)
      }
      try expectEqual(error.exitStatus, 65, "the status")
      try expect(error.message.contains("\(size) rows"), "the message is \(error.message)")
    }
    try file.write("/Values", rows: rank..<rank + 1, from: values.span)
    let written = try file.read("/Values", as: Int32.self)
    try expectEqual(written, (1...size).map { Int32($0) }, "the values")
    try file.close()
  }
}

/// The last rank cannot write, as on a full disk, and all hear of it.
@Sendable private func checkFull(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let (rank, size, count) = (world.rank, world.size, 100_000)
    let file = try HDF5File.create(folder + "/full.h5", on: world)
    try file.createDataset("/Values", shape: [size * count], as: Double.self)
    let values = [Double](repeating: 1, count: count)
    if rank == size - 1 { setFileSizeLimit(rlim_t(1000)) }
    let error = try expectThrows(HDF5Error.self) {
      try file.write("/Values", rows: rank * count..<(rank + 1) * count, from: values.span)
    }
    setFileSizeLimit(nil)
    try expectEqual(error.exitStatus, 74, "the status")
    try file.close()
  }
}

/// Limits the size of the files that this process writes, or lifts the limit.
private func setFileSizeLimit(_ size: rlim_t?) {
  // Otherwise a signal would end the process.
  signal(SIGXFSZ, SIG_IGN)
  var limit = rlimit()
  // The structure is read and written during the calls.
  unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
  limit.rlim_cur = size ?? limit.rlim_max
  unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
}
