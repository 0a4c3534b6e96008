import ClusterTrees
import Foundation
import OperatorProblems
import Testing

struct NBodyTests {
  /// One potential by the definition.
  private func direct(_ q: [Double], _ x: PointSet, _ y: PointSet, _ j: Int) -> Double {
    let d = x.dimension
    return (0..<x.count).reduce(0) { sum, i in
      let squares = (0..<d).map { axis in
        pow(x.coordinates[i * d + axis] - y.coordinates[j * d + axis], 2)
      }
      let distance = squares.reduce(0, +).squareRoot()
      return distance == 0 ? sum : sum + q[i] / distance / Double(x.count)
    }
  }

  private func expectDirectSums(
    _ options: NBody.Options, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var problem = try NBody(options: options)
    let q = problem.sample(seed: 5, index: 1).input
    let u = try problem.solve(q)
    let receivers = options.receivers ?? options.sources
    // Relative to the sum of magnitudes: 8 partial sums and distances of three roundings.
    let magnitudes = q.map { abs($0) }
    for j in 0..<receivers.count {
      let scale = direct(magnitudes, options.sources, receivers, j)
      let difference = abs(u[j] - direct(q, options.sources, receivers, j))
      #expect(difference <= 1e-14 * scale, sourceLocation: sourceLocation)
    }
    #expect(u.count == receivers.count, sourceLocation: sourceLocation)
  }

  @Test(arguments: [1, 2, 3], [1, 7, 8, 100])
  func potentialsMatchTheDefinition(dimension: Int, count: Int) throws {
    let cloud = try NBody.cloud(count: count, dimension: dimension, seed: 2, role: .sources)
    try expectDirectSums(.init(sources: cloud))
    for receivers in [1, 33] {
      let other = try NBody.cloud(
        count: receivers, dimension: dimension, seed: 2, role: .receivers)
      #expect(other.coordinates.first != cloud.coordinates.first)
      try expectDirectSums(.init(sources: cloud, receivers: other, charges: .positive))
    }
    try expectDirectSums(
      .init(sources: .grid([Int](repeating: 5, count: dimension)), charges: .uniform))
  }

  @Test func twoChargesSeeEachOther() throws {
    let points = try PointSet(coordinates: [0, 0, 0.3, 0.4], dimension: 2)
    var problem = try NBody(options: .init(sources: points))
    // 1/2 · q / 0.5, and nothing from a charge on itself.
    #expect(try problem.solve([3, 0]) == [0, 6 * 0.5])
    let same = try PointSet(coordinates: [0.3, 0.4, 0.3, 0.4], dimension: 2)
    var other = try NBody(options: .init(sources: same))
    #expect(try other.solve([3, 5]) == [0, 0])
  }

  @Test func cloudsDependOnTheirSeedAndRole() throws {
    let long = try NBody.cloud(count: 500, dimension: 3, seed: 4, role: .sources)
    let short = try NBody.cloud(count: 20, dimension: 3, seed: 4, role: .sources)
    #expect(Array(long.coordinates.prefix(60)) == short.coordinates)
    #expect(try NBody.cloud(count: 20, dimension: 3, seed: 5, role: .sources) != short)
    #expect(try NBody.cloud(count: 20, dimension: 3, seed: 4, role: .receivers) != short)
    #expect(long.coordinates.allSatisfy { $0 >= 0 && $0 < 1 })
    // The deviation of a mean of 1500 uniform numbers is 0.0075: 4 of them are allowed.
    #expect(abs(long.coordinates.reduce(0, +) / 1500 - 0.5) < 0.03)
  }

  @Test(arguments: [
    (NBody.Charges.normal, 0.0, 1.0, 3.0), (.uniform, 0, 1.0 / 3, 0.2),
    (.positive, 0.5, 1.0 / 3, 0.2),
  ])
  func chargesHaveTheirMoments(
    charges: NBody.Charges, first: Double, second: Double, fourth: Double
  ) throws {
    let cloud = try NBody.cloud(count: 1000, dimension: 1, seed: 1, role: .sources)
    var problem = try NBody(options: .init(sources: cloud, charges: charges))
    let q = (0..<100).flatMap { problem.sample(seed: 8, index: $0).input }
    func moment(_ power: Double) -> Double { q.reduce(0) { $0 + pow($1, power) } / Double(q.count) }
    // Deviations of means of 1e5 numbers: 1, √2 and √96 over 316 at most; 4 of them are allowed.
    #expect(abs(moment(1) - first) < 0.013)
    #expect(abs(moment(2) - second) < 0.018)
    #expect(abs(moment(4) - fourth) < 0.13)
    #expect(Set(q).count > 99_990)
  }

  @Test func samplesDependOnSeedAndIndexOnly() throws {
    let cloud = try NBody.cloud(count: 30, dimension: 2, seed: 1, role: .sources)
    var problem = try NBody(options: .init(sources: cloud))
    var other = try NBody(options: .init(sources: cloud))
    let forward = (0..<4).map { problem.sample(seed: 1, index: $0).input }
    for index in (0..<4).reversed() {
      #expect(other.sample(seed: 1, index: index).input == forward[index])
      #expect(other.sample(seed: 2, index: index).input != forward[index])
    }
    let expected = try other.solve(forward[0])
    _ = try problem.solve(forward[1])
    #expect(try problem.solve(forward[0]) == expected)
  }

  @Test func inadmissibleInputsAndOptionsAreErrors() throws {
    let plane = try NBody.cloud(count: 3, dimension: 2, seed: 1, role: .sources)
    let space = try NBody.cloud(count: 3, dimension: 3, seed: 1, role: .receivers)
    #expect(throws: ProblemError.self) {
      _ = try NBody(options: .init(sources: plane, receivers: space))
    }
    #expect(throws: ProblemError.self) {
      _ = try NBody.cloud(count: 0, dimension: 2, seed: 1, role: .sources)
    }
    #expect(throws: ProblemError.self) {
      _ = try NBody.cloud(count: 2, dimension: 4, seed: 1, role: .sources)
    }
    var problem = try NBody(options: .init(sources: plane))
    for bad in [Double.nan, .infinity] {
      #expect(throws: ProblemError.self) { try problem.solve([0, bad, 1]) }
    }
  }

  @Test func descriptionNamesPointsAndShapes() throws {
    let cloud = try NBody.cloud(count: 6, dimension: 2, seed: 1, role: .sources)
    let problem = try NBody(options: .init(sources: cloud))
    #expect(NBody.name == "n-body" && problem.points == [6] && problem.outputShape == [6])
    #expect(problem.cloud == cloud && problem.outputCloud == nil)
    let grid = try NBody(options: .init(sources: .grid([2, 3]), receivers: cloud))
    #expect(grid.points == [2, 3] && grid.outputShape == [6] && grid.cloud == nil)
    #expect(grid.outputCloud == cloud && grid.parameterCount == 0)
  }
}
