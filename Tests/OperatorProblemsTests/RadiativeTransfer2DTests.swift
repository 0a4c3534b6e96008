import Foundation
import OperatorProblems
import Testing

struct RadiativeTransfer2DTests {
  /// ρ = (.02, .025), c = (.3, .4) and (.6, .7), T = 3e-3.
  private let golden = [0.02, 0.025, 0.3, 0.6, 0.4, 0.7, 3e-3]

  /// A sum of two Gaussians.
  private func direct(
    _ n1: Int, _ n2: Int, _ parameters: [Double], absorption: Double = 0.2
  ) -> DirectPlaneTransfer {
    DirectPlaneTransfer(shape: (n1, n2), absorption: absorption) { x, y in
      (0..<2).reduce(0) { sum, g in
        let (a, b) = (x - parameters[2 + g], y - parameters[4 + g])
        return sum + parameters[g] / (2 * .pi * parameters[6])
          * exp(-(a * a + b * b) / (2 * parameters[6]))
      }
    }
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  @Test(arguments: [
    (RadiativeTransfer2D.Scaling.columns, 0.442807), (.rows, 0.442291),
  ])
  func meanHasTheGoldenValue(scaling: RadiativeTransfer2D.Scaling, expected: Double) throws {
    var problem = try RadiativeTransfer2D(options: .init(points: [40, 40], scaling: scaling))
    let u = try problem.solve(direct(40, 40, golden).field, golden)
    // The golden values have six decimals.
    #expect(abs(mean(u) - expected) < 6e-7, "\(mean(u))")
  }

  @Test func scalingsDifferAsMuchAsIsKnown() throws {
    var columns = try RadiativeTransfer2D(options: .init(points: [40, 40]))
    var rows = try RadiativeTransfer2D(options: .init(points: [40, 40], scaling: .rows))
    let field = direct(40, 40, golden).field
    let (u, v) = (try columns.solve(field, golden), try rows.solve(field, golden))
    let difference = zip(u, v).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let relative = (difference / u.reduce(0) { $0 + $1 * $1 }).squareRoot()
    #expect(abs(relative - 0.069) < 5e-4, "\(relative)")
  }

  @Test(arguments: [[12, 9], [9, 12], [8, 8], [1, 17], [1, 1]], [0.2, 3])
  func solutionMatchesPlainLoops(points: [Int], absorption: Double) throws {
    let oracle = direct(points[0], points[1], golden, absorption: absorption)
    for scaling in RadiativeTransfer2D.Scaling.allCases {
      var problem = try RadiativeTransfer2D(
        options: .init(points: points, absorption: absorption, scaling: scaling))
      let u = try problem.solve(oracle.field, golden)
      let difference = largestDifference(u, oracle.density(rows: scaling == .rows))
      // Systems agree to rounding but for the diagonal, where the rule inside of cells is finer. In
      // cells of the size of the square, wider than the Gaussians, that counts.
      let bound = points[0] == 1 ? 2e-4 : 1e-7
      #expect(difference < bound, "\(points), \(scaling): \(difference)")
      print("rte-2d \(points), \(absorption), \(scaling): difference \(difference)")
    }
  }

  @Test func constantFieldsMatchPlainLoops() throws {
    // Rules along lines are exact here. Inside of cells the function has a cone, of third order in the
    // optical depth of a cell, where the rules differ: bounds are three times what was found.
    for (points, scattering, bound) in [
      ([5, 8], 1.5, 1e-7), ([17, 3], 0.1, 4e-9), ([2, 2], 4, 9e-5),
    ] {
      let oracle = DirectPlaneTransfer(shape: (points[0], points[1]), absorption: 0.2) { _, _ in
        scattering
      }
      var problem = try RadiativeTransfer2D(options: .init(points: points))
      let difference = largestDifference(try problem.solve(oracle.field), oracle.density())
      #expect(difference < bound, "\(points): \(difference)")
      print("rte-2d constant \(points): difference \(difference)")
    }
  }

  @Test(arguments: [0.2, 5])
  func withoutScatteringTheSolutionTendsToTheIntegral(absorption: Double) throws {
    var errors: [Double] = []
    for n in [10, 20, 40] {
      var problem = try RadiativeTransfer2D(
        options: .init(points: [n, n], absorption: absorption))
      let u = try problem.solve([Double](repeating: 0, count: n * n))
      let exact = (0..<n * n).map { i in
        DirectPlaneTransfer.withoutScattering(
          ((Double(i / n) + 0.5) / Double(n), (Double(i % n) + 0.5) / Double(n)),
          absorption: absorption)
      }
      errors.append(largestDifference(u, exact))
    }
    // Neighbours of a cell make the midpoint rule for 1 / r a method of first order.
    #expect(errors[1] < 0.6 * errors[0] && errors[2] < 0.55 * errors[1], "\(errors)")
    #expect(errors[2] < 1.6e-3 && errors[2] > 1e-4, "\(errors)")
  }

  @Test func aGivenFieldIsInterpolatedSmoothly() throws {
    var differences: [Double] = []
    for n in [20, 40] {
      var problem = try RadiativeTransfer2D(options: .init(points: [n, n]))
      let field = direct(n, n, golden).field
      differences.append(
        largestDifference(try problem.solve(field), try problem.solve(field, golden)))
    }
    // Polynomials of degree 5 converge with the sixth power of the distance of points.
    #expect(differences[0] < 2e-3 && differences[1] < differences[0] / 20, "\(differences)")
    print("rte-2d given field: differences \(differences)")
  }

  @Test func polynomialsOfDegreeFiveAreInterpolatedExactly() throws {
    // Where the cells are inside of the convex hull of the centres: lines end at centres, and the
    // part of a cell beyond them is seen by the diagonal alone.
    let oracle = DirectPlaneTransfer(shape: (7, 6), absorption: 0.2) { x, y in
      let (s, t) = (x * (1 - x), y * (1 - y))
      return 3 * s * s * t * t * (1 + x) * (1 + 0.5 * y)
    }
    var problem = try RadiativeTransfer2D(options: .init(points: [7, 6]))
    let difference = largestDifference(try problem.solve(oracle.field), oracle.density())
    #expect(difference < 2e-5, "\(difference)")
    print("rte-2d polynomial: difference \(difference)")
  }

  @Test func symmetriesOfTheSquareAreKept() throws {
    var problem = try RadiativeTransfer2D(options: .init(points: [11, 14]))
    var turned = try RadiativeTransfer2D(options: .init(points: [14, 11]))
    let field = problem.sample(seed: 7, index: 3).input
    let u = try problem.solve(field)
    let mirrored = try problem.solve(Array(field.reversed()))
    // Rounding errors of a well conditioned system.
    #expect(largestDifference(u, Array(mirrored.reversed())) < 1e-13)
    func transpose(_ values: [Double]) -> [Double] {
      var result: [Double] = []
      for k in 0..<14 { for i in 0..<11 { result.append(values[i * 14 + k]) } }
      return result
    }
    #expect(largestDifference(try turned.solve(transpose(field)), transpose(u)) < 1e-13)
  }

  @Test func repeatedSolvesGiveTheSameBits() throws {
    var problem = try RadiativeTransfer2D(options: .init(points: [13, 10]))
    var other = try RadiativeTransfer2D(options: .init(points: [13, 10]))
    let first = problem.sample(seed: 1, index: 0)
    let second = problem.sample(seed: 1, index: 1)
    let expected = try other.solve(first.input, first.parameters)
    _ = try problem.solve(second.input)
    _ = try problem.solve(second.input, second.parameters)
    #expect(try problem.solve(first.input, first.parameters) == expected)
    #expect(other.sample(seed: 1, index: 1).input == second.input)
    #expect(other.sample(seed: 2, index: 1).input != second.input)
  }

  @Test(arguments: [1, 2, 13])
  func parametersStayInTheirRanges(gaussians: Int) throws {
    var field = GaussianField.plane
    field.gaussians = gaussians
    var problem = try RadiativeTransfer2D(options: .init(points: [2, 3], field: field))
    for index in 0..<100 {
      let drawn = problem.sample(seed: 11, index: index).parameters
      #expect(drawn[..<gaussians].allSatisfy { $0 >= 0.01 && $0 < 0.03 })
      for axis in 1...2 {
        let centres = drawn[axis * gaussians..<(axis + 1) * gaussians]
        // Moving the centres apart rounds.
        #expect(centres.allSatisfy { $0 >= 0.2 && $0 < 0.8 + 1e-15 })
        for (a, b) in zip(centres, centres.dropFirst()) { #expect(b - a >= 0.05 - 1e-15) }
      }
      #expect(drawn[3 * gaussians] >= 2e-3 && drawn[3 * gaussians] < 4e-3)
    }
  }

  @Test func sampledFieldsAreTheirGaussians() throws {
    var problem = try RadiativeTransfer2D(options: .init(points: [9, 20]))
    let (input, drawn) = problem.sample(seed: -3, index: 2)
    // Exponents up to 200 with an error of 2e-16 each.
    for (a, b) in zip(input, direct(9, 20, drawn).field) { #expect(abs(a - b) <= 1e-13 * b) }
  }

  @Test func inadmissibleInputsAndOptionsAreErrors() throws {
    var problem = try RadiativeTransfer2D(options: .init(points: [2, 2]))
    for bad in [-1e-3, .nan, .infinity, 1e7] {
      let error = #expect(throws: ProblemError.self) { try problem.solve([1, 1, bad, 1]) }
      guard case .inadmissibleInput(point: 2, _, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    // The instance still works.
    #expect(try problem.solve([1, 1, 1, 1]).allSatisfy { $0.isFinite && $0 > 0 })
    for options in [
      RadiativeTransfer2D.Options(points: [4]), .init(points: [0, 4]), .init(points: [200, 200]),
      .init(absorption: -0.1), .init(absorption: .nan),
      .init(field: GaussianField(gaussians: 0)),
    ] {
      #expect(throws: ProblemError.self) { _ = try RadiativeTransfer2D(options: options) }
    }
  }

  @Test func descriptionNamesTheDatasets() throws {
    let problem = try RadiativeTransfer2D(options: .init(points: [4, 6]))
    #expect(RadiativeTransfer2D.name == "rte-2d")
    #expect(
      problem.points == [4, 6] && problem.outputShape == [4, 6] && problem.outputCount == 24)
    #expect(problem.parameterNames.map(\.name) == ["rho", "u1", "u2", "T"])
    #expect(problem.parameterNames.map(\.columns) == [2, 2, 2, 1])
    #expect(problem.constants.map(\.name) == ["sa"] && problem.constants[0].values == [0.2])
    #expect(problem.cloud == nil && problem.resultNames.isEmpty)
  }
}
