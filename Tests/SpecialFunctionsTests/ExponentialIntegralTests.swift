import TestSupport
import Testing

@testable import SpecialFunctions

struct ExponentialIntegralTests {
  /// Evaluates E₁ and E₂.
  private func evaluate(_ x: [Double]) -> (e1: [Double], e2: [Double]) {
    var first = x
    var second = x
    do {
      var span = first.mutableSpan
      ExponentialIntegral.e1(x.span, into: &span)
    }
    do {
      var span = second.mutableSpan
      ExponentialIntegral.e2(x.span, into: &span)
    }
    return (first, second)
  }

  @Test func valuesMatchTheOracle() throws {
    let rows = ExponentialIntegralOracle.rows
    try #require(rows.count > 450)
    let values = evaluate(rows.map(\.x))
    var worst = (e1: 0.0, e2: 0.0)
    for (i, row) in rows.enumerated() {
      let first = abs(values.e1[i] / row.e1 - 1)
      let second = abs(values.e2[i] / row.e2 - 1)
      // 1e-14 is the documented bound; the polynomials lose about 8 units of 2.2e-16 at most.
      #expect(first <= 1e-14, "E₁(\(row.x)) = \(values.e1[i]), expected \(row.e1)")
      #expect(second <= 1e-14, "E₂(\(row.x)) = \(values.e2[i]), expected \(row.e2)")
      worst = (max(worst.e1, first), max(worst.e2, second))
    }
    print("\(rows.count) arguments: relative error of E₁ \(worst.e1), of E₂ \(worst.e2)")
  }

  @Test func edgeCasesAreAsDocumented() {
    let tiny = Double.leastNonzeroMagnitude
    let x = [0, -0.0, -1, -tiny, .nan, .infinity, -.infinity, 760, 1e300, tiny]
    let values = evaluate(x)
    #expect(values.e1[0] == .infinity && values.e1[1] == .infinity)
    #expect(values.e2[0] == 1 && values.e2[1] == 1)
    for i in [2, 3, 4, 6] { #expect(values.e1[i].isNaN && values.e2[i].isNaN, "\(x[i])") }
    for i in [5, 7, 8] { #expect(values.e1[i] == 0 && values.e2[i] == 0, "\(x[i])") }
    // -log 2^-1074 - γ
    #expect(abs(values.e1[9] / 743.8628562564797 - 1) < 1e-14)
    #expect(values.e2[9] == 1)
  }

  @Test func resultsBelowTheNormalNumbersDecreaseToZero() {
    let x = (0...60).map { 700 + Double($0) }
    let values = evaluate(x)
    for i in 1..<x.count {
      #expect(values.e1[i] <= values.e1[i - 1] && values.e1[i] >= 0)
      #expect(values.e2[i] <= values.e2[i - 1] && values.e2[i] <= values.e1[i])
    }
    #expect(values.e1[60] == 0 && values.e2[60] == 0)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 17])
  func bitsDependOnTheArgumentAlone(count: Int) {
    // Small arguments among large ones, which sends them through the other path.
    let x = (0..<count).map { (i: Int) -> Double in
      let place = Double(i + 1)
      return i % 3 == 1 ? 5 + place : place / 32
    }
    let together = evaluate(x)
    for i in 0..<count {
      let alone = evaluate([Double](repeating: x[i], count: 8))
      #expect(alone.e1[3].bitPattern == together.e1[i].bitPattern)
      #expect(alone.e2[3].bitPattern == together.e2[i].bitPattern)
    }
  }

  @Test func countsMustAgree() async {
    await #expect(processExitsWith: .failure) {
      var values = [0.0]
      var span = values.mutableSpan
      ExponentialIntegral.e2([0.5, 0.5].span, into: &span)
    }
  }
}
