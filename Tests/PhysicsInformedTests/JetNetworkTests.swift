import BlockKernels
import Testing

@testable import PhysicsInformed

@Suite("Jets of a network")
struct JetNetworkTests {
  /// The residuals of a golden on one shard.
  private struct Problem {
    let equation: any Equation
    let network: JetNetwork
    let parameters: AlignedBuffer<Double>
    let points: [SIMD3<Double>]

    init(_ name: String, _ function: JetFunction) throws {
      equation = try EquationCatalogue.named(name)
      network = try JetNetwork(
        dimension: equation.dimension, width: 5, depth: 2, function: function)
      parameters = AlignedBuffer(repeating: 0, count: network.parameterCount)
      for k in 0..<parameters.count { parameters[k] = 0.7 * sine(1.7 * Double(k) + 0.3) }
      points = (0..<20).map { [equation] index in
        let n = Double(index) + 0.5
        let (a, b) = (n * 0.6180339887498949, n * 0.7548776662466927)
        return equation.point(SIMD3(a - a.rounded(.down), b - b.rounded(.down), 0))
      }
    }

    func evaluate(_ seeds: SeedKind, _ parameters: AlignedBuffer<Double>? = nil)
      -> (ShardResiduals, AlignedBuffer<Double>)
    {
      let shard = ShardResiduals(network, equation, samples: 32, isHard: true)
      shard.pass.load(parameters ?? self.parameters)
      let residuals = AlignedBuffer<Double>(repeating: 1, count: 32)
      let factor = (1 / Double(points.count)).squareRoot()
      shard.evaluate(
        points, from: 0, factor: factor, into: residuals, at: 0, seeds: seeds)
      return (shard, residuals)
    }

    func loss(_ parameters: AlignedBuffer<Double>) -> Double {
      let (_, residuals) = evaluate(.none, parameters)
      return residuals.array().reduce(0) { $0 + $1 * $1 }
    }
  }

  private func difference(_ a: [Double], _ b: [Double]) -> Double {
    let scale = b.map(\.magnitude).max() ?? 0
    return (zip(a, b).map { ($0 - $1).magnitude }.max() ?? 0) / scale
  }

  @Test(
    "loss, gradient and a row of the Jacobian are those of automatic differentiation",
    arguments: JetGolden.all)
  func goldens(_ golden: JetGolden) throws {
    let problem = try Problem(golden.equation, golden.function)
    let (shard, residuals) = problem.evaluate(.residual)
    let loss = residuals.array().reduce(0) { $0 + $1 * $1 }
    #expect(abs(loss - golden.loss) <= 1e-13 * golden.loss)
    #expect(residuals.array()[20...].allSatisfy { $0 == 0 })
    let gradient = AlignedBuffer<Double>(repeating: 0, count: problem.parameters.count)
    shard.pass.addGradient(to: gradient)
    // Sums of some hundred terms that partly cancel.
    #expect(difference(gradient.array().map { 2 * $0 }, golden.gradient) <= 1e-12)

    let (other, _) = problem.evaluate(.unit)
    let jacobian = AlignedBuffer<Double>(repeating: 9, count: problem.parameters.count * 48)
    other.pass.writeJacobian(into: jacobian, rows: 48, from: 16)
    let root = Double(20).squareRoot()
    let row = (0..<problem.parameters.count).map { root * jacobian[$0 * 48 + 16 + 3] }
    #expect(difference(row, golden.row) <= 1e-12)
    #expect(jacobian[15] == 9 && jacobian[16 + 20] == 0)
  }

  @Test("the Gram matrix without the Jacobian is J Jᵀ")
  func gram() throws {
    let problem = try Problem("burgers", .tanh)
    let (shard, _) = problem.evaluate(.unit)
    let count = problem.parameters.count
    let jacobian = AlignedBuffer<Double>(repeating: 0, count: count * 32)
    shard.pass.writeJacobian(into: jacobian, rows: 32, from: 0)
    let factors = shard.pass.factors()
    let gram = AlignedBuffer<Double>(repeating: 0, count: 32 * 32)
    shard.pass.addGram(factors, factors, to: gram)
    let expected = (0..<32 * 32).map { place in
      (0..<count).reduce(0.0) {
        $0 + jacobian[$1 * 32 + place % 32] * jacobian[$1 * 32 + place / 32]
      }
    }
    #expect(difference(gram.array(), expected) <= 1e-13)
  }

  @Test("the Taylor remainder falls with the square of the step", arguments: JetFunction.allCases)
  func taylor(_ function: JetFunction) throws {
    let problem = try Problem("burgers", function)
    let (shard, _) = problem.evaluate(.residual)
    let count = problem.parameters.count
    let gradient = AlignedBuffer<Double>(repeating: 0, count: count)
    shard.pass.addGradient(to: gradient)
    let loss = problem.loss(problem.parameters)
    let slope = (0..<count).reduce(0.0) { $0 + 2 * gradient[$1] * sine(2.3 * Double($1)) }
    let remainders = [1e-2, 1e-3, 1e-4].map { step in
      let moved = AlignedBuffer<Double>(repeating: 0, count: count)
      for k in 0..<count { moved[k] = problem.parameters[k] + step * sine(2.3 * Double(k)) }
      return abs(problem.loss(moved) - loss - step * slope)
    }
    for (large, small) in zip(remainders, remainders.dropFirst()) {
      #expect((80...125).contains(large / small), "\(remainders)")
    }
  }

  @Test("functions whose second derivatives are lost are refused", arguments: ["relu", "elu", "x"])
  func refusals(_ name: String) {
    #expect(throws: (any Error).self) { try JetFunction(named: name) }
  }

  @Test("networks without layers or channels are refused")
  func sizes() {
    for (width, depth) in [(0, 3), (5, 0), (5, 65), (4097, 1)] {
      #expect(throws: (any Error).self) {
        try JetNetwork(dimension: 2, width: width, depth: depth, function: .tanh)
      }
    }
  }
}
