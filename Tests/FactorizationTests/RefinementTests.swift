import AllocationCounter
import BlockKernels
import Foundation
import OperatorNetworks
import Optimization
import SparseMatrices
import Testing

@testable import Factorization

/// A loss of factors, as tests differentiate it.
enum ResidualCase: String, CaseIterable, CustomTestStringConvertible {
  case factors, inverseFactors, direct, inverse, balanced, balancedInverseFactors, product

  var testDescription: String { rawValue }
  var form: FactorForm {
    self == .inverseFactors || self == .balancedInverseFactors ? .inverse : .product
  }

  /// Makes the residual of one shard.
  func residual(
    _ built: FactorProblem.Built, probes: AlignedBuffer<Double>, on other: TrainingRanks? = nil
  ) throws -> any ProbeResidual {
    let solver = try ExactSolver(built.exact)
    let ranks = other ?? TrainingRanks(alone: built.factors, shards: 1)
    switch self {
    case .balanced, .balancedInverseFactors:
      return BalancedResidual(ranks, form: form, solver, probes: [probes])
    case .product:
      return try ProductResidual(ranks, built.matrix, transposes: true, probes: [probes])
    default:
      let system = try SystemMap(built.matrix, solver, isInverse: form == .inverse, ranks)
      return PreconditionedResidual(
        ranks, form: form, losses: (self != .inverse, self != .direct), system, probes: [probes])
    }
  }
}

@Suite("Refinement of factors")
struct RefinementTests {
  typealias Vectors = AlignedBuffer<Double>

  fileprivate static let problems = [
    FactorProblem(.biharmonic2D, [8, 8], .weak, levels: 3, r: 2),
    FactorProblem(.convectionDiffusion2D, [8, 8], z: true, .strong, levels: 2, r: 1),
  ]

  private func vectors(_ values: [Double]) -> Vectors {
    let result = Vectors(repeating: 0, count: values.count)
    for place in values.indices { result[place] = values[place] }
    return result
  }

  private func copy(_ other: Vectors) -> Vectors { vectors(other.array()) }

  /// A problem with parameters that inverse factors have, too: near those of a truncated factor, or its dense inverse.
  fileprivate func build(_ problem: FactorProblem, _ form: FactorForm) throws -> FactorProblem.Built
  {
    let built = try problem.build()
    if form == .product {
      try built.truncate(isScaled: true)
    } else {
      let values = FactorProblem.Built.normal(built.parameters.count, 4)
      for place in values.indices { built.parameters[place] = 0.1 * values[place] }
      for blocks in [built.factors.lower, built.factors.upper] {
        var span = built.parameters.mutableSpan
        for leaf in 0..<built.exact.lower.structure.leafCount {
          let size = built.exact.lower.structure.size(leaf)
          blocks.diagonal.set(leaf, 0, DenseMatrix.identity(size), &span)
        }
      }
    }
    return built
  }

