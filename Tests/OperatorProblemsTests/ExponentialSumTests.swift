import Foundation
import TestSupport
import Testing

@testable import OperatorProblems

struct ExponentialSumTests {
  /// Least distances from thick cells down to the thinnest admissible ones.
  static let distances = [
    5, 0.01, 3e-3, 9e-4, 3.1e-4, 7.8e-5, 1e-6, 4e-8, 1e-9, 3.16e-10, 3.16e-11, 1.5e-11,
  ]

  @Test(arguments: distances)
  func sumMatchesTheIntegral(distance: Double) throws {
    let sum = ExponentialSum(leastDistance: distance)
    let rows = ExponentialIntegralOracle.rows.filter { $0.x >= distance && $0.e1 > 0 }
    try #require(rows.count > 100)
    var (worst, place) = (0.0, 0.0)
    for row in rows {
      let value = zip(sum.rates, sum.weights).reduce(0) { $0 + $1.1 * exp(-$1.0 * row.x) }
      let scale = row.x <= 1 ? row.e1 : 0.2194 / (row.x * row.x)
      let error = abs(value - row.e1) / scale
      if error > worst { (worst, place) = (error, row.x) }
    }
    // 1e-15 is the error of the rule; up to 120 rounded terms are added up.
    #expect(worst <= 2e-15, "\(worst)")
    print("\(sum.rates.count) exponentials from \(distance) on: error \(worst) at \(place)")
  }

  @Test func theErrorGrowsBelowTheLeastDistance() throws {
    let sum = ExponentialSum(leastDistance: 3e-4)
    let value = zip(sum.rates, sum.weights).reduce(0) { $0 + $1.1 * exp(-$1.0 * 1e-5) }
    // E₁(1e-5) = -log 1e-5 - γ + 1e-5
    let exact = -log(1e-5) - 0.5772156649015329 + 1e-5
    #expect(abs(value / exact - 1) > 1e-6)
  }

  @Test(arguments: distances)
  func ratesAndWeightsAreThoseOfDirections(distance: Double) {
    let sum = ExponentialSum(leastDistance: distance)
    #expect(sum.rates.count % 8 == 0 && sum.rates.count == sum.weights.count)
    #expect(sum.rates.allSatisfy { $0 >= 1 } && sum.weights.allSatisfy { $0 > 0 })
    #expect(zip(sum.rates, sum.rates.dropFirst()).allSatisfy { $0 < $1 })
    // Σ w / t = ∫ dμ = 1 up to the directions that no radiation leaves the least distance in.
    let total = zip(sum.rates, sum.weights).reduce(0) { $0 + $1.1 / $1.0 }
    #expect(abs(total - 1) <= min(distance, 0.01))
  }

  @Test(arguments: [2, 8, 56, 120])
  func gaussRuleIntegratesPolynomials(count: Int) {
    let (distances, weights) = ExponentialSum.gaussLegendre(count)
    #expect(zip(distances, distances.dropFirst()).allSatisfy { $0 < $1 })
    for degree in [0, 2, count, 2 * count - 2] {
      let value = zip(distances, weights).reduce(0) {
        $0 + 2 * $1.1 * pow(1 - $1.0, Double(degree))
      }
      // Exact up to degree 2 n - 1; errors of 1e-16 in the nodes are multiplied by the degree;
      // even ones only, since negative nodes mirror positive ones.
      let exact = 2 / Double(degree + 1)
      #expect(abs(value - exact) <= 1e-14, "degree \(degree): \(value)")
    }
  }
}
