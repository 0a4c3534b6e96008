import Testing

@testable import OperatorProblems

struct MinimalResidualsTests {
  /// A matrix with entries of both signs whose row sums are below a bound.
  private func matrix(_ n: Int, _ bound: Double) -> [[Double]] {
    (0..<n).map { i in
      (0..<n).map { j in bound * (Double((i * 31 + j * 17) % 23) - 11) / (11 * Double(n)) }
    }
  }

  private func solve(
    _ a: [[Double]], _ r: [Double], start: [Double], tolerance: Double, capacity: Int
  ) -> (x: [Double], products: Int) {
    var x = start
    var calls = 0
    let krylov = MinimalResiduals(order: r.count, capacity: capacity)
    let products: Int
    do {
      var solution = x.mutableSpan
      products = krylov.solve(
        residual: r.span, tolerance: tolerance, addingTo: &solution
      ) { v, product in
        calls += 1
        for i in 0..<r.count { product[i] = (0..<r.count).reduce(0) { $0 + a[i][$1] * v[$1] } }
      }
    }
    #expect(calls == products)
    return (x, products)
  }

  private func residual(_ a: [[Double]], _ r: [Double], _ x: [Double]) -> Double {
    let n = r.count
    return (0..<n).reduce(0) { norm, i in
      let value = r[i] - x[i] + (0..<n).reduce(0) { $0 + a[i][$1] * x[$1] }
      return norm + value * value
    }.squareRoot()
  }

  @Test(arguments: [1, 2, 3, 7, 8, 9, 40])
  func solutionIsAddedToTheVector(order: Int) {
    let a = matrix(order, 0.9)
    let r = (0..<order).map { Double(($0 * 7) % 5) - 1.5 }
    let start = (0..<order).map { Double($0) }
    let (x, products) = solve(a, r, start: start, tolerance: 1e-14, capacity: 60)
    let correction = zip(x, start).map { $0 - $1 }
    // Adding to numbers of up to 40 leaves errors of 7e-15 in each of them.
    #expect(residual(a, r, correction) <= 1e-13)
    #expect(products <= order + 1)
  }

  @Test func toleranceAndCapacityEndTheIteration() {
    let order = 40
    let a = matrix(order, 8)
    let r = (0..<order).map { Double(($0 * 7) % 5) - 1.5 }
    let zero = [Double](repeating: 0, count: order)
    let start = residual(a, r, zero)
    let coarse = solve(a, r, start: zero, tolerance: 0.1, capacity: 60)
    let fine = solve(a, r, start: zero, tolerance: 1e-12, capacity: 60)
    #expect(residual(a, r, coarse.x) <= 0.1 * start && coarse.products < fine.products)
    #expect(residual(a, r, fine.x) <= 2e-12 * start)
    let short = solve(a, r, start: zero, tolerance: 1e-12, capacity: 3)
    #expect(short.products == 3)
    let reached = residual(a, r, short.x)
    #expect(reached < start && reached > 1e-12 * start)
  }

  @Test func withoutARightHandSideNothingHappens() {
    let a = matrix(3, 0.5)
    for r in [[0, 0, 0], [1, .nan, 0], [.infinity, 0, 0]] {
      let (x, products) = solve(a, r, start: [1, 2, 3], tolerance: 1e-14, capacity: 5)
      #expect(x == [1, 2, 3] && products == 0)
    }
  }
}
