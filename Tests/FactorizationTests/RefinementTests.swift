import BlockKernels
import Foundation
import OperatorNetworks
import SparseMatrices
import Testing

@testable import Factorization

@Suite("Refinement of factors")
struct RefinementTests {
  /// The columns of the identity, or random probes.
  private func probes(_ n: Int, _ count: Int) -> AlignedBuffer<Double> {
    let result = AlignedBuffer<Double>(repeating: 0, count: n * count)
    guard count < n else {
      for place in 0..<n { result[place * count + place] = 1 }
      return result
    }
    let values = FactorProblem.Built.normal(n * count, 9)
    for place in values.indices { result[place] = values[place] / Double(count).squareRoot() }
    return result
  }

  private func residual(
    _ built: FactorProblem.Built, probes count: Int
  ) throws -> FactorResidual {
    try FactorResidual(
      built.factors, built.parameters, built.matrix, try ExactSolver(built.exact),
      probes: probes(built.matrix.rowCount, count), count: count)
  }

  @Test(
    "derivatives are central differences, and their adjoints are adjoint",
    arguments: [
      FactorProblem(.laplacian2D, [8, 8], z: true, .strong, levels: 2, r: 2),
      FactorProblem(.biharmonic2D, [8, 8], .weak, levels: 3, r: 2),
      FactorProblem(.convectionDiffusion2D, [8, 8], z: true, .strong, levels: 2, r: 1),
      FactorProblem(.convectionDiffusion2D, [8, 8], .weak, levels: 2, r: 2),
    ])
  func derivatives(problem: FactorProblem) throws {
    let built = try problem.build()
    try built.truncate()
    let count = built.parameters.count
    let residual = try residual(built, probes: 16)
    let direction = AlignedBuffer<Double>(repeating: 0, count: count)
    let values = FactorProblem.Built.normal(count, 3)
    for place in values.indices { direction[place] = values[place] }
    let slope = residual.derivative(direction)
    let h = 1e-5
    func moved(_ step: Double) throws -> (
      direct: AlignedBuffer<Double>, inverse: AlignedBuffer<Double>
    ) {
      let other = built.parameters.scaled(1)
      other.add(direction, times: step)
      try residual.update(other)
      return (residual.residuals.direct.scaled(1), residual.residuals.inverse.scaled(1))
    }
    let (ahead, behind) = (try moved(h), try moved(-h))
    for (found, (a, b)) in [
      (slope.direct, (ahead.direct, behind.direct)),
      (slope.inverse, (ahead.inverse, behind.inverse)),
    ] {
      let size = found.dot(found).squareRoot()
      a.add(b, times: -1)
      let difference = a.scaled(1 / (2 * h))
      difference.add(found, times: -1)
      #expect(size > 0 && difference.dot(difference).squareRoot() < 1e-6 * size)
    }
    try residual.update(built.parameters)
    let v = probes(built.matrix.rowCount, 16)
    let w = v.scaled(-0.5)
    let adjoint = residual.adjoint((v, w))
    let left = v.dot(slope.direct) + w.dot(slope.inverse)
    let scale = v.dot(v).squareRoot() * slope.direct.dot(slope.direct).squareRoot()
    #expect(abs(left - adjoint.dot(direction)) < 1e-11 * scale)
  }

  @Test("training makes a factor a better preconditioner than its best classical start")
  func learns() throws {
    // Plain and scaled classical starts need 13 iterations; the bar of a prototype is 11.
    let problem = FactorProblem(.biharmonic2D, [16, 16], z: true, .strong, levels: 3, r: 0)
    let built = try problem.build()
    try built.truncate()
    let classical = try built.iterations()
    let residual = try residual(built, probes: 256)
    var method = GaussNewton()
    method.steps = 3
    method.innerIterations = 40
    var losses = [residual.squares.direct + residual.squares.inverse]
    try method.run(
      built.parameters, residual, isFree: [Bool](repeating: true, count: built.parameters.count)
    ) { losses.append($0.squares.direct + $0.squares.inverse) }
    #expect(losses.count > 1 && losses == losses.sorted(by: >))
    let learned = try built.iterations()
    #expect(learned <= 11 && learned < classical, "\(classical) → \(learned)")
  }
}
