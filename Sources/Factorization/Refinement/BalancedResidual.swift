import BlockKernels
import KrylovMethods
import OperatorNetworks

/// The residual F⁻¹ f − G g, where f = C z and g = D⁻¹ z come from exact factors B = C D.
///
/// Of a symmetric matrix, with M = L⁻¹ C and K = M Mᵀ, it is M − M⁻ᵀ, and its square is tr(K) + tr(K⁻¹) − 2 n: the sum of
/// λ + 1/λ − 2 over the eigenvalues of K. So it grows with large and with small eigenvalues alike, as their condition
/// does, not as their squares: a few very large ones don't swamp the others. Near the identity it is half of
/// ‖K − I‖² + ‖K⁻¹ − I‖².
///
/// Neither A nor an exact factor stands in its derivative, −F⁻¹ δF m − δG g with m = F⁻¹ f: a step costs a fraction of one
/// for ‖K − I‖² + ‖K⁻¹ − I‖². Of other matrices a second term is that of the transposed product.
final class BalancedResidual: ProbeResidual {
  /// One of the terms.
  private struct Term {
    let solved: FactorMap
    let multiplied: FactorMap
    /// F at m and G at g.
    let solvedInput: FixedInput
    let multipliedInput: FixedInput
    /// f and g of each shard.
    let solvedProbes: [Vectors]
    let multipliedProbes: [Vectors]
  }

  let weights: [Double]
  private let parameters: FactorParameters
  private let maps: [FactorMap]
  private let terms: [Term]
  private let residuals: [[Vectors]]
  private let work: Vectors
  private let part: Vectors

  /// Plans the passes.
  ///
  /// Collective over the group.
  ///
  /// - Parameters:
  ///   - ranks: The ranks, with the factors.
  ///   - form: What their parameters stand for.
  ///   - solver: The exact factors.
  ///   - probes: For each shard of the group its probes, of all unknowns.
  init(_ ranks: TrainingRanks, form: FactorForm, _ solver: ExactSolver, probes: [Vectors]) {
    let factors = ranks.factors
    let parameters = FactorParameters(ranks, solves: true)
    self.parameters = parameters
    func map(_ blocks: FactorBlocks, _ isTransposed: Bool) -> FactorMap {
      FactorMap(blocks, isTransposed: isTransposed, parameters)
    }
    func changed(_ body: (Vectors) -> Void) -> [Vectors] {
      probes.map {
        let result = Vectors(repeating: 0, count: $0.count)
        result.copy(from: $0, at: 0, to: 0..<result.count)
        body(result)
        return ranks.ownRows(of: result)
      }
    }
    func term(_ isTransposed: Bool) -> Term {
      // L⁻¹ C_L z − U C_U⁻¹ z, or its transpose U⁻ᵀ C_Uᵀ z − Lᵀ C_L⁻ᵀ z.
      let left = map(isTransposed ? factors.upper : factors.lower, false)
      let right = map(isTransposed ? factors.lower : factors.upper, true)
      let product = changed {
        solver.multiply($0, count: Probes.width, isTransposed ? .upper : .lower)
      }
      let quotient = changed {
        solver.divide(
          $0, count: Probes.width, isTransposed ? .lower : .upper, transposed: true)
      }
      // Inverse factors multiply what factors divide.
      let isProduct = form == .product
      let (f, g) = isProduct ? (left, right) : (right, left)
      return Term(
        solved: f, multiplied: g, solvedInput: f.input(shards: probes.count),
        multipliedInput: g.input(shards: probes.count),
        solvedProbes: isProduct ? product : quotient,
        multipliedProbes: isProduct ? quotient : product)
    }
    terms = factors.isSymmetric ? [term(false)] : [term(false), term(true)]
    maps = terms.flatMap { [$0.solved, $0.multiplied] }
    weights = terms.map { [count = terms.count] _ in 1 / Double(count) }
    residuals = probes.indices.map { [count = terms.count] _ in
      (0..<count).map { _ in Vectors(repeating: 0, count: ranks.size) }
    }
    work = Vectors(repeating: 0, count: ranks.size)
    part = Vectors(repeating: 0, count: parameters.own.count)
  }

  var termCount: Int { terms.count }

  func residual(_ slot: Int, _ term: Int) -> Vectors { residuals[slot][term] }

  func update(_ parameters: Vectors) throws {
    try self.parameters.set(parameters)
    for (index, term) in terms.enumerated() {
      try term.solvedInput.parametersChanged()
      try term.multipliedInput.parametersChanged()
      for slot in term.solvedProbes.indices {
        let all = 0..<work.count
        work.copy(from: term.solvedProbes[slot], at: 0, to: all)
        try term.solved.solve(work)
        try term.solvedInput.set(slot, work)
        try term.multipliedInput.set(slot, term.multipliedProbes[slot])
        let residual = residuals[slot][index]
        residual.copy(from: work, at: 0, to: all)
        VectorKernels.add(term.multipliedInput.product(slot), times: -1, to: residual, in: all)
      }
    }
  }

  func setDirection(_ direction: Vectors) throws {
    parameters.setDirection(direction)
    for map in maps { try map.directionChanged() }
  }

  func differentiate(_ slot: Int, into results: [Vectors]) throws {
    for (index, term) in terms.enumerated() {
      let result = results[index]
      try term.solved.differentiate(term.solvedInput, slot, into: result)
      try term.solved.solve(result)
      try term.multiplied.addDerivative(term.multipliedInput, slot, to: result)
      VectorKernels.scale(result, by: -1, in: 0..<result.count)
    }
  }

  func pullBack(_ slot: Int, _ vectors: [Vectors], into gradient: Vectors) throws {
    gradient.fill(0)
    func add(_ input: FixedInput, _ vectors: Vectors) throws {
      try input.gradient(slot, of: vectors, into: part)
      VectorKernels.add(part, times: -1, to: gradient, in: 0..<gradient.count)
    }
    for (index, term) in terms.enumerated() {
      try add(term.multipliedInput, vectors[index])
      try term.solved.solve(vectors[index], transposed: true)
      try add(term.solvedInput, vectors[index])
    }
  }
}
