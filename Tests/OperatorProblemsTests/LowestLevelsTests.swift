import BlockKernels
import Foundation
import Testing

@testable import OperatorProblems

struct LowestLevelsTests {
  @Test(arguments: [(1, 1), (2, 2), (3, 3), (8, 8), (2, 5), (6, 1)])
  func blocksFindTheLevelsOfTheDenseMatrix(wells: Int, electrons: Int) throws {
    var options = KohnSham<1>.Options(points: [200], electrons: electrons)
    options.wells.gap = 4
    options.wells.wells = wells
    let problem = try KohnSham<1>(options: options)
    var hamiltonian = try SpectralHamiltonian(points: [200], period: 80)
    let blocks = LowestLevels(count: 200, wanted: electrons + 1)
    var most = 0
    for index in 0..<12 {
      let v = potential(problem, index)
      hamiltonian.take(v.span)
      let levels = try #require(try blocks.find(of: hamiltonian) { _ in 1e-11 })
      most = max(most, levels.steps)
      let dense = try denseLevels(v, 80, electrons + 1)
      for j in 0...electrons {
        #expect(abs(levels.values[j] + hamiltonian.middle - dense.values[j]) < 1e-11)
      }
      // The space of the lowest vectors: residuals of 1e-11 matter over the gap.
      let gap = dense.values[electrons] - dense.values[electrons - 1]
      for i in 0..<200 {
        var difference = 0.0
        for j in 0..<electrons {
          let (a, b) = (levels.vectors[j * 200 + i], dense.vectors[j * 200 + i])
          difference += a * a - b * b
        }
        #expect(abs(difference) < 1e-11 + 1e-10 / gap)
      }
    }
    print("\(wells) wells, \(electrons) electrons: at most \(most) steps")
  }

  private func potential(_ problem: borrowing KohnSham<1>, _ index: Int) -> [Double] {
    let count = problem.pointCount
    var v = [Double](repeating: 0, count: count)
    var numbers = [Double](repeating: 0, count: problem.parameterCount)
    var field = v.mutableSpan
    var parameters = numbers.mutableSpan
    problem.field.sample(seed: 2, index: index, field: &field, parameters: &parameters)
    return v
  }

  /// The levels of -½Δ + V by a matrix whose Laplacian is a sum of cosines.
  private func denseLevels(
    _ v: [Double], _ length: Double, _ wanted: Int
  ) throws -> SymmetricEigenvalues {
    let n = v.count
    let kinetic = (0..<n).map { distance in
      (0..<n).reduce(0.0) { sum, j in
        let k = 2 * Double.pi / length * Double(min(j, n - j))
        let phase = Double(j * distance % n) / Double(n)
        return sum + k * k / 2 * cos(2 * Double.pi * phase) / Double(n)
      }
    }
    var matrix = [Double](repeating: 0, count: n * n)
    for j in 0..<n {
      for i in 0..<n { matrix[j * n + i] = kinetic[abs(i - j)] + (i == j ? v[i] : 0) }
    }
    let eigen = SymmetricEigenvalues(capacity: n, count: wanted)
    var span = matrix.mutableSpan
    try eigen.find(of: &span, order: n, leading: n, wanted: wanted)
    return eigen
  }

  @Test func symmetricPotentialsLoseNoLevel() throws {
    // Equal wells on a lattice: each level has the multiplicity of a symmetry.
    // Any function of the distance to the next well will do.
    let v = (0..<320).map { -exp(-pow(Double($0 % 80) / 4 - 10, 2) / 8) }
    let dense = try denseLevels(v, 80, 6)
    for electrons in 1...5 {
      var problem = try KohnSham<1>(options: .init(electrons: electrons))
      let density = try problem.solve(v)
      for j in 0...electrons { #expect(abs(problem.eigenvalues[j] - dense.values[j]) < 1e-11) }
      // The state of the potential's period is symmetric, as all sums over whole levels are.
      if electrons == 1 || electrons == 4 {
        #expect(largestDifference(density, Array(density[80...] + density[..<80])) < 1e-9)
      }
    }
    var blocks = try SpectralHamiltonian(points: [320], period: 80)
    blocks.take(v.span)
    for wanted in 1...6 {
      let levels = try #require(
        try LowestLevels(count: 320, wanted: wanted).find(of: blocks) { _ in 1e-11 })
      for j in 0..<wanted {
        #expect(abs(levels.values[j] + blocks.middle - dense.values[j]) < 1e-11)
      }
    }
  }
}
