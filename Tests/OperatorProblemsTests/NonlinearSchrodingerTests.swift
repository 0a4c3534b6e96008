import BlockKernels
import Foundation
import Testing

@testable import OperatorProblems

struct NonlinearSchrodingerTests {
  /// A potential with the least value 1, by the formula of the paper.
  private func wells(
    _ points: [Int], _ amplitudes: [Double], _ centres: [[Double]], _ variance: Double
  ) -> [Double] {
    func image(_ i: Int, _ count: Int, _ centre: Double) -> Double {
      (-1...1).reduce(0) { sum, j in
        let x = Double(i + 1) / Double(count) - centre - Double(j)
        return sum + exp(-x * x / (2 * variance))
      }
    }
    let columns = points.last ?? 1
    let raw = (0..<points.reduce(1, *)).map { k in
      zip(amplitudes, centres).reduce(0) { sum, well in
        var value = -well.0 / (2 * .pi * variance).squareRoot()
        value *= image(k % columns, columns, well.1.last ?? 0)
        if points.count == 2 { value *= image(k / columns, points[0], well.1[0]) }
        return sum + value
      }
    }
    let least = raw.min() ?? 0
    return raw.map { $0 - least + 1 }
  }

  private var goldenField: [Double] { wells([320], [20, 30], [[0.3], [0.7]], 3e-3) }

  /// (-Δ + V + β u²) u by a plain loop, the index of all axes wrapped.
  private func apply(_ points: [Int], _ v: [Double], _ beta: Double, _ u: [Double]) -> [Double] {
    let (rows, columns) = points.count == 2 ? (points[0], points[1]) : (1, points[0])
    return (0..<u.count).map { k in
      let (row, column) = (k / columns, k % columns)
      func at(_ r: Int, _ c: Int) -> Double {
        u[(r + rows) % rows * columns + (c + columns) % columns]
      }
      let h = Double(columns * columns)
      var sum = h * (2 * u[k] - at(row, column - 1) - at(row, column + 1))
      if points.count == 2 {
        sum += Double(rows * rows) * (2 * u[k] - at(row - 1, column) - at(row + 1, column))
      }
      return sum + (v[k] + beta * u[k] * u[k]) * u[k]
    }
  }

