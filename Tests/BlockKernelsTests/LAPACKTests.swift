import BlockKernels
import Testing

@Suite struct LAPACKTests {
  private func solve(_ matrix: [Double], _ rightHandSide: [Double]) throws(LAPACKError) -> [Double]
  {
    var (a, b) = (matrix, rightHandSide)
    var pivots = [Int32](repeating: 0, count: b.count)
    let order = b.count
    var aSpan = a.mutableSpan
    var bSpan = b.mutableSpan
    var pivotSpan = pivots.mutableSpan
    try LAPACK.solve(&aSpan, order: order, rightHandSide: &bSpan, pivots: &pivotSpan)
    return b
  }

  /// Column-major: the second column is (2, 4, 10), and a pivot is needed.
  @Test func solvesAKnownSystem() throws {
    let solution = try solve([0, 1, 5, 2, 4, 10, 3, 1, 1], [13, 12, 28])
    // 2y + 3z = 13, x + 4y + z = 12, 5x + 10y + z = 28 at (1, 2, 3). Three steps of elimination.
    for (found, expected) in zip(solution, [1.0, 2, 3]) {
      #expect(abs(found - expected) <= 100 * Double.ulpOfOne)
    }
  }

  @Test(arguments: [1, 2, 17, 100])
  func residualIsSmall(order n: Int) throws {
    let a: [Double] = scalars(n * n, seed: n)
    let b: [Double] = scalars(n, seed: n + 1)
    let x = try solve(a, b)
    let size = x.reduce(0) { max($0, abs($1)) }
    for row in 0..<n {
      let product = (0..<n).reduce(0.0) { $0 + a[row + $1 * n] * x[$1] }
      // Partial pivoting is backward stable: n·eps times the row sum times |x|, growth small.
      #expect(abs(product - b[row]) <= 10 * Double(n) * Double.ulpOfOne * (Double(n) * size + 1))
    }
  }

  @Test func aSingularMatrixIsAnError() {
    let error = #expect(throws: LAPACKError.self) { try solve([1, 2, 2, 4], [1, 1]) }
    #expect(error?.routine == "dgesv" && error?.info == 2)
    #expect(error?.description.contains("singular (pivot 2") == true)
  }
}
