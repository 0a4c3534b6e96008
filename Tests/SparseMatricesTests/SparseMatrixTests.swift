import BlockKernels
import MessagePassing
import SparseMatrices
import Testing

@Suite struct SparseMatrixTests {
  /// Rows, columns, and the number of random entries, of which some have the same place.
  static let sizes = [
    (0, 0, 0), (3, 0, 0), (0, 4, 0), (1, 1, 1), (1, 1, 5), (5, 3, 0), (7, 4, 9), (4, 7, 30),
    (40, 33, 300),
  ]

  @Test(arguments: sizes)
  func tripletsAreAddedInTheirOrder(rows: Int, columns: Int, count: Int) throws {
    let triplets = randomTriplets(rows, columns, count, seed: 1)
    let matrix = try SparseMatrix(rowCount: rows, columnCount: columns, triplets: triplets)
    var sums = DenseMatrix(rows: rows, columns: columns)
    var places: Set<[Int32]> = []
    for triplet in triplets {
      sums[Int(triplet.row), Int(triplet.column)] += triplet.value
      places.insert([triplet.row, triplet.column])
    }
    // Adding to zero is exact, and all later sums have the order of the list.
    #expect(try matrix.dense() == sums)
    #expect(matrix.entryCount == places.count)
    #expect(matrix.rowCount == rows && matrix.columnCount == columns)
    for row in 0..<rows {
      let own = matrix.columns[matrix.rowStarts[row]..<matrix.rowStarts[row + 1]]
      #expect(zip(own, own.dropFirst()).allSatisfy { $0 < $1 })
      for column in 0..<columns { #expect(matrix.entry(row, column) == sums[row, column]) }
    }
    #expect(matrix.diagonal == (0..<min(rows, columns)).map { sums[$0, $0] })
  }

  @Test func sumsOfThreeHaveTheOrderOfTheList() throws {
    // Any other order gives 0 or 1.
    let values = [1e16, 1, -1e16, 3]
    let triplets = values.map { SparseMatrix.Triplet(row: 0, column: 1, value: $0) }
    let matrix = try SparseMatrix(rowCount: 1, columnCount: 2, triplets: triplets)
    #expect(matrix.values == [((1e16 + 1) - 1e16) + 3])
    let others = try SparseMatrix(
      rowCount: 1, columnCount: 3, rowStarts: [0, 5], columns: [2, 1, 1, 0, 1],
      values: [7, 1, 1e16, 5, -1e16])
    #expect(others.columns == [0, 1, 2])
    #expect(others.values == [5, (1 + 1e16) - 1e16, 7])
  }

  @Test(arguments: sizes, [1, 2, 3, 4, 7, 8, 15, 17])
  func productsAreSumsInTheOrderOfColumns(size: (Int, Int, Int), vectors: Int) throws {
    let matrix = try randomMatrix(size.0, size.1, size.2, seed: 2)
    let dense = try matrix.dense()
    let x = randomNumbers(size.1 * vectors, seed: 3)
    var y = [Double](repeating: .nan, count: size.0 * vectors)
    var span = y.mutableSpan
    matrix.multiply(x.span, vectors: vectors, into: &span)
    for row in 0..<size.0 {
      for vector in 0..<vectors {
        var sum = 0.0
        for column in 0..<size.1 { sum += dense[row, column] * x[column * vectors + vector] }
        // Products with zeros change no sum, but for the sign of a zero.
        #expect(y[row * vectors + vector] == sum)
      }
    }
  }

  @Test(arguments: sizes)
  func denseProductsAreThoseOfTheBLAS(rows: Int, columns: Int, count: Int) throws {
    let matrix = try randomMatrix(rows, columns, count, seed: 4)
    let factor = DenseMatrix(
      rows: columns, columns: 5, elements: randomNumbers(columns * 5, seed: 5))
    let (found, expected) = (matrix.times(factor), try matrix.dense().times(factor))
    #expect(found.rows == rows && found.columns == 5)
    for (a, b) in zip(found.elements, expected.elements) {
      // Both sum at most 33 products of numbers below 6.
      #expect(abs(a - b) <= 33 * 33 * 6 * Double.ulpOfOne)
    }
  }

  @Test(arguments: sizes)
  func transposesAreThoseOfDenseCopies(rows: Int, columns: Int, count: Int) throws {
    let matrix = try randomMatrix(rows, columns, count, seed: 6)
    #expect(try matrix.transposed.dense() == matrix.dense().transposed)
    #expect(matrix.transposed.transposed == matrix)
  }

  @Test func symmetryIsThatOfNumbers() throws {
    func make(_ entries: [(Int32, Int32, Double)]) throws -> SparseMatrix {
      try SparseMatrix(
        rowCount: 3, columnCount: 3,
        triplets: entries.map { SparseMatrix.Triplet(row: $0.0, column: $0.1, value: $0.2) })
    }
    let symmetric = try make([(0, 0, 1), (0, 2, 0.1), (2, 0, 0.1)])
    #expect(symmetric.isSymmetric && symmetric.isStructureSymmetric)
    let nearly = try make([(0, 2, 0.1), (2, 0, 0.1.nextUp)])
    #expect(!nearly.isSymmetric && nearly.isStructureSymmetric)
    let withZero = try make([(0, 2, 0.1), (2, 0, 0.1), (1, 2, 0)])
    #expect(withZero.isSymmetric && !withZero.isStructureSymmetric)
    #expect(withZero.withoutZeros.entryCount == 2)
    let oneSided = try make([(1, 2, 3)])
    #expect(!oneSided.isSymmetric && !oneSided.isStructureSymmetric)
    let wide = try SparseMatrix(rowCount: 1, columnCount: 2, triplets: [])
    #expect(!wide.isSymmetric && !wide.isStructureSymmetric)
  }

  @Test(arguments: [0, 1, 2, 17, 64])
  func permutedEntriesAreThoseOfTheOrder(count: Int) throws {
    let matrix = try randomMatrix(count, count, 5 * count, seed: 7)
    let keys = randomNumbers(count, seed: 8)
    let order = (0..<count).sorted { keys[$0] < keys[$1] }.map { Int32($0) }
    let permuted = matrix.permuted(by: order)
    #expect(permuted.entryCount == matrix.entryCount)
    for i in 0..<count {
      for j in 0..<count {
        #expect(permuted.entry(i, j) == matrix.entry(Int(order[i]), Int(order[j])))
      }
      let own = permuted.columns[permuted.rowStarts[i]..<permuted.rowStarts[i + 1]]
      #expect(zip(own, own.dropFirst()).allSatisfy { $0 < $1 })
    }
  }

  @Test func blocksAndRowsArePartsOfTheDenseCopy() throws {
    let matrix = try randomMatrix(20, 15, 120, seed: 9)
    let dense = try matrix.dense()
    for (rows, columns) in [(0..<20, 0..<15), (3..<9, 4..<5), (7..<7, 2..<9), (19..<20, 15..<15)] {
      #expect(matrix.denseBlock(rows: rows, columns: columns) == dense.block(rows, columns))
      #expect(try matrix.rows(rows).dense() == dense.block(rows, 0..<15))
    }
  }

  @Test(arguments: [1, 1e200, 1e-200, Double.greatestFiniteMagnitude / 8])
  func normIsThatOfAllEntries(scale: Double) throws {
    let triplets = [(0, 0, 3), (1, 0, -4), (1, 1, 12)].map {
      SparseMatrix.Triplet(row: Int32($0.0), column: Int32($0.1), value: Double($0.2) / 16 * scale)
    }
    let matrix = try SparseMatrix(rowCount: 2, columnCount: 2, triplets: triplets)
    #expect(abs(matrix.frobeniusNorm / (13.0 / 16 * scale) - 1) <= 8 * Double.ulpOfOne)
    #expect(try SparseMatrix(rowCount: 2, columnCount: 2, triplets: []).frobeniusNorm == 0)
  }

  @Test(
    arguments: [
      ([0, 1], [0], [1.0], "2 rows need 3"),
      ([0, 1, 1], [0], [], "1 column indices, but 0 values"),
      ([1, 1, 1], [0], [1], "starts of rows from 1"), ([0, 0, 2], [0], [1], "to 2"),
      ([0, 2, 1], [0], [1], "the start of row"), ([0, 1, 1], [3], [1], "column 3 in row 0"),
      ([0, 0, 1], [-1], [1], "column -1 in row 1"), ([0, 1, 1], [2], [.nan], "row 0, column 2"),
      ([0, 2, 2], [1, 1], [1e308, 1e308], "sum"),
    ] as [([Int], [Int32], [Double], String)])
  func wrongRowsAreRefused(
    starts: [Int], columns: [Int32], values: [Double], text: String
  ) throws {
    let error = try #require(throws: RunError.self) {
      try SparseMatrix(
        rowCount: 2, columnCount: 3, rowStarts: starts, columns: columns, values: values)
    }
    #expect(error.exitStatus == 65)
    #expect(error.message.contains(text), "\(error.message)")
  }

