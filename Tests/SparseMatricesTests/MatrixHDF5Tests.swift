import BlockKernels
import MessagePassing
import ParallelHDF5
import SparseMatrices
import Testing

@Suite struct MatrixHDF5Tests {
  /// Makes a file and reads its matrix.
  private func read(
    object: String? = nil, _ write: (borrowing HDF5File) throws -> Void
  ) throws -> SparseMatrix {
    let file = try ScratchFile("a.h5")
    let output = try HDF5File.create(file.path)
    try write(output)
    try output.close()
    return try MatrixFile.read(file.path, object: object)
  }

  /// Makes a file whose matrix is refused, and returns the message.
  private func refusal(
    object: String? = nil, _ write: (borrowing HDF5File) throws -> Void
  ) throws -> String {
    let error = try #require(throws: RunError.self) { try read(object: object, write) }
    #expect(error.exitStatus == 65)
    return error.message
  }

  /// Writes the arrays of a matrix of compressed rows.
  private func write(
    _ matrix: SparseMatrix, to group: String, in file: borrowing HDF5File, shape: [Int]? = nil
  ) throws {
    try file.write("\(group)/indptr", matrix.rowStarts, shape: [matrix.rowStarts.count])
    try file.write("\(group)/indices", matrix.columns, shape: [matrix.entryCount])
    try file.write("\(group)/data", matrix.values, shape: [matrix.entryCount])
    guard let shape else { return }
    try file.write("\(group)/shape", shape, shape: [2])
  }

  private func matrix() throws -> SparseMatrix { try randomMatrix(6, 9, 20, seed: 4) }

  /// The elements row by row.
  private func rowMajor(_ matrix: SparseMatrix) throws -> [Double] {
    try matrix.dense().transposed.elements
  }

  @Test(arguments: ["/A", "/matrix", "/X"])
  func denseMatricesAreRead(name: String) throws {
    let matrix = try matrix()
    let elements = try rowMajor(matrix)
    #expect(try read { try $0.write(name, elements, shape: [6, 9]) } == matrix)
    // Other types of number are converted.
    let integers = [3, 0, -4, 0, 0, 1]
    let found = try read { try $0.write(name, integers, shape: [3, 2]) }
    #expect(try rowMajor(found) == integers.map { Double($0) })
    #expect(found.entryCount == 3)
  }

  @Test func namedObjectsAreRead() throws {
    let matrix = try matrix()
    let elements = try rowMajor(matrix)
    for name in ["/some/where", "some/where"] {
      let found = try read(object: name) { file in
        try file.write("/A", [1.0], shape: [1, 1])
        try file.write("/some/where", elements, shape: [6, 9])
      }
      #expect(found == matrix)
    }
    let message = try refusal(object: "/B") { try $0.write("/A", [1.0], shape: [1, 1]) }
    #expect(message.contains("no such dataset"), "\(message)")
  }

  @Test(arguments: ["", "/A", "/matrix", "/X"])
  func compressedRowsAreRead(group: String) throws {
    let matrix = try matrix()
    #expect(try read { try write(matrix, to: group, in: $0, shape: [6, 9]) } == matrix)
    // With a shape as attribute and the encoding, as anndata writes them.
    let found = try read { file in
      try write(matrix, to: group, in: file)
      let place = group.isEmpty ? "/" : group
      try file.setAttribute("shape", on: place, [6, 9])
      try file.setAttribute("encoding-type", on: place, "csr_matrix")
    }
    #expect(found == matrix)
  }

  @Test func compressedColumnsAreRead() throws {
    let matrix = try matrix()
    let transposed = matrix.transposed
    let byEncoding = try read { file in
      try write(transposed, to: "/A", in: file, shape: [6, 9])
      try file.setAttribute("encoding-type", on: "/A", "csc_matrix")
    }
    #expect(byEncoding == matrix)
    // Only columns have as many starts.
    #expect(try read { try write(transposed, to: "/A", in: $0, shape: [6, 9]) } == matrix)
    let square = try randomMatrix(5, 5, 12, seed: 8)
    #expect(try read { try write(square, to: "/A", in: $0, shape: [5, 5]) } == square)
  }

