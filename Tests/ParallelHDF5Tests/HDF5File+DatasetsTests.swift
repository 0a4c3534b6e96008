import Foundation
import ParallelHDF5
import Testing

@Suite("Datasets of a file of one process")
struct HDF5FileDatasetsTests {
  /// Writes and reads numbers in all ways, for one type.
  private func roundTrip<T: HDF5Scalar & Numeric>(_ type: T.Type, shape: [Int]) throws {
    let folder = try ScratchFolder()
    let count = shape.reduce(1, *)
    let values = (0..<count).map { T(exactly: $0 % 250) ?? .zero }
    let created = try HDF5File.create(folder.file())
    try created.write("/Deep/Inside/Values", values, shape: shape)
    #expect(try created.read("/Deep/Inside/Values", as: T.self) == values)
    try created.close()
    let file = try HDF5File.open(folder.file())
    #expect(try file.shape(of: "/Deep/Inside/Values") == shape)
    #expect(try file.read("/Deep/Inside/Values", as: T.self) == values)
    #expect(try file.read("Deep/Inside/Values", as: Double.self).count == count)
  }

  @Test(
    "numbers come back as they were",
    arguments: [[], [0], [1], [7], [3, 0], [0, 3], [5, 4], [2, 3, 4], [1, 1, 1, 6]])
  func roundTrips(shape: [Int]) throws {
    try roundTrip(Float.self, shape: shape)
    try roundTrip(Double.self, shape: shape)
    try roundTrip(Int32.self, shape: shape)
    try roundTrip(Int64.self, shape: shape)
    try roundTrip(Int.self, shape: shape)
    try roundTrip(UInt8.self, shape: shape)
  }

  @Test("all bits of floating-point numbers are kept")
  func specialNumbers() throws {
    let folder = try ScratchFolder()
    let values = [Double.infinity, -0.0, .leastNonzeroMagnitude, .nan, .greatestFiniteMagnitude]
    let file = try HDF5File.create(folder.file())
    try file.write("/Values", values, shape: [5])
    let read = try file.read("/Values", as: Double.self)
    #expect(read.map { $0.bitPattern } == values.map { $0.bitPattern })
  }

  @Test(
    "rows are read and written in any split",
    arguments: [[0, 10], [0, 0, 10, 10], [0, 1, 5, 10]], [7, 24, 50, 1 << 30])
  func rows(bounds: [Int], limit: Int) throws {
    let folder = try ScratchFolder()
    let values = (0..<30).map { Float($0) }
    var file = try HDF5File.create(folder.file())
    file.transferLimit = limit
    try file.createDataset("/Rows", shape: [10, 3], as: Float.self)
    for (start, end) in zip(bounds, bounds.dropFirst()) {
      let part = Array(values[3 * start..<3 * end])
      try file.write("/Rows", rows: start..<end, from: part.span)
    }
    #expect(try file.read("/Rows", as: Float.self) == values)
    for (start, end) in zip(bounds, bounds.dropFirst()) {
      var part = [Float](repeating: -1, count: 3 * (end - start))
      var span = part.mutableSpan
      try file.read("/Rows", rows: start..<end, into: &span)
      #expect(part == Array(values[3 * start..<3 * end]))
    }
  }