  @Test(arguments: [(-1, 3), (3, -1), (1 << 31, 1), (1, 1 << 31)])
  func wrongSizesAreRefused(rows: Int, columns: Int) throws {
    let error = #expect(throws: RunError.self) {
      try SparseMatrix(rowCount: rows, columnCount: columns, triplets: [])
    }
    #expect(error?.exitStatus == 65)
  }

  @Test(arguments: [(Int32(-1), Int32(0)), (2, 0), (0, 3), (0, -1)])
  func wrongPlacesAreRefused(row: Int32, column: Int32) throws {
    let triplet = SparseMatrix.Triplet(row: row, column: column, value: 1)
    let error = #expect(throws: RunError.self) {
      try SparseMatrix(rowCount: 2, columnCount: 3, triplets: [triplet])
    }
    #expect(error?.exitStatus == 65)
  }

  @Test func denseCopiesThatNoMemoryHoldsAreRefused() throws {
    // A row of no entries with many columns costs nothing; a million of them have 2⁵⁴ bytes.
    let rows = 1 << 20
    let matrix = try SparseMatrix(
      rowCount: rows, columnCount: Int(Int32.max), rowStarts: [Int](repeating: 0, count: rows + 1),
      columns: [], values: [])
    let error = #expect(throws: RunError.self) { try matrix.dense() }
    #expect(error?.exitStatus == 65)
  }

  @Test func whatDoesNotFitStopsTheProgram() async throws {
    await #expect(processExitsWith: .failure) {
      let matrix = try SparseMatrix(rowCount: 2, columnCount: 3, triplets: [])
      var y = [0.0, 0, 0]
      var span = y.mutableSpan
      matrix.multiply([1.0, 2, 3].span, into: &span)
      y = []
    }
    await #expect(processExitsWith: .failure) {
      let matrix = try SparseMatrix(rowCount: 3, columnCount: 3, triplets: [])
      _ = matrix.permuted(by: [0, 2, 2])
    }
    await #expect(processExitsWith: .failure) {
      let matrix = try SparseMatrix(rowCount: 3, columnCount: 3, triplets: [])
      _ = matrix.entry(0, 3)
    }
    await #expect(processExitsWith: .success) {
      let matrix = try SparseMatrix(rowCount: 3, columnCount: 3, triplets: [])
      _ = matrix.permuted(by: [0, 2, 1]).entry(2, 2)
    }
  }
}
