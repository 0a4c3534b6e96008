import Foundation
import OperatorProblems
import Testing

@testable import SpecialFunctions

struct RadiativeTransfer1DTests {
  /// The scattering coefficient of the golden values: ρ = (.2, .25), c = (.3, .65), T = 3e-3.
  private func goldenField(_ n: Int) -> [Double] {
    cellCentres(n).map { x in
      zip([0.2, 0.25], [0.3, 0.65]).reduce(0) { sum, gaussian in
        let distance = x - gaussian.1
        return sum + gaussian.0 / (2 * .pi * 3e-3).squareRoot()
          * exp(-distance * distance / (2 * 3e-3))
      }
    }
  }

  @Test func solutionHasTheGoldenValues() throws {
    var problem = try RadiativeTransfer1D()
    let u = try problem.solve(goldenField(320))
    let golden = [
      0: 0.973967014439, 79: 1.082608394839, 159: 1.310692164167, 239: 1.110430049176,
      319: 0.989747415028,
    ]
    // The golden values have 12 decimals; their mean is good to 2e-12.
    for (i, value) in golden { #expect(abs(u[i] - value) < 1e-12, "u[\(i)] = \(u[i])") }
    #expect(abs(u.reduce(0, +) / 320 - 1.142438976958) < 3e-12)
  }

  @Test(arguments: [(640, 1.142444438), (1280, 1.142445763)])
  func meanConvergesAsTheGoldenValuesDo(points: Int, golden: Double) throws {
    var problem = try RadiativeTransfer1D(options: .init(points: points))
    let u = try problem.solve(goldenField(points))
    // The golden values have 9 decimals.
    #expect(abs(u.reduce(0, +) / Double(points) - golden) < 1e-9)
  }

  @Test(arguments: [(320, 0.2), (7, 0.2), (1, 0.2), (64, 12), (64, 1e-6)])
  func withoutScatteringTheSolutionIsKnown(points: Int, absorption: Double) throws {
    var problem = try RadiativeTransfer1D(
      options: .init(points: points, absorption: absorption))
    let u = try problem.solve([Double](repeating: 0, count: points))
    // u = (2 - E₂(μ x) - E₂(μ (1 - x))) / (2 μ)
    let depths = cellCentres(points).flatMap { [absorption * $0, absorption * (1 - $0)] }
    var e2 = depths
    do {
      var span = e2.mutableSpan
      ExponentialIntegral.e2(depths.span, into: &span)
    }
    let exact = (0..<points).map { (2 - e2[2 * $0] - e2[2 * $0 + 1]) / (2 * absorption) }
    let difference = largestDifference(u, exact)
    // In thin media the formula itself has errors of 2.2e-16 over the absorption.
    #expect(difference < 1e-13 + 2.2e-16 / absorption, "\(points) points: \(difference)")
    print("no scattering, \(points) points, absorption \(absorption): difference \(difference)")
  }

  @Test(arguments: RadiativeTransfer1DOracle.all)
  func solutionMatchesTheOracle(_ oracle: RadiativeTransfer1DOracle) throws {
    var problem = try RadiativeTransfer1D(
      options: .init(points: oracle.scattering.count, absorption: oracle.absorption))
    let u = try problem.solve(oracle.scattering)
    let difference = largestDifference(u, oracle.density)
    // Residuals of 1e-15, and a solution that is up to seven times the source.
    #expect(difference < 5e-14, "difference \(difference)")
    print("\(oracle.testDescription): difference \(difference)")
  }

  @Test func solutionOfAMirroredFieldIsMirrored() throws {
    var problem = try RadiativeTransfer1D(options: .init(points: 50))
    let field = problem.sample(seed: 7, index: 3).input
    let u = try problem.solve(field)
    let mirrored = try problem.solve(Array(field.reversed()))
    // Rounding errors of a well conditioned system of order 50.
    #expect(largestDifference(u, Array(mirrored.reversed())) < 1e-13)
  }

  @Test func repeatedSolvesGiveTheSameBits() throws {
    var problem = try RadiativeTransfer1D(options: .init(points: 61))
    var other = try RadiativeTransfer1D(options: .init(points: 61))
    let first = problem.sample(seed: 1, index: 0).input
    let second = problem.sample(seed: 1, index: 1).input
    let expected = try other.solve(first)
    _ = try problem.solve(second)
    #expect(try problem.solve(first) == expected)
  }

  @Test func inadmissibleInputsAreNamed() throws {
    var problem = try RadiativeTransfer1D(options: .init(points: 5))
    for bad in [-1e-3, .nan, .infinity] {
      let error = #expect(throws: ProblemError.self) { try problem.solve([1, 1, bad, 1, 1]) }
      guard case .inadmissibleInput(point: 2, let value, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(value == bad || value.isNaN && bad.isNaN)
      #expect("\(try #require(error))".contains("at point 2"))
    }
    for thick in [3e4, 1e308] {
      let error = #expect(throws: ProblemError.self) {
        try problem.solve([Double](repeating: thick, count: 5))
      }
      #expect(error.map { "\($0)".contains("optical depth") } == true)
    }
    // The instance still works.
    #expect(try problem.solve([1, 1, 1, 1, 1]).allSatisfy { $0.isFinite && $0 > 0 })
  }

  @Test func aCellWithoutAttenuationIsAnError() throws {
    var problem = try RadiativeTransfer1D(options: .init(points: 3, absorption: 0))
    let error = #expect(throws: ProblemError.self) { try problem.solve([1, 0, 1]) }
    guard case .inadmissibleInput(point: 1, value: 0, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try problem.solve([1, 1, 1]).allSatisfy { $0 > 0 })
  }

  @Test func wrongOptionsAreErrors() {
    for options in [
      RadiativeTransfer1D.Options(points: 0), .init(points: -1), .init(points: 40_000),
      .init(absorption: -0.1), .init(absorption: .nan),
      .init(field: GaussianField(gaussians: 0)), .init(field: GaussianField(gaussians: 14)),
      .init(field: GaussianField(variance: 0...1)), .init(field: GaussianField(gap: .nan)),
      .init(field: GaussianField(amplitude: -1...1)),
    ] {
      #expect(throws: ProblemError.self) { _ = try RadiativeTransfer1D(options: options) }
    }
  }

  @Test func descriptionNamesTheDatasets() throws {
    let problem = try RadiativeTransfer1D(
      options: .init(points: 10, field: GaussianField(gaussians: 3)))
    #expect(RadiativeTransfer1D.name == "rte-1d")
    #expect(problem.points == [10])
    #expect(problem.parameterNames.map(\.name) == ["rho", "u", "T"])
    #expect(problem.parameterNames.map(\.columns) == [3, 3, 1])
    #expect(problem.parameterCount == 7)
    #expect(problem.constants.map(\.name) == ["sa"])
    #expect(problem.constants.map(\.values) == [[0.2]])
    #expect(problem.attributes.contains { $0.name == "mu_a" && $0.value == .real(0.2) })
    #expect(problem.attributes.contains { $0.name == "residual_bound" && $0.value == .real(1e-13) })
  }
}