  @Test("numbers are converted")
  func conversion() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.write("/Double", [0.1, 2.5], shape: [2])
    try file.write("/Byte", [UInt8(7), 255], shape: [2])
    #expect(try file.read("/Double", as: Float.self) == [0.1, 2.5])
    #expect(try file.read("/Byte", as: Int.self) == [7, 255])
    #expect(try file.read("/Byte", as: Double.self) == [7, 255])
    #expect(try file.elementKind(of: "/Double") == .float64)
    #expect(try file.elementKind(of: "/Byte") == .integer)
  }

  @Test("groups and names")
  func groups() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.createGroup("/b/c")
    try file.createGroup("/a")
    try file.createGroup("/b")
    try file.write("/Straße", [1.0], shape: [1])
    #expect(try file.names() == ["Straße", "a", "b"])
    #expect(try file.names(in: "/b") == ["c"])
    #expect(try file.names(in: "/b/c") == [])
    #expect(try file.exists("/b/c") && file.exists("/") && file.exists("a"))
    #expect(try !file.exists("/b/d") && !file.exists("/x/y") && !file.exists("/Straße/x"))
  }

  @Test("creating a file replaces the one that was there")
  func replaces() throws {
    let folder = try ScratchFolder()
    for name in ["/Old", "/New"] {
      let file = try HDF5File.create(folder.file())
      try file.write(name, [1.0], shape: [1])
      try file.close()
    }
    #expect(try HDF5File.open(folder.file()).names() == ["New"])
  }

  @Test("files can be used from several threads")
  func threads() throws {
    let folder = try ScratchFolder()
    let paths = (0..<4).map { folder.file("\($0).h5") }
    let results = Results()
    DispatchQueue.concurrentPerform(iterations: 4) { index in
      let outcome = Result {
        for round in 0..<20 {
          let file = try HDF5File.create(paths[index])
          try file.write("/Values", [Int](repeating: index + round, count: 100), shape: [100])
          let error = #expect(throws: HDF5Error.self) { try file.read("/\(index)", as: Int.self) }
          #expect(error?.object == "/\(index)")
          let values = try file.read("/Values", as: Int.self)
          #expect(values == [Int](repeating: index + round, count: 100))
        }
      }
      results.add(outcome)
    }
    for outcome in results.outcomes { try outcome.get() }
    #expect(results.outcomes.count == 4)
  }

  @Test(
    "a shape that no memory or no file can hold is wrong content",
    arguments: [
      [1 << 40, 1 << 40], [1 << 63, 1], [1, .max], [1 << 32, 1 << 31], [0, 1 << 62], [1 << 40, 80],
      [1_000_000_000, 1_000_000_000],
    ] as [[UInt64]])
  func hugeShape(shape: [UInt64]) throws {
    let folder = try ScratchFolder()
    let path = folder.file()
    let file = try HDF5File.create(path)
    try file.createDataset("/Rows", shape: [12_345, 678], as: Float.self)
    try file.close()
    try replace([12_345, 678], by: shape, in: path)
    let damaged = try HDF5File.open(path)
    func expectWrong(_ body: () throws -> Void) {
      let error = #expect(throws: HDF5Error.self) { try body() }
      #expect(error?.exitStatus == 65 && error?.object == "/Rows", "\(String(describing: error))")
    }
    expectWrong { _ = try damaged.shape(of: "/Rows") }
    expectWrong { _ = try damaged.read("/Rows", as: Double.self) }
    expectWrong { _ = try damaged.read("/Rows", rows: 0..<1, as: Double.self) }
    expectWrong {
      var values = [0.0]
      var span = values.mutableSpan
      try damaged.read("/Rows", rows: 0..<1, columns: 0..<1, into: &span)
    }
  }

  /// Replaces the lengths of a dataset, as they stand in the file.
  private func replace(_ old: [UInt64], by new: [UInt64], in path: String) throws {
    func bytes(_ lengths: [UInt64]) -> Data {
      Data(lengths.flatMap { length in (0..<8).map { UInt8(length >> (8 * $0) & 255) } })
    }
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(data.range(of: bytes(old)))
    data.replaceSubrange(place, with: bytes(new))
    try data.write(to: URL(fileURLWithPath: path))
  }

  @Test("a count that does not fit the rows stops the program")
  func wrongCount() async {
    await #expect(processExitsWith: .failure) {
      let folder = try ScratchFolder()
      let file = try HDF5File.create(folder.file())
      try file.createDataset("/Rows", shape: [4, 3], as: Float.self)
      let values: [Float] = [1, 2, 3, 4, 5]
      try file.write("/Rows", rows: 0..<2, from: values.span)
    }
  }
}

/// What the threads of a test found.
private final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var outcomes: [Result<Void, any Error>] = []

  func add(_ outcome: Result<Void, any Error>) {
    lock.withLock { outcomes.append(outcome) }
  }
}
