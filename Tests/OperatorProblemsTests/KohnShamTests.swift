import BlockKernels
import Foundation
import Testing

@testable import OperatorProblems

struct KohnShamTests {
  /// -Σ a exp(-|x - c|² / (2σ²)) with the nearest images, on a cell of edge L.
  private func wells(
    _ points: [Int], _ length: Double, _ depths: [Double], _ centres: [[Double]], _ sigma: Double
  ) -> [Double] {
    func image(_ i: Int, _ count: Int, _ centre: Double) -> Double {
      (-1...1).reduce(0) { sum, j in
        let x = Double(i) * length / Double(count) - centre - Double(j) * length
        return sum + exp(-x * x / (2 * sigma * sigma))
      }
    }
    let columns = points.last ?? 1
    return (0..<points.reduce(1, *)).map { k in
      zip(depths, centres).reduce(0) { sum, well in
        var value = -well.0 * image(k % columns, columns, well.1.last ?? 0)
        if points.count == 2 { value *= image(k / columns, points[0], well.1[0]) }
        return sum + value
      }
    }
  }

  @Test func lineHasTheGoldenValues() throws {
    var problem = try KohnSham<1>()
    let density = try problem.solve(wells([320], 80, [0.9, 1.1], [[20], [50]], 2))
    // The golden values have 9 decimals.
    for (value, golden) in zip(problem.eigenvalues, [-0.861394004, -0.686429708, -0.437492513]) {
      #expect(abs(value - golden) < 6e-10)
    }
    #expect(abs(density[80] - 0.357648327) < 6e-10)
    #expect(abs(density[200] - 0.379349109) < 6e-10)
    // More of them, from Tests/Peers/wave_problems_oracle.py.
    let levels = [-0.8613940042253692, -0.6864297083235568, -0.4374925128632895]
    #expect(largestDifference(problem.eigenvalues, levels) < 1e-11)
    #expect(abs(density[80] - 0.3576483275146938) < 1e-10)
    #expect(abs(density.reduce(0, +) * 0.25 - 2) < 1e-12)
    print("golden line: \(problem.steps) steps")
  }

  @Test func planeHasTheGoldenValues() throws {
    var problem = try KohnSham<2>()
    let v = wells([64, 64], 16, [0.9, 1.1], [[4, 5], [11, 12]], 1)
    let density = try problem.solve(v)
    // By ARPACK with a tolerance of 1e-13, in Tests/Peers/wave_problems_oracle.py.
    let levels = [-0.3150625708825548, -0.2159415675336619, 0.0350551566950962]
    #expect(largestDifference(problem.eigenvalues, levels) < 1e-11)
    let golden = [
      16 * 64 + 20: 0.1641569341869118, 44 * 64 + 48: 0.1977833810752166,
      30 * 64 + 34: 0.0002678631586836793, 0: 2.936929493820544e-05,
    ]
    for (i, value) in golden { #expect(abs(density[i] - value) < 1e-11, "rho[\(i)]") }
    #expect(abs(density.reduce(0, +) / 16 - 2) < 1e-12)
    print("golden plane: \(problem.steps) steps")
  }

  /// A law that fits into any cell.
  private var anyLaw: PeriodicWells {
    PeriodicWells(
      wells: 1, amplitude: 1...1, shape: .deviation(1...1), gap: 0, placement: .apart)
  }

  /// The levels of free electrons, ascending, with k up to half of the points.
  private func freeLevels(_ points: [Int], _ length: Double) -> [Double] {
    func kinetic(_ n: Int) -> [Double] {
      (0..<n).map {
        let k = 2 * .pi / length * Double(min($0, n - $0))
        return k * k / 2
      }
    }
    return points.reduce([0.0]) { sums, n in
      sums.flatMap { sum in kinetic(n).map { sum + $0 } }
    }.sorted()
  }

  @Test(arguments: [1, 2, 3, 5, 6])
  func freeElectronsArePlaneWaves(electrons: Int) throws {
    for points in [200, 30, 31] {
      var line = try KohnSham<1>(
        options: .init(points: [points], length: 10, wells: anyLaw, electrons: electrons))
      let density = try line.solve([Double](repeating: -2, count: points))
      // Levels at the cut are filled evenly, hence the density is uniform for any number.
      #expect(density.allSatisfy { abs($0 - Double(electrons) / 10) < 1e-10 })
      let expected = freeLevels([points], 10).map { $0 - 2 }
      #expect(largestDifference(line.eigenvalues, expected) < 1e-10)
    }
    var plane = try KohnSham<2>(
      options: .init(points: [16, 16], length: 8, wells: anyLaw, electrons: electrons))
    let density = try plane.solve([Double](repeating: 1, count: 256))
    #expect(density.allSatisfy { abs($0 - Double(electrons) / 64) < 1e-10 })
    #expect(
      largestDifference(plane.eigenvalues, freeLevels([16, 16], 8).map { $0 + 1 }) < 1e-10)
  }

  /// The density of levels of the plane oscillator, which depends on r = ω |x|² only, over ω / π.
  private func shells(_ r: Double, _ filled: [Double]) -> Double {
    var sum = filled[0]
    sum += filled[1] * (2 * r)
    sum += filled[2] * (1 - 2 * r + 2 * r * r)
    return sum * exp(-r)
  }