  @Test func lineHasTheGoldenValues() throws {
    var problem = try NonlinearSchrodinger<1>()
    let v = goldenField
    #expect(abs((v.max() ?? 0) - 219.50958) < 5e-6)
    let u = try problem.solve(v)
    // By the gradient flow alone with sparse LU, in Tests/Peers/wave_problems_oracle.py.
    let converged = [
      0: 0.3429246156394874, 95: 0.7644458373916387, 159: 0.744934124075912,
      223: 2.0479296353626784,
    ]
    for (i, value) in converged { #expect(abs(u[i] - value) < 1e-11, "u[\(i)] = \(u[i])") }
    #expect(abs(problem.energy - 157.1112812287551) < 1e-9)
    // The authors' program stops earlier, with errors of 4e-6 here.
    let stopped = [0: 0.342924940, 95: 0.764449700, 159: 0.744934576, 223: 2.047927899]
    for (i, value) in stopped { #expect(abs(u[i] - value) < 5e-6, "u[\(i)] = \(u[i])") }
    #expect(abs(u.reduce(0, +) / 320 - 0.8610717) < 1e-6)
    #expect(abs(problem.energy - 157.1112) < 1e-4)
  }

  @Test func planeHasTheGoldenValues() throws {
    var problem = try NonlinearSchrodinger<2>()
    let u = try problem.solve(wells([80, 80], [2, 4], [[0.3, 0.4], [0.7, 0.65]], 3e-3))
    // By the gradient flow alone with sparse LU, in Tests/Peers/wave_problems_oracle.py.
    let golden = [
      0: 0.9790901874547098, 23 * 80 + 31: 1.0421481008968145, 55 * 80 + 51: 1.1093456955013519,
      39 * 80 + 39: 1.0152193149546258, 10 * 80 + 70: 0.979770246938179,
    ]
    for (i, value) in golden { #expect(abs(u[i] - value) < 1e-11, "u[\(i)] = \(u[i])") }
    #expect(abs(problem.energy - 39.26900953532741) < 1e-9)
  }

  @Test(arguments: [[320], [3], [40, 24], [3, 3]], [0.0, 10, 1000])
  func solutionSatisfiesTheEquation(points: [Int], beta: Double) throws {
    let count = points.reduce(1, *)
    // A smooth potential without any symmetry, and one that jumps.
    let smooth = (0..<count).map { 50 * sin(Double($0)) + 30 * cos(0.37 * Double($0)) }
    let jumps = (0..<count).map { $0 % 3 == 0 ? -40.0 : Double(($0 * 7) % 5) }
    for v in [smooth, jumps] {
      let (u, energy) = try solve(points, v, beta)
      let product = apply(points, v, beta, u)
      let norm = points.reduce(100 + 10 * beta) { $0 + 4 * Double($1 * $1) }
      // A residual of 1e-14 in the Euclidean norm, over all points.
      let residual = largestDifference(product, u.map { energy * $0 })
      #expect(residual <= 1e-14 * norm * Double(count).squareRoot())
      #expect(u.allSatisfy { $0 > 0 })
      #expect(abs(u.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 1e-13)
    }
  }

  private func solve(_ points: [Int], _ v: [Double], _ beta: Double) throws -> ([Double], Double) {
    if points.count == 1 {
      var problem = try NonlinearSchrodinger<1>(options: .init(points: points, nonlinearity: beta))
      return (try problem.solve(v), problem.energy)
    }
    var problem = try NonlinearSchrodinger<2>(options: .init(points: points, nonlinearity: beta))
    return (try problem.solve(v), problem.energy)
  }

  @Test(arguments: [[50], [12, 9]])
  func withoutNonlinearityItIsTheLowestEigenvector(points: [Int]) throws {
    let count = points.reduce(1, *)
    let v = (0..<count).map { 20 * sin(1.3 * Double($0)) }
    let (u, energy) = try solve(points, v, 0)
    let eigen = SymmetricEigenvalues(capacity: count, count: 1)
    var matrix = [Double](repeating: 0, count: count * count)
    for j in 0..<count {
      let unit = (0..<count).map { $0 == j ? 1.0 : 0 }
      matrix.replaceSubrange(j * count..<(j + 1) * count, with: apply(points, v, 0, unit))
    }
    var span = matrix.mutableSpan
    try eigen.find(of: &span, order: count, leading: count, wanted: 1)
    #expect(abs(energy - eigen.values[0]) < 1e-10)
    let scale = Double(count).squareRoot() * (eigen.vectors[0] > 0 ? 1 : -1)
    // Rounding errors of a matrix of norm 1e4 over a gap of 10 or more.
    #expect(largestDifference(u, (0..<count).map { scale * eigen.vectors[$0] }) < 1e-10)
  }

  @Test func constantPotentialsHaveConstantStates() throws {
    for points in [[64], [8, 6]] {
      let (u, energy) = try solve(points, [Double](repeating: -3, count: points.reduce(1, *)), 10)
      #expect(u.allSatisfy { abs($0 - 1) < 1e-13 })
      #expect(abs(energy - 7) < 1e-10)
    }
  }

  @Test func stateDoesNotDependOnTheStart() throws {
    var line = try NonlinearSchrodinger<1>()
    var plane = try NonlinearSchrodinger<2>(options: .init(points: [32, 32]))
    for index in 0..<4 {
      let v = line.sample(seed: 1, index: index).input
      let expected = try line.solve(v)
      var random = RandomStream(seed: 7, purpose: 0, index: UInt64(index))
      for start in [
        (0..<320).map { _ in random.uniform() }, (0..<320).map { $0 < 40 ? 1 : 1e-6 },
        (0..<320).map { _ in random.uniform(in: -1...1) }, (0..<320).map { $0 < 160 ? 1 : -1.2 },
      ] {
        var state = start
        do {
          var span = state.mutableSpan
          _ = try line.solve(input: v.span, from: &span)
        }
        // What Newton's method leaves: 1e-4 of a correction below 1e-9, and rounding.
        #expect(largestDifference(state, expected) < 1e-11)
      }
      let w = plane.sample(seed: 1, index: index).input
      let there = try plane.solve(w)
      var state = (0..<1024).map { _ in random.uniform() }
      do {
        var span = state.mutableSpan
        _ = try plane.solve(input: w.span, from: &span)
      }
      #expect(largestDifference(state, there) < 1e-11)
    }
  }

  @Test func stateOfAShiftedPotentialIsShifted() throws {
    var problem = try NonlinearSchrodinger<1>()
    let v = goldenField
    let u = try problem.solve(v)
    let energy = problem.energy
    let turned = Array(v[77...] + v[..<77])
    #expect(largestDifference(try problem.solve(turned), Array(u[77...] + u[..<77])) < 1e-11)
    #expect(largestDifference(try problem.solve(v.map { $0 - 1000 }), u) < 1e-11)
    #expect(abs(problem.energy - (energy - 1000)) < 1e-8)
    let mirrored = try problem.solve(Array(v.reversed()))
    #expect(largestDifference(mirrored, Array(u.reversed())) < 1e-11)
  }

  @Test func wellsFarApartAreFilledByTheirDepth() throws {
    // Two deep narrow wells in one cell: the flow alone needs many thousands of steps.
    var problem = try NonlinearSchrodinger<1>(options: .init(points: [640]))
    for second in [60.0, 60.01, 61] {
      let v = wells([640], [60, second], [[0.25], [0.75]], 1e-3)
      let u = try problem.solve(v)
      let left = u[..<320].reduce(0) { $0 + $1 * $1 }
      let right = u[320...].reduce(0) { $0 + $1 * $1 }
      #expect(abs(left + right - 640) < 1e-9)
      if second == 60 {
        #expect(abs(left - right) < 1e-5 * left)
      } else {
        #expect(right > left)
      }
    }
  }

  @Test func repeatedSolvesGiveTheSameBits() throws {
    var problem = try NonlinearSchrodinger<2>(options: .init(points: [20, 30]))
    var other = try NonlinearSchrodinger<2>(options: .init(points: [20, 30]))
    let first = problem.sample(seed: 1, index: 0).input
    let expected = try other.solve(first)
    _ = try problem.solve(problem.sample(seed: 1, index: 1).input)
    #expect(try problem.solve(first) == expected)
  }

  @Test func inadmissibleInputsAndOptionsAreErrors() throws {
    var problem = try NonlinearSchrodinger<1>(options: .init(points: [5]))
    for bad in [Double.nan, .infinity, 1e13] {
      let error = #expect(throws: ProblemError.self) { try problem.solve([0, 0, bad, 0, 0]) }
      guard case .inadmissibleInput(point: 2, _, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(try problem.solve([1, 2, 3, 4, 5]).allSatisfy { $0 > 0 })
    for options in [
      NonlinearSchrodinger<1>.Options(points: [2]), .init(points: [8, 8]), .init(points: []),
      .init(points: [1 << 25]), .init(nonlinearity: -1), .init(nonlinearity: .nan),
    ] {
      #expect(throws: ProblemError.self) { _ = try NonlinearSchrodinger<1>(options: options) }
    }
  }

  @Test func descriptionNamesTheDatasets() throws {
    let line = try NonlinearSchrodinger<1>()
    #expect(NonlinearSchrodinger<1>.name == "nlse-1d" && line.points == [320])
    #expect(line.parameterNames.map(\.name) == ["rho", "u", "T"])
    let plane = try NonlinearSchrodinger<2>()
    #expect(NonlinearSchrodinger<2>.name == "nlse-2d" && plane.points == [80, 80])
    #expect(plane.parameterNames.map(\.name) == ["rho", "u1", "u2", "T"])
    #expect(plane.parameterNames.map(\.columns) == [2, 2, 2, 1])
    #expect(plane.attributes.contains { $0.name == "beta" && $0.value == .real(10) })
    #expect(
      plane.fieldAttributes.contains { $0.name == "rho_range" && $0.value == .reals([1, 6]) })
    #expect(
      line.fieldAttributes.contains { $0.name == "rho_range" && $0.value == .reals([10, 40]) })
  }
}
