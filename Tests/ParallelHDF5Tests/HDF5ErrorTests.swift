import Foundation
import ParallelHDF5
import Testing

@Suite("Errors of files of one process")
struct HDF5ErrorTests {
  @Test("a missing file has status 66")
  func missingFile() throws {
    let folder = try ScratchFolder()
    let path = folder.file("missing.h5")
    let error = #expect(throws: HDF5Error.self) { _ = try HDF5File.open(path) }
    #expect(error?.exitStatus == 66)
    #expect(error?.message == "\(path): cannot open: there is no such file")
  }

  @Test("a directory, an empty file and a text have status 65")
  func otherFiles() throws {
    let folder = try ScratchFolder()
    try Data().write(to: URL(fileURLWithPath: folder.file("empty")))
    try Data("text".utf8).write(to: URL(fileURLWithPath: folder.file("text")))
    for path in [folder.file("."), folder.file("empty"), folder.file("text")] {
      let error = #expect(throws: HDF5Error.self) { _ = try HDF5File.open(path) }
      #expect(error?.exitStatus == 65)
    }
  }

  @Test("a file that lost its end has status 65, wherever it ends")
  func truncatedFile() throws {
    let folder = try ScratchFolder()
    let created = try HDF5File.create(folder.file())
    try created.write("/First", (0..<500).map { Double($0) }, shape: [500])
    try created.setAttribute("text", "some text")
    try created.write("/Second", (0..<500).map { Double($0) }, shape: [500])
    try created.close()
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file()))
    let lengths = Array(stride(from: 0, to: whole.count, by: 61)) + [whole.count - 1]
    for length in lengths {
      let path = folder.file("part.h5")
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: HDF5Error.self, "\(length) of \(whole.count) bytes") {
        let file = try HDF5File.open(path)
        _ = try file.read("/First", as: Double.self)
        _ = try file.read("/Second", as: Double.self)
      }
      #expect(error?.exitStatus == 65)
    }
  }

  @Test("a file in a missing folder, or in place of a folder, has status 73")
  func cannotCreate() throws {
    let folder = try ScratchFolder()
    for path in [folder.file("no/file.h5"), folder.file(".")] {
      let error = #expect(throws: HDF5Error.self) { _ = try HDF5File.create(path) }
      #expect(error?.exitStatus == 73)
    }
  }

  @Test("wrong content has status 65 and says what was found")
  func wrongContent() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.write("/Group/Values", [0.5, 1.5], shape: [2])
    let missing = #expect(throws: HDF5Error.self) { try file.read("/Group/Other", as: Float.self) }
    #expect(missing?.exitStatus == 65)
    #expect(missing?.object == "/Group/Other")
    let group = #expect(throws: HDF5Error.self) { try file.read("/Group", as: Float.self) }
    #expect(group?.exitStatus == 65)
    let integers = #expect(throws: HDF5Error.self) { try file.read("/Group/Values", as: Int.self) }
    #expect(integers?.exitStatus == 65)
    #expect(integers?.message.contains("float64") == true)
    let rows = #expect(throws: HDF5Error.self) {
      var values: [Double] = [0, 0]
      var span = values.mutableSpan
      try file.read("/Group/Values", rows: 1..<3, into: &span)
    }
    #expect(rows?.exitStatus == 65)
    #expect(rows?.message.contains("it has 2 rows, rows 1..<3 are needed") == true)
    let names = #expect(throws: HDF5Error.self) { try file.names(in: "/Group/Values") }
    #expect(names?.exitStatus == 65)
  }

  @Test("a failure of the library carries its error stack")
  func errorStack() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.createDataset("/Twice", shape: [1], as: Float.self)
    let error = try #require(
      throws: HDF5Error.self
    ) { try file.createDataset("/Twice", shape: [1], as: Float.self) }
    #expect(error.exitStatus == 74)
    #expect(error.text.contains("already exists"))
    #expect(error.frames.count > 2)
    #expect(error.frames.last?.function == "H5Dcreate2")
    #expect(error.description.contains("H5Dcreate2"))
  }

  @Test("a file that is open for reading cannot be written")
  func readOnly() throws {
    let folder = try ScratchFolder()
    let created = try HDF5File.create(folder.file())
    try created.write("/Values", [1.0], shape: [1])
    try created.close()
    let file = try HDF5File.open(folder.file())
    let values = [2.0]
    let error = #expect(throws: HDF5Error.self) {
      try file.write("/Values", rows: 0..<1, from: values.span)
    }
    #expect(error?.exitStatus == 74)
    #expect(throws: HDF5Error.self) { try file.setAttribute("a", 1) }
    #expect(try file.read("/Values", as: Double.self) == [1])
  }

  @Test("an attribute that is too long is an error")
  func longAttribute() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    let text = String(repeating: "x", count: 70_000)
    let error = #expect(throws: HDF5Error.self) { try file.setAttribute("long", text) }
    #expect(error?.exitStatus == 74)
  }
}
