import BlockKernels
import KrylovMethods
import OperatorNetworks

/// The residuals of a preconditioned matrix on probes: P = F⁻¹ B G⁻¹ − I and Q = G B⁻¹ F − I.
///
/// Of factors L and U, F = L, B = A and G = U: P is K − I and Q is K⁻¹ − I for K = L⁻¹ A U⁻¹. Of inverse factors F = W_U,
/// B = A⁻¹ and G = W_L: Q is K − I and P is K⁻¹ − I for K = W_L A W_U.
///
/// With probes z: y = G⁻¹ z, q = F⁻¹ B y; s = F z, t = B⁻¹ s. For a direction δ of the parameters
///
/// - d(P z) = −F⁻¹ (δF q + B G⁻¹ δG y),
/// - d(Q z) = δG t + G B⁻¹ δF z.
///
/// Products with δF and δG are passes of tangent networks, their adjoints are gradients of the networks with the fixed
/// inputs q, y, z and t.
final class PreconditionedResidual: ProbeResidual {
  let weights: [Double]
  private let parameters: FactorParameters
  private let first: FactorMap
  private let firstTransposed: FactorMap
  private let second: FactorMap
  private let secondTransposed: FactorMap
  private let system: SystemMap
  private let probes: [Vectors]
  /// F at q and at z, G at y and at t; nil if the residual is not wanted.
  private let solved: (first: FixedInput, second: FixedInput)?
  private let multiplied: (first: FixedInput, second: FixedInput)?
  /// The terms of P and of Q.
  private let solvedTerm: Int
  private let multipliedTerm: Int
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
  ///   - losses: Whether K − I and K⁻¹ − I are wanted, in this order of the terms.
  ///   - system: A, or A⁻¹ of inverse factors.
  ///   - probes: For each shard of the group its probes, of all unknowns.
  init(
    _ ranks: TrainingRanks, form: FactorForm, losses: (direct: Bool, inverse: Bool),
    _ system: SystemMap, probes: [Vectors]
  ) {
    let factors = ranks.factors
    self.system = system
    self.probes = probes.map(ranks.ownRows)
    let hasSolved = form == .product ? losses.direct : losses.inverse
    let hasMultiplied = form == .product ? losses.inverse : losses.direct
    let parameters = FactorParameters(ranks, solves: hasSolved)
    self.parameters = parameters
    func map(_ blocks: FactorBlocks, _ isTransposed: Bool) -> FactorMap {
      FactorMap(blocks, isTransposed: isTransposed, parameters)
    }
    let (lower, upper) = (map(factors.lower, false), map(factors.upper, true))
    let (lowerT, upperT) = (map(factors.lower, true), map(factors.upper, false))
    let (first, second) = form == .product ? (lower, upper) : (upper, lower)
    (self.first, self.second) = (first, second)
    (firstTransposed, secondTransposed) = form == .product ? (lowerT, upperT) : (upperT, lowerT)
    func inputs() -> (first: FixedInput, second: FixedInput) {
      (first.input(shards: probes.count), second.input(shards: probes.count))
    }
    solved = hasSolved ? inputs() : nil
    multiplied = hasMultiplied ? inputs() : nil
    let both = losses.direct && losses.inverse
    solvedTerm = both && form == .inverse ? 1 : 0
    multipliedTerm = both && form == .product ? 1 : 0
    weights = both ? [1, 1] : [1]
    residuals = probes.indices.map { _ in
      (0..<(both ? 2 : 1)).map { _ in Vectors(repeating: 0, count: ranks.size) }
    }
    work = Vectors(repeating: 0, count: ranks.size)
    part = Vectors(repeating: 0, count: parameters.own.count)
  }

  var termCount: Int { weights.count }

  func residual(_ slot: Int, _ term: Int) -> Vectors { residuals[slot][term] }

  func update(_ parameters: Vectors) throws {
    try self.parameters.set(parameters)
    for map in [second, secondTransposed] { try map.parametersChanged() }
    for inputs in [solved, multiplied] {
      try inputs?.first.parametersChanged()
      try inputs?.second.parametersChanged()
    }
    for (slot, z) in probes.enumerated() {
      let all = 0..<z.count
      if let solved {
        work.copy(from: z, at: 0, to: all)
        try second.solve(work)
        try solved.second.set(slot, work)
        try system.apply(work)
        try first.solve(work)
        try solved.first.set(slot, work)
        let residual = residuals[slot][solvedTerm]
        residual.copy(from: work, at: 0, to: all)
        VectorKernels.add(z, times: -1, to: residual, in: all)
      }
      if let multiplied {
        try multiplied.first.set(slot, z)
        work.copy(from: multiplied.first.product(slot), at: 0, to: all)
        try system.apply(inverted: true, work)
        try multiplied.second.set(slot, work)
        let residual = residuals[slot][multipliedTerm]
        residual.copy(from: multiplied.second.product(slot), at: 0, to: all)
        VectorKernels.add(z, times: -1, to: residual, in: all)
      }
    }
  }

  func setDirection(_ direction: Vectors) throws {
    parameters.setDirection(direction)
    try first.directionChanged()
    try second.directionChanged()
  }

  func differentiate(_ slot: Int, into results: [Vectors]) throws {
    if let solved {
      let result = results[solvedTerm]
      try second.differentiate(solved.second, slot, into: result)
      try second.solve(result)
      try system.apply(result)
      try first.addDerivative(solved.first, slot, to: result)
      try first.solve(result)
      VectorKernels.scale(result, by: -1, in: 0..<result.count)
    }
    if let multiplied {
      let result = results[multipliedTerm]
      try first.differentiate(multiplied.first, slot, into: work)
      try system.apply(inverted: true, work)
      try second.multiply(work, into: result)
      try second.addDerivative(multiplied.second, slot, to: result)
    }
  }

  func pullBack(_ slot: Int, _ vectors: [Vectors], into gradient: Vectors) throws {
    gradient.fill(0)
    func add(_ input: FixedInput, _ vectors: Vectors, times factor: Double) throws {
      try input.gradient(slot, of: vectors, into: part)
      VectorKernels.add(part, times: factor, to: gradient, in: 0..<gradient.count)
    }
    if let solved {
      let v = vectors[solvedTerm]
      try first.solve(v, transposed: true)
      try add(solved.first, v, times: -1)
      try system.apply(transposed: true, v)
      try second.solve(v, transposed: true)
      try add(solved.second, v, times: -1)
    }
    if let multiplied {
      let v = vectors[multipliedTerm]
      try add(multiplied.second, v, times: 1)
      try secondTransposed.multiply(v, into: work)
      try system.apply(inverted: true, transposed: true, work)
      try add(multiplied.first, work, times: 1)
    }
  }
}
