import Testing

@testable import PhysicsInformed

@Suite("Points")
struct PointTests {
  @Test(
    "each dyadic interval has one of the first 2ᵏ points, each box of area 2⁻ᵏ one in two dimensions"
  )
  func sobol() {
    let sobol = SobolSequence(dimension: 3)
    let points = (0..<1024).map { sobol[$0] }
    for axis in 0..<3 {
      #expect(Set(points.map { Int($0[axis] * 1024) }).count == 1024)
    }
    // A (0, 10, 2)-net.
    for level in 0...10 {
      let boxes = points.map {
        Int($0[0] * Double(1 << level)) << 10 | Int($0[1] * Double(1 << (10 - level)))
      }
      #expect(Set(boxes).count == 1024, "level \(level)")
    }
    // A (1, 10, 3)-net: boxes of twice the volume have two.
    for a in 0...9 {
      for b in 0...9 - a {
        var counts: [[Int]: Int] = [:]
        for x in points {
          let box = [
            Int(x[0] * Double(1 << a)), Int(x[1] * Double(1 << b)),
            Int(x[2] * Double(1 << (9 - a - b))),
          ]
          counts[box, default: 0] += 1
        }
        #expect(counts.count == 512 && counts.values.allSatisfy { $0 == 2 })
      }
    }
  }

  @Test("points with large residuals are chosen more often, by the stated probability")
  func choice() {
    // A tenth of the candidates has the residual 9, the others 1/9: p is 1 + 9 and 1 + 1/9.
    let residuals = (0..<10_000).map { $0 % 10 == 0 ? -9.0 : 1 / 9.0 }
    let chosen = AdaptiveChoice.choose(100, by: residuals.span, round: 3, seed: 5)
    #expect(Set(chosen).count == 100 && chosen == chosen.sorted())
    var large = 0
    for round in 0..<20 {
      large += AdaptiveChoice.choose(100, by: residuals.span, round: round, seed: 5)
        .count { $0 % 10 == 0 }
    }
    // p ∝ 1 + 9 and 1 + 1/9 for a mean of 1: half of 2000 draws, almost without depletion.
    let share = 10.0 / (10 + 9 * (1 + 1 / 9.0))
    #expect(abs(Double(large) / 2000 - share) < 0.05, "\(large) of 2000")
    let again = AdaptiveChoice.choose(100, by: residuals.span, round: 3, seed: 5)
    #expect(again == chosen)
    #expect(AdaptiveChoice.choose(100, by: residuals.span, round: 4, seed: 5) != chosen)
    #expect(AdaptiveChoice.choose(100, by: residuals.span, round: 3, seed: 6) != chosen)
  }
}