  @Test(
    "residuals have the squares that dense matrices give",
    arguments: problems, ResidualCase.allCases)
  func values(problem: FactorProblem, kind: ResidualCase) throws {
    let built = try build(problem, kind.form)
    let n = built.matrix.rowCount
    let values = FactorProblem.Built.normal(n * 16, 7)
    let residual = try kind.residual(built, probes: vectors(values))
    try residual.update(built.parameters)
    let probes = DenseMatrix(
      rows: n, columns: 16,
      elements: (0..<16).flatMap { c in (0..<n).map { values[$0 * 16 + c] } })
    let a = try built.matrix.dense()
    let lower = DenseFactor(blocks: built.factors.lower, parameters: built.parameters).matrix
    let upper = DenseFactor(blocks: built.factors.upper, parameters: built.parameters).matrix
      .transposed
    let k =
      kind.form == .product
      ? try lower.inverse().times(a).times(upper.inverse()) : lower.times(a).times(upper)
    func square(_ matrix: DenseMatrix, _ other: DenseMatrix) -> Double {
      let (x, y) = (matrix.times(probes), other.times(probes))
      return zip(x.elements, y.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    let identity = DenseMatrix.identity(n)
    let expected: [Double]
    switch kind {
    case .factors, .inverseFactors:
      expected = [square(k, identity), square(try k.inverse(), identity)]
    case .direct: expected = [square(k, identity)]
    case .inverse: expected = [square(try k.inverse(), identity)]
    case .product:
      expected = [
        square(lower.times(upper), a), square(lower.times(upper).transposed, a.transposed),
      ]
    case .balanced, .balancedInverseFactors:
      // M = L⁻¹ C and N = D U⁻¹ with A = C D: M − N⁻¹, and its counterpart of the transposes.
      var c = DenseMatrix(rows: n, columns: n)
      let starts = built.exact.lower.structure.starts
      func add(_ row: Int, _ column: Int, _ block: DenseMatrix) {
        for j in 0..<block.columns {
          for i in 0..<block.rows { c[starts[row] + i, starts[column] + j] = block[i, j] }
        }
      }
      for leaf in 0..<built.exact.lower.structure.leafCount {
        add(leaf, leaf, built.exact.lower.diagonal(leaf))
      }
      built.exact.lower.visit(add)
      let d = try c.inverse().times(a)
      let (m, inverseN) =
        kind.form == .product
        ? (try lower.inverse().times(c), try upper.times(d.inverse()))
        : (lower.times(c), try upper.inverse().times(d.inverse()))
      expected =
        [square(m, inverseN)]
        + (built.factors.isSymmetric
          ? [] : [square(try inverseN.inverse().transposed, try m.inverse().transposed)])
    }
    #expect(residual.termCount == expected.count)
    for (term, square) in expected.enumerated() {
      let vectors = residual.residual(0, term)
      let found = OrderedSums.dot(vectors, vectors)
      #expect(abs(found - square) <= 1e-8 * square, "\(found), not \(square)")
    }
  }

  @Test(
    "derivatives are central differences, and their adjoints are adjoint",
    arguments: problems, ResidualCase.allCases)
  func derivatives(problem: FactorProblem, kind: ResidualCase) throws {
    let built = try build(problem, kind.form)
    let (n, count) = (built.matrix.rowCount, built.parameters.count)
    let residual = try kind.residual(
      built, probes: vectors(FactorProblem.Built.normal(n * 16, 7)))
    let direction = vectors(FactorProblem.Built.normal(count, 3))
    let h = 1e-5
    func moved(_ step: Double) throws -> [[Double]] {
      let other = copy(built.parameters)
      for place in 0..<count { other[place] += step * direction[place] }
      try residual.update(other)
      return (0..<residual.termCount).map { residual.residual(0, $0).array() }
    }
    let (ahead, behind) = (try moved(h), try moved(-h))
    try residual.update(built.parameters)
    try residual.setDirection(direction)
    let slopes = ahead.map { Vectors(repeating: 0, count: $0.count) }
    try residual.differentiate(0, into: slopes)
    var (product, scale) = (0.0, 0.0)
    let dual = slopes.indices.map { vectors(FactorProblem.Built.normal(n * 16, 20 + UInt64($0))) }
    for (term, slope) in slopes.enumerated() {
      let size = OrderedSums.dot(slope, slope).squareRoot()
      let error = zip(zip(ahead[term], behind[term]), slope.array())
        .reduce(0) { $0 + pow(($1.0.0 - $1.0.1) / (2 * h) - $1.1, 2) }.squareRoot()
      #expect(size > 0 && error < 1e-5 * size, "term \(term): \(error) of \(size)")
      product += OrderedSums.dot(dual[term], slope)
      scale += OrderedSums.dot(dual[term], dual[term]).squareRoot() * size
    }
    let gradient = Vectors(repeating: 0, count: count)
    try residual.pullBack(0, dual, into: gradient)
    #expect(abs(product - OrderedSums.dot(gradient, direction)) < 1e-11 * scale)
  }

  @Test("products with the normal equations allocate nothing")
  func allocations() async {
    await #expect(processExitsWith: .success) {
      for problem in RefinementTests.problems {
        for kind in ResidualCase.allCases {
          let built = try RefinementTests().build(problem, kind.form)
          let count = built.parameters.count
          let ranks = TrainingRanks(alone: built.factors, shards: 1)
          let probes = Vectors(repeating: 1, count: built.matrix.rowCount * 16)
          let mask = Vectors(repeating: 1, count: count)
          let problem = LeastSquares(
            try kind.residual(built, probes: probes, on: ranks), ranks, mask: mask)
          try problem.update(built.parameters)
          let result = Vectors(repeating: 0, count: count)
          var counts: [Int] = []
          // The first time makes memory for passes.
          for _ in 0..<2 {
            allocation_counter_start()
            let square = try problem.normalProduct(mask, into: result)
            counts.append(allocation_counter_stop())
            try #require(square > 0)
          }
          try #require(counts[1] == 0, "\(kind): \(counts)")
        }
      }
    }
  }

  @Test("block rows own each parameter once, and only what rows before them do not see")
  func blockRows() throws {
    for problem in Self.problems {
      let built = try build(problem, .product)
      let rows = BlockRows(built.factors)
      let free = rows.mask()
      let sum = Vectors(repeating: 0, count: free.count)
      let before = DenseFactor(blocks: built.factors.lower, parameters: built.parameters).matrix
      for (row, unknowns) in rows.unknowns.enumerated() {
        let mask = rows.mask(row: row)
        let changed = copy(built.parameters)
        for place in 0..<mask.count {
          sum[place] += mask[place]
          changed[place] += mask[place]
        }
        let after = DenseFactor(blocks: built.factors.lower, parameters: changed).matrix
        for i in 0..<unknowns.lowerBound {
          for j in 0..<after.columns { #expect(after[i, j] == before[i, j]) }
        }
      }
      #expect(sum.array() == free.array())
      #expect(free.array().contains(0))
    }
  }
}
