import BlockKernels
import MessagePassing
import Testing

@testable import PhysicsInformed

@Suite("Equations")
struct EquationTests {
  private static let names = EquationCatalogue.all.map { type(of: $0).name }

  private func points(_ equation: any Equation, margin: Double) -> [SIMD3<Double>] {
    let sobol = SobolSequence(dimension: equation.dimension)
    return (0..<64).map {
      equation.point(margin + (1 - 2 * margin) * sobol[$0])
    }
  }

  @Test("the reference of Burgers' equation has the digits of a converged rule")
  func coleHopf() {
    // Numbers of an independent rule with more nodes.
    for (x, t, value) in [
      (0.25, 0.25, -0.9920815616225218), (0.5, 0.5, -0.592769534402051),
      (-0.1, 0.75, 0.800395992475029), (0.01, 0.99, -0.6002029104067551),
      (0.5, 1, -0.3761813957481221),
    ] {
      #expect(abs(Burgers().solution(at: [x, t, 0]) - value) <= 1e-12)
    }
  }

  @Test("solutions solve their equations, and meet their conditions", arguments: names)
  func solutions(_ name: String) throws {
    let equation = try EquationCatalogue.named(name)
    // Central differences of the solution; near the shock of Burgers' equation they would be wrong.
    let h = 1e-4
    for x in points(equation, margin: 0.05) where name != "burgers" || abs(x[0]) > 0.3 {
      var jet = Jet(equation.solution(at: x))
      for axis in 0..<equation.dimension {
        var step = SIMD3<Double>()
        step[axis] = h
        let (above, below) = (equation.solution(at: x + step), equation.solution(at: x - step))
        jet.slopes[axis] = (above - below) / (2 * h)
        jet.second +=
          equation.secondWeights[axis] * (above - 2 * jet.value + below) / (h * h)
      }
      #expect(abs(equation.residual(jet, at: x).value) <= 3e-4)
    }
    for face in equation.faces {
      for x in points(equation, margin: 0) {
        var point = x
        let interval = equation.domain[face.axis]
        point[face.axis] = face.isUpper ? interval.upperBound : interval.lowerBound
        let (offset, factor) = equation.condition(at: point)
        #expect(abs(factor.value) <= 1e-15)
        #expect(abs(offset.value - equation.solution(at: point)) <= 1e-12)
      }
    }
  }

  @Test("derivatives of conditions and residuals are those of differences", arguments: names)
  func derivatives(_ name: String) throws {
    let equation = try EquationCatalogue.named(name)
    let h = 1e-4
    for x in points(equation, margin: 0.05) {
      let (offset, factor) = equation.condition(at: x)
      var seconds = (0.0, 0.0)
      for axis in 0..<equation.dimension {
        var step = SIMD3<Double>()
        step[axis] = h
        let (above, below) = (equation.condition(at: x + step), equation.condition(at: x - step))
        for (jet, up, down) in [
          (offset, above.offset, below.offset), (factor, above.factor, below.factor),
        ] {
          #expect(abs(jet.slopes[axis] - (up.value - down.value) / (2 * h)) <= 1e-5)
        }
        let weight = equation.secondWeights[axis] / (2 * h)
        seconds.0 += weight * (above.offset.slopes[axis] - below.offset.slopes[axis])
        seconds.1 += weight * (above.factor.slopes[axis] - below.factor.slopes[axis])
      }
      #expect(abs(offset.second - seconds.0) <= 1e-4)
      #expect(abs(factor.second - seconds.1) <= 1e-4)
      // The residual is a polynomial of second degree at most: central differences are exact.
      let u = Jet(0.3, slopes: [0.7, -0.4, 0], second: 1.1)
      let derivative = equation.residual(u, at: x).derivative
      let change = Jet(0.2, slopes: [-0.5, 0.9, 0], second: 0.6)
      let difference =
        (equation.residual(u + change, at: x).value
          - equation.residual(u + -1 * change, at: x).value) / 2
      let product =
        derivative.value * change.value + (derivative.slopes * change.slopes).sum()
        + derivative.second * change.second
      #expect(abs(difference - product) <= 1e-12)
    }
  }

  @Test("the adjoint of a product of jets is its transpose")
  func adjoint() {
    let weights = SIMD3(1, 0.5, 2)
    let (d, n, b) = (
      Jet(0.4, slopes: [1, -2, 0.3], second: 0.7), Jet(-1.3, slopes: [0.2, 5, -1], second: 2),
      Jet(0.9, slopes: [-0.6, 0.1, 1.7], second: -0.8)
    )
    func dot(_ a: Jet, _ b: Jet) -> Double {
      a.value * b.value + (a.slopes * b.slopes).sum() + a.second * b.second
    }
    let left = dot(d.times(n, weights: weights), b)
    let right = dot(n, d.adjointOfTimes(b, weights: weights))
    #expect(abs(left - right) <= 1e-13)
  }

  @Test("unknown names are refused with the known ones")
  func refusals() {
    #expect(throws: RunError.self) { try EquationCatalogue.named("wave") }
  }
}
