import BlockKernels
import Foundation
import MessagePassing
import SparseMatrices
import Testing

@Suite struct MatrixMarketTests {
  private func read(_ text: String, name: String = "a.mtx") throws -> SparseMatrix {
    let file = try ScratchFile(name, text)
    return try MatrixFile.read(file.path)
  }

  /// A matrix by its rows.
  private func rows(_ rows: [[Double]]) -> DenseMatrix {
    DenseMatrix(rows: rows[0].count, columns: rows.count, elements: rows.flatMap { $0 }).transposed
  }

  static let files: [(text: String, rows: [[Double]], entries: Int)] = [
    (
      """
      %%MatrixMarket matrix coordinate real general
      % a comment

      %another
      3 4 5
      1 1  1.5
      3 4 -2e-3
        2\t1 +.25

      % in between
      1 3 1.D+02
      3 1 0
      """, [[1.5, 0, 100, 0], [0.25, 0, 0, 0], [0, 0, 0, -2e-3]], 5
    ),
    (
      "%%matrixmarket MATRIX Coordinate Integer Symmetric\r\n3 3 3\r\n1 1 7\r\n3 1 -2\r\n\r\n3 2 +4\r\n",
      [[7, 0, -2], [0, 0, 4], [-2, 4, 0]], 5
    ),
    (
      "%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n2 1\n2 2",
      [[0, 1], [1, 1]], 3
    ),
    (
      "%%MatrixMarket matrix coordinate pattern general\n2 3 2\n2 1\n1 3\n",
      [[0, 0, 1], [1, 0, 0]], 2
    ),
    (
      "%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n2 1 5\n3 2 -1\n",
      [[0, -5, 0], [5, 0, 1], [0, -1, 0]], 4
    ),
    // Entries of one place are added in their order.
    (
      "%%MatrixMarket matrix coordinate real general\n1 1 4\n1 1 1e16\n1 1 1\n1 1 -1e16\n1 1 3\n",
      [[((1e16 + 1) - 1e16) + 3]], 1
    ),
    (
      "%%MatrixMarket matrix array real general\n% by columns\n2 3\n1\n2\n0\n4\n5\n6\n",
      [[1, 0, 5], [2, 4, 6]], 5
    ),
    (
      "%%MatrixMarket matrix array integer symmetric\n3 3\n1\n2\n3\n4\n5\n6\n",
      [[1, 2, 3], [2, 4, 5], [3, 5, 6]], 9
    ),
    (
      "%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n",
      [[0, -1, -2], [1, 0, -3], [2, 3, 0]], 6
    ),
    ("%%MatrixMarket matrix coordinate double general\n2 1 0\n", [[0], [0]], 0),
  ]

  @Test(arguments: files.indices)
  func filesAreRead(index: Int) throws {
    let file = Self.files[index]
    let matrix = try read(file.text)
    #expect(try matrix.dense() == rows(file.rows))
    #expect(matrix.entryCount == file.entries)
  }

  static let wrong: [(text: String, line: Int, words: String)] = [
    ("", 1, "%%MatrixMarket"), ("\n%%MatrixMarket matrix array real general\n1 1\n1\n", 1, "begin"),
    ("%%MatrixMarket vector coordinate real general\n", 1, "begin"),
    ("%%MatrixMarket matrix coordinate real\n", 1, "three more words"),
    ("%%MatrixMarket matrix elemental real general\n", 1, "elemental"),
    ("%%MatrixMarket matrix coordinate complex general\n", 1, "complex"),
    ("%%MatrixMarket matrix coordinate real hermitian\n", 1, "hermitian"),
    ("%%MatrixMarket matrix array pattern general\n1 1\n", 1, "pattern"),
    ("%%MatrixMarket matrix coordinate pattern skew-symmetric\n1 1 0\n", 1, "pattern"),
    ("%%MatrixMarket matrix coordinate real general\n% only\n", 2, "sizes"),
    ("%%MatrixMarket matrix coordinate real general\n2 2\n", 2, "found 2 words"),
    ("%%MatrixMarket matrix array real general\n2 2 4\n", 2, "found 3 words"),
    ("%%MatrixMarket matrix coordinate real general\n2 2.5 1\n", 2, "2.5 is no number of columns"),
    ("%%MatrixMarket matrix coordinate real general\n-2 2 1\n", 2, "-2 is no number of rows"),
    ("%%MatrixMarket matrix coordinate real general\n2147483648 1 0\n", 2, "at most"),
    ("%%MatrixMarket matrix coordinate real general\n99999999999999999999 1 0\n", 2, "no number"),
    (
      "%%MatrixMarket matrix coordinate real general\n1 1 1000000000000\n1 1 1\n", 2, "bytes follow"
    ),
    ("%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n", 2, "2×3"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n0 1 1\n", 3, "row 0"),
    (
      "%%MatrixMarket matrix coordinate real general\n2 2 1\n\n%\n1 3 1\n", 5,
      "column 3, but there are 2"
    ),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 -1 1\n", 3, "column -1"),
    (
      "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 x 1\n", 3,
      "x is no number of a column"
    ),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1\n        ", 3, "found 2"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 2 0\n", 3, "found 4"),
    ("%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1 2\n", 3, "found 3"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1,5\n", 3, "1,5 is no number"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 0x10\n", 3, "0x10"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 nan\n", 3, "nan"),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1e999\n", 3, "not finite"),
    ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 1.0\n", 3, "no integer"),
    (
      "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 9007199254740993\n", 3,
      "64 bits"
    ),
    (
      "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n% nothing else\n", 4,
      "after 1 of 2"
    ),
    ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1\n2 2 1\n", 4, "more"),
    ("%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n", 3, "above the diagonal"),
    ("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 2 1\n", 3, "on the diagonal"),
    ("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n", 5, "row 2 of column 2"),
    ("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3 4\n", 5, "found 2"),
    ("%%MatrixMarket matrix array real general\n1 1\n1\n2\n", 4, "more"),
  ]

