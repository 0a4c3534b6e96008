import BlockKernels
import Testing

@Suite struct DenseMatrixTests {
  private static let shapes = [(1, 1), (5, 3), (3, 5), (40, 17), (17, 40), (0, 3), (3, 0)]

  private func matrix(_ rows: Int, _ columns: Int, seed: Int) -> DenseMatrix {
    DenseMatrix(rows: rows, columns: columns, elements: scalars(rows * columns, seed: seed))
  }

  /// The largest difference of two matrices.
  private func difference(_ a: DenseMatrix, _ b: DenseMatrix) -> Double {
    #expect(a.rows == b.rows && a.columns == b.columns)
    return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  /// The sums of at most forty products of numbers below one.
  private let rounding = 40 * 40 * Double.ulpOfOne

  @Test(arguments: shapes)
  func productsAreSums(rows: Int, columns: Int) {
    let (a, b) = (matrix(rows, columns, seed: 1), matrix(columns, 4, seed: 2))
    var expected = DenseMatrix(rows: rows, columns: 4)
    for row in 0..<rows {
      for column in 0..<4 {
        expected[row, column] = (0..<columns).reduce(0) { $0 + a[row, $1] * b[$1, column] }
      }
    }
    #expect(difference(a.times(b), expected) <= rounding)
    #expect(difference(a.transposed.times(b, transposesLeft: true), expected) <= rounding)
    #expect(difference(a.times(b.transposed, transposesRight: true), expected) <= rounding)
    var sum = expected
    sum.add(a, times: b)
    let twice = expected.elements.map { 2 * $0 }
    #expect(
      difference(sum, DenseMatrix(rows: rows, columns: 4, elements: twice)) <= rounding)
  }

  @Test(arguments: shapes)
  func factorsGiveTheMatrix(rows: Int, columns: Int) throws {
    let a = matrix(rows, columns, seed: 3)
    let gram = a.times(a, transposesLeft: true)
    let triangle = try a.triangle()
    #expect(difference(triangle.times(triangle, transposesLeft: true), gram) <= 40 * rounding)
    let pivoted = try a.pivotedTriangle()
    let chosen = gram.block(pivoted.pivots, pivoted.pivots)
    let product = pivoted.triangle.times(pivoted.triangle, transposesLeft: true)
    #expect(difference(product, chosen) <= 40 * rounding)
    #expect(pivoted.pivots.sorted() == Array(0..<columns))
    for k in 1..<max(1, pivoted.triangle.rows) {
      #expect(abs(pivoted.triangle[k, k]) <= abs(pivoted.triangle[k - 1, k - 1]) * (1 + rounding))
    }

    let factors = try a.singularValueDecomposition()
    var scaled = factors.left
    for k in factors.values.indices {
      for row in 0..<rows { scaled[row, k] *= factors.values[k] }
    }
    #expect(difference(scaled.times(factors.rightTransposed), a) <= 40 * rounding)
    for (value, other) in zip(factors.values, try a.singularValues()) {
      #expect(abs(value - other) <= 40 * rounding)
    }
    #expect(zip(factors.values, factors.values.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test(arguments: [0, 1, 2, 30])
  func eigenvectorsDiagonalize(order n: Int) throws {
    let a = matrix(n, n, seed: 4)
    var symmetric = a
    for row in 0..<n {
      for column in 0..<n { symmetric[row, column] = a[row, column] + a[column, row] }
    }
    let (values, vectors) = try symmetric.symmetricEigenvectors()
    var scaled = vectors
    for k in 0..<n {
      for row in 0..<n { scaled[row, k] *= values[k] }
    }
    #expect(difference(symmetric.times(vectors), scaled) <= 40 * rounding)
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
  }
}
