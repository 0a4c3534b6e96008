import OperatorProblems
import Testing

struct CustomOperatorTests {
  /// One output by the sum of equation 9.
  private func direct(_ q: [Double], _ j: Int, diagonal: Double) -> Double {
    let n = Double(q.count)
    let y = (Double(j) + 0.5) / n
    var sum = 0.0
    for i in 0..<q.count {
      let x = (Double(i) + 0.5) / n
      let inverse = i == j ? diagonal * n : 1 / abs(x - y)
      sum += (x + y) * (x + y) * inverse * q[i]
    }
    return sum / (n * n * n * n * n)
  }

  @Test(arguments: [1, 2, 5, 64, 320], [0.0, 1.5])
  func productMatchesTheDirectSum(points: Int, diagonal: Double) throws {
    var problem = try CustomOperator(options: .init(points: points, diagonal: diagonal))
    for index in 0..<2 {
      var q = problem.sample(seed: 4, index: index).input
      // The operator is defined for any field; signs and magnitudes vary in the second one.
      if index == 1 { for i in 0..<points { q[i] = Double((i * 37) % 11 - 5) } }
      let w = try problem.solve(q)
      let expected = (0..<points).map { direct(q, $0, diagonal: diagonal) }
      let scale = expected.reduce(0) { max($0, abs($1)) }
      // Errors of transforms grow like the logarithm of the length; 1e-15 is typical.
      #expect(largestDifference(w, expected) <= 1e-12 * scale)
    }
  }

  @Test func largeProblemsMatchAtSomePoints() throws {
    let points = 1_310_720
    var problem = try CustomOperator(options: .init(points: points))
    let q = problem.sample(seed: 4, index: 0).input
    let w = try problem.solve(q)
    let scale = w.reduce(0) { max($0, abs($1)) }
    for j in [0, points / 3, points - 1] {
      #expect(abs(w[j] - direct(q, j, diagonal: 0)) <= 1e-12 * scale)
    }
  }

  @Test func diagonalIsZeroByDefault() throws {
    var problem = try CustomOperator(options: .init(points: 4))
    var q = [0.0, 0, 0, 0]
    q[2] = 1
    let w = try problem.solve(q)
    // Rounding errors of the transform, relative to entries of the order of 1 / N⁴.
    #expect(abs(w[2]) < 1e-17 && w[1] > 1e-3)
    #expect(problem.attributes.contains { $0.name == "diagonal" && $0.value == .real(0) })
  }

  @Test func operatorIsSymmetric() throws {
    let points = 30
    var problem = try CustomOperator(options: .init(points: points, diagonal: 2))
    let a = (0..<points).map { Double(($0 * 17) % 7) - 3 }
    let b = (0..<points).map { Double(($0 * 5) % 9) - 4 }
    let left = zip(try problem.solve(a), b).reduce(0) { $0 + $1.0 * $1.1 }
    let right = zip(a, try problem.solve(b)).reduce(0) { $0 + $1.0 * $1.1 }
    // a_ij = a_ji, hence <A a, b> = <a, A b> up to rounding.
    #expect(abs(left - right) <= 1e-13 * (abs(left) + abs(right)))
    #expect(abs(left) > 1e-6)
  }

  @Test func repeatedSolvesGiveTheSameBits() throws {
    var problem = try CustomOperator(options: .init(points: 100))
    var other = try CustomOperator(options: .init(points: 100))
    let first = problem.sample(seed: 1, index: 0).input
    let expected = try other.solve(first)
    _ = try problem.solve(problem.sample(seed: 1, index: 1).input)
    #expect(try problem.solve(first) == expected)
  }

  @Test func inadmissibleInputsAndOptionsAreErrors() throws {
    var problem = try CustomOperator(options: .init(points: 3))
    for bad in [Double.nan, .infinity, -.infinity] {
      let error = #expect(throws: ProblemError.self) { try problem.solve([0, bad, 0]) }
      guard case .inadmissibleInput(point: 1, _, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    for options in [
      CustomOperator.Options(points: 0), .init(diagonal: .nan), .init(points: 1 << 40),
    ] {
      #expect(throws: ProblemError.self) { _ = try CustomOperator(options: options) }
    }
  }

  @Test func descriptionNamesTheDatasets() throws {
    let problem = try CustomOperator(options: .init(points: 6))
    #expect(CustomOperator.name == "custom-operator")
    #expect(problem.points == [6] && problem.pointCount == 6)
    #expect(problem.parameterNames.map(\.name) == ["rho", "u", "T"])
    #expect(problem.parameterCount == 5 && problem.constants.isEmpty)
  }
}