  @Test(arguments: wrong.indices)
  func wrongFilesAreRefused(index: Int) throws {
    let item = Self.wrong[index]
    let error = try #require(throws: RunError.self) { try read(item.text) }
    #expect(error.exitStatus == 65)
    #expect(error.message.contains("a.mtx, line \(item.line): "), "\(error.message)")
    #expect(error.message.contains(item.words), "\(error.message)")
  }

  // The places of so many rows have 32 GiB.
  @Test(.enabled(if: ProcessInfo.processInfo.physicalMemory < 1 << 34))
  func sizesThatNoMemoryHoldsAreRefused() throws {
    let error = #expect(throws: RunError.self) {
      try read("%%MatrixMarket matrix coordinate real general\n2147483647 2147483647 0\n")
    }
    #expect(error?.exitStatus == 65)
  }

  @Test func sumsThatOverflowAreRefused() throws {
    let text = "%%MatrixMarket matrix coordinate real general\n1 1 2\n1 1 1e308\n1 1 1e308\n"
    let error = #expect(throws: RunError.self) { try read(text) }
    #expect(error?.exitStatus == 65)
    #expect(error?.message.contains("sum") == true)
  }

  @Test func filesOfOtherKindsAreRefused() throws {
    let compressed = try ScratchFile("a.mtx.gz")
    try Data([0x1f, 0x8b, 8, 0]).write(to: URL(fileURLWithPath: compressed.path))
    let error = #expect(throws: RunError.self) { try MatrixFile.read(compressed.path) }
    #expect(error?.exitStatus == 65)
    #expect(error?.message.contains("gunzip") == true)
    let path = compressed.path
    let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)
    #expect(throws: RunError.self) { try MatrixFile.read(String(folder)) }
    let missing = #expect(throws: RunError.self) { try MatrixFile.read(path + "x") }
    #expect(missing?.exitStatus == 66)
    let text = try ScratchFile("b.mtx", "%%MatrixMarket matrix array real general\n1 1\n1\n")
    let object = #expect(throws: RunError.self) { try MatrixFile.read(text.path, object: "/A") }
    #expect(object?.exitStatus == 65)
  }

  @Test func bytesInAnyOrderAreNoMatrix() throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      let bytes = randomNumbers(300, seed: seed).map { UInt8(($0 + 1) * 127.5) }
      let file = try ScratchFile("a.mtx")
      try Data(bytes).write(to: URL(fileURLWithPath: file.path))
      #expect(throws: RunError.self) { try MatrixFile.read(file.path) }
      // Changes in a good file lead to a matrix or to an error, never further.
      var text = Array(Self.files[0].text.utf8)
      for (place, byte) in zip(randomNumbers(3, seed: seed + 100), bytes) {
        text[Int(abs(place) * Double(text.count - 1))] = byte
      }
      try Data(text).write(to: URL(fileURLWithPath: file.path))
      _ = try? MatrixFile.read(file.path)
    }
  }

  @Test func matricesAreReadAsTheyWereWritten() throws {
    let plane = try ModelMatrix.convectionDiffusion2D.matrix(shape: [5, 4])
    let kernel = try ModelMatrix.rbf.matrix(shape: [7])
    for matrix in [
      plane, kernel, try randomMatrix(6, 9, 20, seed: 3), try randomMatrix(3, 0, 0, seed: 1),
    ] {
      let file = try ScratchFile("a.mtx")
      try MatrixFile.writeMatrixMarket(matrix, to: file.path)
      #expect(try MatrixFile.read(file.path) == matrix)
      let text = try String(contentsOfFile: file.path, encoding: .utf8)
      #expect(text.contains("symmetric") == matrix.isSymmetric)
    }
    let error = #expect(throws: RunError.self) {
      try MatrixFile.writeMatrixMarket(plane, to: "/no/such/folder/a.mtx")
    }
    #expect(error?.exitStatus == 73)
  }
}
