import Foundation
import ParallelHDF5
import Testing

@Suite("Columns and single rows of datasets of one process")
struct HDF5FileRowsTests {
  /// Creates a file with a dataset whose elements are their positions.
  private func makeFile(_ folder: borrowing ScratchFolder, shape: [Int]) throws -> HDF5File {
    let file = try HDF5File.create(folder.file())
    try file.write("/Rows", (0..<shape.reduce(1, *)).map { Int32($0) }, shape: shape)
    return file
  }

  /// The elements that belong to columns of rows.
  private func expected(_ rows: some Sequence<Int>, _ columns: Range<Int>, width: Int) -> [Double] {
    rows.flatMap { row in columns.map { Double(row * width + $0) } }
  }

  @Test(
    "every range of columns of every range of rows",
    arguments: [
      [], [3], [0, 3], [3, 0], [3, 5], [3, 4, 5], [2, 3, 2, 3], [3, 1, 3, 1], [2, 1, 1],
    ], [1, 30, 1 << 30])
  func columns(shape: [Int], limit: Int) throws {
    let folder = try ScratchFolder()
    var file = try makeFile(folder, shape: shape)
    file.transferLimit = limit
    let (length, width) = (shape.first ?? 1, shape.dropFirst().reduce(1, *))
    for rows in [0..<length, length / 3..<length, 0..<0] {
      for lower in 0...width {
        for upper in lower...width {
          var values = [Double](repeating: -1, count: rows.count * (upper - lower))
          var span = values.mutableSpan
          try file.read("/Rows", rows: rows, columns: lower..<upper, into: &span)
          #expect(values == expected(rows, lower..<upper, width: width), "\(lower)..<\(upper)")
        }
      }
    }
  }

  @Test(
    "rows in any order",
    arguments: [
      [], [4], [0, 1, 2, 3, 4], [3, 1, 1, 2, 0], [4, 3, 2], [2, 2, 2], [0, 1, 3, 4, 0],
    ], [8, 50, 1 << 30])
  func rowList(list: [Int], limit: Int) throws {
    let folder = try ScratchFolder()
    var file = try makeFile(folder, shape: [5, 2, 3])
    file.transferLimit = limit
    for columns in [nil, 0..<6, 1..<5, 2..<2] {
      let selected = columns ?? 0..<6
      var values = [Double](repeating: -1, count: list.count * selected.count)
      var span = values.mutableSpan
      try file.read("/Rows", rowList: list, columns: columns, into: &span)
      #expect(values == expected(list, selected, width: 6))
    }
  }

  @Test("columns and rows that do not exist have status 65")
  func outside() throws {
    let folder = try ScratchFolder()
    let file = try makeFile(folder, shape: [4, 2, 3])
    var values = [Double](repeating: -1, count: 6)
    for columns in [4..<7, -1..<2] {
      let error = #expect(throws: HDF5Error.self) {
        var span = values.mutableSpan
        try file.read("/Rows", rows: 0..<2, columns: columns, into: &span)
      }
      #expect(error?.exitStatus == 65)
      #expect(error?.message.contains("it has 6 columns, columns \(columns) are needed") == true)
    }
    for row in [4, -1] {
      let error = #expect(throws: HDF5Error.self) {
        var span = values.mutableSpan
        try file.read("/Rows", rowList: [0, row], columns: 0..<3, into: &span)
      }
      #expect(error?.exitStatus == 65)
      #expect(
        error?.message.contains("it has 4 rows, rows \(row)..<\(row + 1) are needed") == true)
    }
    #expect(values == [Double](repeating: -1, count: 6))
  }

  @Test("a count that does not fit the columns stops the program")
  func wrongCount() async {
    await #expect(processExitsWith: .failure) {
      let folder = try ScratchFolder()
      let file = try HDF5File.create(folder.file())
      try file.createDataset("/Rows", shape: [4, 3], as: Float.self)
      var values: [Float] = [1, 2, 3, 4, 5, 6]
      var span = values.mutableSpan
      try file.read("/Rows", rows: 0..<2, columns: 0..<2, into: &span)
    }
  }
}
