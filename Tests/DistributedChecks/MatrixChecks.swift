import Foundation
import MessagePassing
import SparseMatrices

let matrixChecks = [
  Check("matrix-product", checkProducts),
  Check("matrix-halo", checkHalo),
  Check("matrix-file", checkMatrixFile),
  Check("matrix-file-errors", checkMatrixFileErrors),
]

/// Numbers that differ, with all their digits.
private func numbers(_ count: Int, seed: Int) -> [Double] {
  (0..<count).map { sin(Double($0 * $0 % 9973 + 17 * seed + 1)) }
}

/// Matrices of several structures.
private func matrices() throws -> [SparseMatrix] {
  let line = try ModelMatrix.convectionDiffusion1D.matrix(shape: [23])
  let plane = try ModelMatrix.convectionDiffusion2D.matrix(shape: [9, 7])
  let order = (0..<63).map { Int32($0 * 25 % 63) }
  // Rows of any length, and none for some.
  let values = numbers(150, seed: 9)
  let entries = values.enumerated().map { index, value in
    SparseMatrix.Triplet(
      row: Int32(index * 37 % 41), column: Int32(index * index % 41), value: value)
  }
  return [
    line, plane, plane.permuted(by: order), try ModelMatrix.exponential.matrix(shape: [5, 4]),
    try SparseMatrix(rowCount: 41, columnCount: 41, triplets: entries),
    try SparseMatrix(rowCount: 6, columnCount: 6, triplets: []),
    try SparseMatrix(rowCount: 0, columnCount: 0, triplets: []),
  ]
}

/// Cuts of some rows for all ranks: even ones, uneven ones, and some with empty ranges.
private func cuts(_ count: Int, _ size: Int) -> [[Int]] {
  let even = (0...size).map { count * $0 / size }
  let uneven = (0...size).map { count * $0 * $0 / (size * size) }
  let last = [Int](repeating: 0, count: size) + [count]
  let first = [0] + [Int](repeating: count, count: size)
  let pairs = (0...size).map { $0 == size ? count : count * ($0 / 2 * 2) / size }
  return [even, uneven, last, first, pairs]
}

/// Products have the bits of the whole matrix, for all cuts and numbers of vectors.
@Sendable private func checkProducts(_ world: borrowing Communicator) throws {
  for (index, matrix) in try matrices().enumerated() {
    for cuts in cuts(matrix.rowCount, world.size) {
      let rows = cuts[world.rank]..<cuts[world.rank + 1]
      let spread = try DistributedMatrix(matrix, cuts: cuts, maximumVectors: 11, on: world)
      // Every rank holds its rows only, and other numbers come in later products.
      for (turn, vectors) in [1, 11, 2, 8, 3].enumerated() {
        let whole = numbers(matrix.columnCount * vectors, seed: turn + 1)
        var expected = [Double](repeating: .nan, count: matrix.rowCount * vectors)
        var expectedSpan = expected.mutableSpan
        matrix.multiply(whole.span, vectors: vectors, into: &expectedSpan)
        let x = Array(whole[rows.lowerBound * vectors..<rows.upperBound * vectors])
        var y = [Double](repeating: .nan, count: rows.count * vectors)
        var span = y.mutableSpan
        let before = (world.traffic.messages, world.traffic.messageBytes)
        try spread.multiply(x.span, vectors: vectors, into: &span, on: world)
        let own = expected[rows.lowerBound * vectors..<rows.upperBound * vectors]
        let areEqual = zip(y, own).allSatisfy { $0.bitPattern == $1.bitPattern }
        try expect(areEqual, "matrix \(index), cuts \(cuts), \(vectors) vectors: bits differ")
        try expectEqual(
          world.traffic.messages - before.0, spread.halo.messages, "the messages of a product")
        try expectEqual(
          world.traffic.messageBytes - before.1, spread.halo.bytes(vectors: vectors),
          "the bytes of a product")
      }
    }
  }
}

/// The plan of a line is known: each rank sends its end rows to its neighbours, and computes all others meanwhile.
@Sendable private func checkHalo(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let matrix = try ModelMatrix.biharmonic1D.matrix(shape: [10 * size])
  let cuts = (0...size).map { 10 * $0 }
  let spread = try DistributedMatrix(matrix, cuts: cuts, maximumVectors: 3, on: world)
  let neighbours = [rank - 1, rank + 1].filter { (0..<size).contains($0) }
  let sent: [[Int32]] = neighbours.map { $0 < rank ? [0, 1] : [8, 9] }
  let columns = neighbours.flatMap { other -> [Int32] in
    let start = Int32(10 * other)
    return other < rank ? [start + 8, start + 9] : [start, start + 1]
  }
  try expectEqual(spread.halo.sends.map(\.rank), neighbours, "the ranks that get rows")
  try expectEqual(spread.halo.sends.map(\.rows), sent, "the rows that are sent")
  try expectEqual(spread.halo.receives.map(\.rank), neighbours, "the ranks that send rows")
  try expectEqual(spread.halo.remoteColumns, columns, "the columns of other ranks")
  try expectEqual(spread.halo.bytes(vectors: 3), neighbours.count * 2 * 3 * 8, "the bytes")
  try expectEqual(spread.interiorRowCount, 10 - 2 * neighbours.count, "the interior rows")
}

/// The first rank reads, and all others have the same matrix.
@Sendable private func checkMatrixFile(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    let matrix = try ModelMatrix.convectionDiffusion2D.matrix(shape: [6, 5])
    try world.agree {
      if world.rank == 0 { try MatrixFile.writeMatrixMarket(matrix, to: folder + "/a.mtx") }
    }
    // Only the first rank is told the right path.
    let path = world.rank == 0 ? folder + "/a.mtx" : "/nowhere"
    try expect(try MatrixFile.read(path, on: world) == matrix, "the matrix differs")
  }
}

/// What the first rank finds wrong, all ranks throw.
@Sendable private func checkMatrixFileErrors(_ world: borrowing Communicator) throws {
  try withScratchFolder(on: world) { folder in
    try world.agree {
      guard world.rank == 0 else { return }
      let text = "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 3 1.0\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/wrong.mtx"))
    }
    let cases: [(file: String, status: Int32, text: String)] = [
      ("wrong.mtx", 65, "line 3: column 3"), ("missing.mtx", 66, "no such file"),
    ]
    for item in cases {
      var failure: (any Error)?
      do { _ = try MatrixFile.read(folder + "/" + item.file, on: world) } catch { failure = error }
      guard let error = failure else { throw CheckFailure(message: "\(item.file) is no error") }
      try expectEqual(ExitStatus.status(of: error), item.status, "the status")
      try expect(ExitStatus.message(of: error).contains(item.text), "the message is \(error)")
      try expectEqual(error is RemoteFailure, world.rank > 0, "whether another rank failed")
    }
  }
}