  @Test func filesOfOtherProgramsAreRead() throws {
    let file = try ScratchFile("a.h5")
    try ForeignMatrix.write(to: file.path)
    let matrix = try MatrixFile.read(file.path)
    #expect(matrix.rowCount == 3 && matrix.columnCount == 4 && matrix.entryCount == 4)
    #expect(try rowMajor(matrix) == [0, 1.5, 0, -2, 0, 0, 0, 0, 4, 0, 0.25, 0])
  }

  @Test func rowsInAnyOrderAreSorted() throws {
    let found = try read { file in
      try file.write("/A/indptr", [0, 3, 3], shape: [3])
      try file.write("/A/indices", [2, 0, 2], shape: [3])
      try file.write("/A/data", [1.0, 2, 4], shape: [3])
      try file.write("/A/shape", [2, 3], shape: [2])
    }
    #expect(try rowMajor(found) == [2, 0, 5, 0, 0, 0])
  }

  @Test func wrongDatasetsAreRefused() throws {
    let messages = [
      try refusal { try $0.write("/B", [1.0], shape: [1, 1]) }: "found are B",
      try refusal { try $0.createGroup("/A") }: "has no indptr",
      try refusal { try $0.write("/A", [1.0, 2], shape: [2]) }: "2 dimensions",
      try refusal { try $0.write("/A", [1.0, .nan], shape: [1, 2]) }: "[0, 1] is nan",
      try refusal { try $0.setAttribute("a", 1) }: "the file is empty",
    ]
    for (message, words) in messages { #expect(message.contains(words), "\(message)") }
  }

  @Test func wrongGroupsAreRefused() throws {
    let matrix = try matrix()
    func change(_ name: String, _ values: [Int], shape: [Int]? = nil) throws -> String {
      try refusal { file in
        for (other, list) in [
          ("indptr", matrix.rowStarts), ("indices", matrix.columns.map { Int($0) }),
          ("shape", [6, 9]),
        ] {
          let isChanged = other == name
          try file.write(
            "/A/\(other)", isChanged ? values : list,
            shape: isChanged ? shape ?? [values.count] : [list.count])
        }
        try file.write("/A/data", matrix.values, shape: [matrix.entryCount])
      }
    }
    let indices = matrix.columns.map { Int($0) }
    let messages = [
      try change("indptr", [0, 1]): "starts of rows",
      try change("indptr", Array(matrix.rowStarts.reversed())): "starts of rows",
      try change("indptr", [0, 1, 2, 3, 4, 5, 6, 7], shape: [2, 4]): "has to be a list",
      try change("indices", [9] + indices.dropFirst()): "column 9",
      try change("indices", [-1] + indices.dropFirst()): "column -1",
      try change("indices", [1 << 40] + indices.dropFirst()): "\(1 << 40)",
      try change("indices", Array(indices.dropFirst())): "column indices",
      try change("shape", [6]): "2 dimensions", try change("shape", [-6, 9]): "-6",
      try change("shape", [Int.max, Int.max]): "sizes from 0",
    ]
    for (message, words) in messages { #expect(message.contains(words), "\(message)") }
    let columns = try refusal { file in
      try write(matrix.transposed, to: "/A", in: file, shape: [6, 9])
      try file.setAttribute("encoding-type", on: "/A", "csr_matrix")
    }
    #expect(columns.contains("starts of rows"), "\(columns)")
    let noShape = try refusal { try write(matrix, to: "/A", in: $0) }
    #expect(noShape.contains("shape"), "\(noShape)")
    let encoded = try refusal { file in
      try write(matrix, to: "/A", in: file, shape: [6, 9])
      try file.setAttribute("encoding-type", on: "/A", "array")
    }
    #expect(encoded.contains("encoded as array"), "\(encoded)")
  }

  @Test func missingFilesAreMissing() throws {
    let file = try ScratchFile("a.h5", "no HDF5")
    let wrong = #expect(throws: RunError.self) { try MatrixFile.read(file.path) }
    #expect(wrong?.exitStatus == 65)
    let missing = #expect(throws: RunError.self) { try MatrixFile.readHDF5(file.path + "x") }
    #expect(missing?.exitStatus == 66)
  }
}