  @Test func harmonicWellsHaveHermiteLevels() throws {
    // ½ ω² x² in a cell of twelve oscillator lengths to each side: the ends do not matter.
    let omega = 0.5
    let edge = 24 / omega.squareRoot()
    var line = try KohnSham<1>(
      options: .init(points: [160], length: edge, electrons: 5))
    let x = (0..<160).map { Double($0) * edge / 160 - edge / 2 }
    let density = try line.solve(x.map { omega * omega * $0 * $0 / 2 })
    let levels = (0...5).map { omega * (Double($0) + 0.5) }
    #expect(largestDifference(line.eigenvalues, levels) < 1e-11)
    // Hermite functions by their recursion.
    let exact = x.map { x in
      let z = omega.squareRoot() * x
      var (before, now) = (0.0, pow(omega / .pi, 0.25) * exp(-z * z / 2))
      var sum = 0.0
      for n in 0..<5 {
        sum += now * now
        let next =
          (2 / Double(n + 1)).squareRoot() * z * now
          - (Double(n) / Double(n + 1)).squareRoot() * before
        (before, now) = (now, next)
      }
      return sum
    }
    #expect(largestDifference(density, exact) < 1e-10)

    // In the plane level n has n + 1 states; three electrons fill two levels, four share the third one.
    let points = 40
    let side = 16 / omega.squareRoot()
    let cases: [(Int, [Double])] = [(3, [1, 1, 0]), (4, [1, 1, 1.0 / 3]), (2, [1, 0.5, 0])]
    for (electrons, filled) in cases {
      var plane = try KohnSham<2>(
        options: .init(points: [points, points], length: side, electrons: electrons))
      let axis = (0..<points).map { Double($0) * side / Double(points) - side / 2 }
      let v = axis.flatMap { x in axis.map { omega * omega * (x * x + $0 * $0) / 2 } }
      let density = try plane.solve(v)
      let expected = [1.0, 2, 2, 3, 3, 3].map { omega * $0 }
      #expect(largestDifference(plane.eigenvalues, expected) < 1e-9)
      var exact: [Double] = []
      for x in axis {
        for y in axis { exact.append(shells(omega * (x * x + y * y), filled) * omega / .pi) }
      }
      #expect(largestDifference(density, exact) < 1e-8)
    }
  }

  @Test func densityOfAShiftedPotentialIsShifted() throws {
    var line = try KohnSham<1>()
    let v = line.sample(seed: 5, index: 0).input
    let density = try line.solve(v)
    let eigenvalues = line.eigenvalues
    let turned = try line.solve(Array(v[100...] + v[..<100]))
    // Residuals over a gap of 0.1 or more.
    #expect(largestDifference(turned, Array(density[100...] + density[..<100])) < 1e-9)
    let raised = try line.solve(v.map { $0 + 7 })
    #expect(largestDifference(raised, density) < 1e-9)
    #expect(largestDifference(line.eigenvalues, eigenvalues.map { $0 + 7 }) < 1e-10)
  }

  @Test func repeatedSolvesGiveTheSameBits() throws {
    var problem = try KohnSham<2>(options: .init(points: [20, 24]))
    var other = try KohnSham<2>(options: .init(points: [20, 24]))
    let first = problem.sample(seed: 1, index: 0).input
    let expected = try other.solve(first)
    _ = try problem.solve([Double](repeating: 0, count: 480))
    #expect(try problem.solve(first) == expected)
    #expect(problem.eigenvalues == other.eigenvalues)
  }

  @Test func inadmissibleInputsAndOptionsAreErrors() throws {
    var problem = try KohnSham<1>(options: .init(points: [5]))
    for bad in [Double.nan, .infinity, -1e13] {
      let error = #expect(throws: ProblemError.self) { try problem.solve([0, 0, bad, 0, 0]) }
      guard case .inadmissibleInput(point: 2, _, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(abs(try problem.solve([1, 2, 3, 4, 5]).reduce(0, +) * 16 - 2) < 1e-12)
    for options in [
      KohnSham<1>.Options(points: [1]), .init(points: [8, 8]), .init(points: [8], electrons: 8),
      .init(electrons: 0), .init(length: 0), .init(length: .nan), .init(points: [1 << 23]),
    ] {
      #expect(throws: ProblemError.self) { _ = try KohnSham<1>(options: options) }
    }
  }

  @Test func descriptionNamesTheDatasets() throws {
    let line = try KohnSham<1>()
    #expect(KohnSham<1>.name == "kohn-sham-1d" && line.points == [320])
    #expect(line.parameterNames.map(\.name) == ["a", "c", "sigma"])
    let plane = try KohnSham<2>()
    #expect(KohnSham<2>.name == "kohn-sham-2d" && plane.points == [64, 64])
    #expect(plane.parameterNames.map(\.name) == ["a", "c1", "c2", "sigma"])
    #expect(plane.attributes.contains { $0.name == "length" && $0.value == .real(16) })
    #expect(line.attributes.contains { $0.name == "electrons" && $0.value == .integer(2) })
  }
}
