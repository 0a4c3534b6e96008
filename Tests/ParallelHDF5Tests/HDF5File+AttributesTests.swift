import ParallelHDF5
import Testing

@Suite("Attributes")
struct HDF5FileAttributesTests {
  @Test("strings come back as they were", arguments: ["", "a", "naïve ✓", "{\"a\": [1, 2]}\n"])
  func strings(text: String) throws {
    let folder = try ScratchFolder()
    let created = try HDF5File.create(folder.file())
    try created.createGroup("/Group")
    try created.setAttribute("text", on: "/Group", text)
    try created.close()
    let file = try HDF5File.open(folder.file())
    #expect(try file.attribute("text", on: "/Group", as: String.self) == text)
    #expect(try file.attributeIfPresent("text", on: "/Group", as: String.self) == text)
  }

  @Test("numbers and lists come back as they were")
  func numbers() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.write("/Values", [1.0], shape: [1])
    try file.setAttribute("int", on: "/Values", Int64.min)
    try file.setAttribute("double", 0.1)
    try file.setAttribute("literal", 5)
    try file.setAttribute("doubles", [0.5, -1])
    try file.setAttribute("ints", [Int64(3), 4, 5])
    try file.setAttribute("none", [Double]())
    #expect(try file.attribute("int", on: "/Values", as: Int64.self) == .min)
    #expect(try file.attribute("double", as: Double.self) == 0.1)
    #expect(try file.attribute("literal", as: Int.self) == 5)
    #expect(try file.attribute("doubles", as: [Double].self) == [0.5, -1])
    #expect(try file.attribute("ints", as: [Int64].self) == [3, 4, 5])
    #expect(try file.attribute("none", as: [Double].self) == [])
    #expect(try file.attributeIfPresent("double", as: Double.self) == 0.1)
    #expect(try file.attributeIfPresent("ints", as: [Int64].self) == [3, 4, 5])
  }

  @Test("setting an attribute again replaces it, whatever it was")
  func replaces() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.setAttribute("a", "text")
    try file.setAttribute("a", [1, 2, 3])
    #expect(try file.attribute("a", as: [Int].self) == [1, 2, 3])
    try file.setAttribute("a", "other text")
    #expect(try file.attribute("a", as: String.self) == "other text")
  }

  @Test("an absent attribute is nil or an error")
  func absent() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    #expect(try file.attributeIfPresent("a", as: Double.self) == nil)
    #expect(try file.attributeIfPresent("a", as: [Double].self) == nil)
    #expect(try file.attributeIfPresent("a", on: "/Nowhere", as: String.self) == nil)
    let error = #expect(throws: HDF5Error.self) { try file.attribute("a", as: Double.self) }
    #expect(error?.exitStatus == 65)
    #expect(error?.message.contains("attribute a of /: there is no such attribute") == true)
  }

  @Test("an attribute of another kind is an error")
  func wrongKind() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File.create(folder.file())
    try file.setAttribute("text", "1")
    try file.setAttribute("half", 0.5)
    try file.setAttribute("two", [1, 2])
    for attempt in [
      { (file: borrowing HDF5File) in _ = try file.attribute("text", as: Double.self) },
      { (file: borrowing HDF5File) in _ = try file.attribute("half", as: String.self) },
      { (file: borrowing HDF5File) in _ = try file.attribute("half", as: Int.self) },
      { (file: borrowing HDF5File) in _ = try file.attribute("two", as: Int.self) },
    ] {
      let error = #expect(throws: HDF5Error.self) { try attempt(file) }
      #expect(error?.exitStatus == 65)
    }
  }

  @Test("files of h5py are understood")
  func foreignFile() throws {
    let folder = try ScratchFolder()
    try ForeignFile.write(to: folder.file())
    let file = try HDF5File.open(folder.file())
    #expect(try file.attribute("variable", as: String.self) == "naïve ✓")
    #expect(try file.attribute("fixed", as: String.self) == "fixed")
    #expect(try file.attribute("empty", as: String.self) == "")
    #expect(try file.attribute("number", as: Double.self) == 1.5)
    #expect(try file.attribute("integers", as: [Int].self) == [1, 2, 3])
    #expect(throws: HDF5Error.self) { try file.attribute("texts", as: String.self) }
    #expect(try file.read("/Big", as: Float.self) == [0, 1, 2, 3, 4, 5])
    #expect(try file.elementKind(of: "/Names") == .string)
    #expect(try file.elementKind(of: "/Flags") == .other)
    #expect(throws: HDF5Error.self) { try file.read("/Flags", as: Int.self) }
    #expect(try file.read("/Chunked", as: Double.self) == (0..<12).map { Double($0) })
    #expect(try file.names() == ["Big", "Chunked", "Flags", "Names", "Soft"])
    #expect(try !file.exists("/Soft"))
  }
}
