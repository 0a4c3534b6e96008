import BlockKernels
import KrylovMethods
import OperatorNetworks
import SparseMatrices

/// The residual L U z − A z on probes; as a second term the same of the transposes, Uᵀ Lᵀ z − Aᵀ z.
///
/// Its derivative is δL u + L δU z with u = U z. A window restricts both to leading columns and to some rows of these.
final class ProductResidual: ProbeResidual {
  /// One of the terms.
  private struct Term {
    let first: FactorMap
    let second: FactorMap
    let secondTransposed: FactorMap
    let firstTransposed: FactorMap
    /// F at u and G at z.
    let firstInput: FixedInput
    let secondInput: FixedInput
    let matrix: MatrixMap
  }

  let weights: [Double]
  private let parameters: FactorParameters
  private let terms: [Term]
  private let probes: [Vectors]
  /// The unknowns of this rank.
  private let rows: Range<Int>
  private let residuals: [[Vectors]]
  private let work: Vectors
  private let part: Vectors
  /// The columns that are looked at, and the rows; all if nil.
  private var window: (columns: Range<Int>, rows: Range<Int>)?

  /// Plans the passes.
  ///
  /// Collective over the group.
  ///
  /// - Parameters:
  ///   - ranks: The ranks, with the factors.
  ///   - matrix: A.
  ///   - transposes: Whether the transposes are compared, too.
  ///   - probes: For each shard of the group its probes, of all unknowns.
  /// - Throws: `MPIError`.
  init(
    _ ranks: TrainingRanks, _ matrix: SparseMatrix, transposes: Bool, probes: [Vectors]
  ) throws {
    let factors = ranks.factors
    rows = ranks.rows
    self.probes = probes.map(ranks.ownRows)
    let parameters = FactorParameters(ranks, solves: false)
    self.parameters = parameters
    func map(_ blocks: FactorBlocks, _ isTransposed: Bool) -> FactorMap {
      FactorMap(blocks, isTransposed: isTransposed, parameters)
    }
    func term(_ isTransposed: Bool) throws -> Term {
      let left = isTransposed ? factors.upper : factors.lower
      let right = isTransposed ? factors.lower : factors.upper
      let (first, second) = (map(left, false), map(right, true))
      return Term(
        first: first, second: second, secondTransposed: map(right, false),
        firstTransposed: map(left, true), firstInput: first.input(shards: probes.count),
        secondInput: second.input(shards: probes.count),
        matrix: try MatrixMap(isTransposed ? matrix.transposed : matrix, ranks))
    }
    terms = try transposes ? [term(false), term(true)] : [term(false)]
    let norm = matrix.frobeniusNorm
    let weight = norm > 0 ? 1 / (norm * norm) : 1
    weights = terms.map { _ in weight }
    residuals = probes.indices.map { [count = terms.count] _ in
      (0..<count).map { _ in Vectors(repeating: 0, count: ranks.size) }
    }
    work = Vectors(repeating: 0, count: ranks.size)
    part = Vectors(repeating: 0, count: parameters.own.count)
  }

  var termCount: Int { terms.count }

  func residual(_ slot: Int, _ term: Int) -> Vectors { residuals[slot][term] }

  /// Looks at some rows of the leading columns only, from the next update on.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - columns: The number of columns.
  func restrict(rows: Range<Int>, columns: Int) { window = (0..<columns, rows) }

  func update(_ parameters: Vectors) throws {
    try self.parameters.set(parameters)
    for (index, term) in terms.enumerated() {
      for map in [term.first, term.firstTransposed] { try map.parametersChanged() }
      for input in [term.firstInput, term.secondInput] { try input.parametersChanged() }
      for (slot, z) in probes.enumerated() {
        work.copy(from: z, at: 0, to: 0..<z.count)
        if let window { keep(window.columns, of: work) }
        let residual = residuals[slot][index]
        try term.matrix.multiply(work, into: residual)
        try term.secondInput.set(slot, work)
        try term.firstInput.set(slot, term.secondInput.product(slot))
        VectorKernels.scale(residual, by: -1, in: 0..<z.count)
        VectorKernels.add(
          term.firstInput.product(slot), times: 1, to: residual, in: 0..<z.count)
        if let window { keep(window.rows, of: residual) }
      }
    }
  }

  func setDirection(_ direction: Vectors) throws {
    parameters.setDirection(direction)
    for term in terms {
      try term.first.directionChanged()
      try term.second.directionChanged()
    }
  }

  func differentiate(_ slot: Int, into results: [Vectors]) throws {
    for (index, term) in terms.enumerated() {
      let result = results[index]
      try term.second.differentiate(term.secondInput, slot, into: work)
      try term.first.multiply(work, into: result)
      try term.first.addDerivative(term.firstInput, slot, to: result)
      if let window { keep(window.rows, of: result) }
    }
  }

  func pullBack(_ slot: Int, _ vectors: [Vectors], into gradient: Vectors) throws {
    gradient.fill(0)
    func add(_ input: FixedInput, _ vectors: Vectors) throws {
      try input.gradient(slot, of: vectors, into: part)
      VectorKernels.add(part, times: 1, to: gradient, in: 0..<gradient.count)
    }
    for (index, term) in terms.enumerated() {
      if let window { keep(window.rows, of: vectors[index]) }
      try add(term.firstInput, vectors[index])
      try term.firstTransposed.multiply(vectors[index], into: work)
      try add(term.secondInput, work)
    }
  }

  /// Sets all other unknowns of a block of vectors to zero.
  private func keep(_ wanted: Range<Int>, of vectors: Vectors) {
    let own = wanted.clamped(to: rows)
    let unknowns = own.lowerBound - rows.lowerBound..<own.upperBound - rows.lowerBound
    var span = vectors.mutableSpan
    let width = Probes.width
    VectorKernels.clear(&span, in: 0..<unknowns.lowerBound * width)
    VectorKernels.clear(&span, in: unknowns.upperBound * width..<vectors.count)
  }
}
