import BlockKernels
import Foundation
import Testing

@Suite struct SymmetricMatrixTests {
  private func buffer(_ values: [Double]) -> AlignedBuffer<Double> {
    let result = AlignedBuffer<Double>(repeating: 0, count: values.count)
    for (index, value) in values.enumerated() { result[index] = value }
    return result
  }

  /// Returns entry (i, j) of a factor as a product sees it.
  private func entry(_ a: DenseFactor, _ i: Int, _ j: Int) -> Double {
    a.isTransposed ? a.values[i * a.rows + j] : a.values[j * a.rows + i]
  }

  @Test(arguments: [0, 1, 2, 7, 60])
  func eigenvaluesOfSecondDifferencesAreKnown(n: Int) throws {
    var diagonal = [Double](repeating: 2, count: n)
    var beside = [Double](repeating: -1, count: max(n - 1, 0))
    do {
      var d = diagonal.mutableSpan
      var e = beside.mutableSpan
      try LAPACK.tridiagonalEigenvalues(diagonal: &d, offDiagonal: &e)
    }
    for k in 0..<n {
      let exact = 2 - 2 * cos(Double.pi * Double(k + 1) / Double(n + 1))
      // Backward stable: a small multiple of eps times the norm, which is 4.
      #expect(abs(diagonal[k] - exact) <= 40 * Double.ulpOfOne)
    }
    guard n > 1 else { return }
    diagonal[0] = .nan
    #expect(throws: LAPACKError.self) {
      var d = diagonal.mutableSpan
      var e = beside.mutableSpan
      try LAPACK.tridiagonalEigenvalues(diagonal: &d, offDiagonal: &e)
    }
  }

  @Test(arguments: [false, true], [false, true])
  func productsAreThoseOfTheDefinition(left: Bool, right: Bool) {
    let (m, k, n) = (5, 7, 3)
    let a = DenseFactor(
      buffer(scalars(m * k, seed: 1)), rows: left ? k : m, columns: left ? m : k,
      isTransposed: left)
    let b = DenseFactor(
      buffer(scalars(k * n, seed: 2)), rows: right ? n : k, columns: right ? k : n,
      isTransposed: right)
    let c = AlignedBuffer<Double>(repeating: 9, count: m * n)
    BLAS.multiply(a, b, into: c)
    for i in 0..<m {
      for j in 0..<n {
        let sum = (0..<k).reduce(0.0) { $0 + entry(a, i, $1) * entry(b, $1, j) }
        // Seven products of numbers below one.
        #expect(abs(c[j * m + i] - sum) <= 20 * Double.ulpOfOne)
      }
    }
    let order = m
    let gram = AlignedBuffer<Double>(repeating: 9, count: order * order)
    BLAS.multiplyByTranspose(a, into: gram)
    for i in 0..<m {
      for j in 0..<m {
        let sum = (0..<k).reduce(0.0) { $0 + entry(a, i, $1) * entry(a, j, $1) }
        #expect(abs(gram[j * m + i] - (i >= j ? sum : 9)) <= 20 * Double.ulpOfOne)
      }
    }
  }

  /// A + 1 for A = Bᵀ B, of which the lower triangle is right.
  private func positive(_ n: Int) -> AlignedBuffer<Double> {
    let b: [Double] = scalars(n * n, seed: n)
    let result = AlignedBuffer<Double>(repeating: 0, count: n * n)
    BLAS.multiplyByTranspose(
      DenseFactor(buffer(b), rows: n, columns: n, isTransposed: true), into: result)
    for i in 0..<n { result[i * (n + 1)] += 1 }
    return result
  }

  private func symmetric(_ a: AlignedBuffer<Double>, _ n: Int, _ i: Int, _ j: Int) -> Double {
    a[min(i, j) * n + max(i, j)]
  }

  @Test(arguments: [1, 2, 33, 100])
  func factorsSolveSystems(order n: Int) throws {
    let (a, factor) = (positive(n), positive(n))
    let (b, x) = (buffer(scalars(2 * n, seed: 3)), buffer(scalars(2 * n, seed: 3)))
    var span = factor.mutableSpan
    try LAPACK.factorize(&span, order: n)
    var solution = x.mutableSpan
    try LAPACK.solve(factor: factor.span, order: n, rightHandSides: &solution, count: 2)
    for column in 0..<2 {
      for i in 0..<n {
        let product = (0..<n).reduce(0.0) { $0 + symmetric(a, n, i, $1) * x[column * n + $1] }
        // Backward stable: n·eps times the norms of A, at most n, and of x, at most that of b.
        let bound = 10 * Double(n * n) * Double.ulpOfOne
        #expect(abs(product - b[column * n + i]) <= bound)
      }
    }
  }

  @Test func anIndefiniteMatrixIsAnError() {
    let matrix = buffer([1, 2, 2, 1])
    var span = matrix.mutableSpan
    do {
      try LAPACK.factorize(&span, order: 2)
      Issue.record("(1 2; 2 1) has the eigenvalue −1")
    } catch {
      #expect(error.routine == "dpotrf" && error.info == 2)
      #expect(error.description.contains("not positive definite (minor 2)"))
    }
  }

  @Test(arguments: [1, 2, 33, 100])
  func eigenvectorsDiagonalize(order n: Int) throws {
    let (a, q) = (positive(n), positive(n))
    var span = q.mutableSpan
    let values = try LAPACK.diagonalize(&span, order: n)
    #expect(values.count == n && zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
    // Errors are a multiple of n·eps times the norm, at most n.
    let bound = 20 * Double(n * n) * Double.ulpOfOne
    for column in 0..<n {
      for i in 0..<n {
        let product = (0..<n).reduce(0.0) { $0 + symmetric(a, n, i, $1) * q[column * n + $1] }
        #expect(abs(product - values[column] * q[column * n + i]) <= bound)
        let inner = (0..<n).reduce(0.0) { $0 + q[i * n + $1] * q[column * n + $1] }
        #expect(abs(inner - (i == column ? 1 : 0)) <= bound)
      }
    }
  }
}
