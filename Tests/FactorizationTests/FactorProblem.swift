import BlockKernels
import ClusterTrees
import Foundation
import OperatorNetworks
import SparseMatrices
import Testing

@testable import Factorization

/// A model matrix, its exact factor, and factors of a structure.
struct FactorProblem: CustomTestStringConvertible, Sendable {
  let model: ModelMatrix
  let shape: [Int]
  /// Whether unknowns stand in Z-order, else in that of the rows.
  let isZOrder: Bool
  let pattern: FactorPattern
  let levels: Int
  let channels: Int
  var options = MatrixOptions()

  init(
    _ model: ModelMatrix, _ shape: [Int], z isZOrder: Bool = false, _ pattern: FactorPattern,
    levels: Int, r channels: Int, options: MatrixOptions = MatrixOptions()
  ) {
    (self.model, self.shape, self.isZOrder, self.pattern) = (model, shape, isZOrder, pattern)
    (self.levels, self.channels, self.options) = (levels, channels, options)
  }

  var testDescription: String {
    "\(model.rawValue) \(shape) \(isZOrder ? "Z" : "natural") \(pattern.rawValue) \(levels) levels r = \(channels)"
  }

  func build() throws -> Built { try Built(self) }

  /// What tests compute with.
  struct Built {
    let matrix: SparseMatrix
    let exact: ExactFactor
    let factors: Factors
    let parameters: AlignedBuffer<Double>

    init(_ problem: FactorProblem) throws {
      let original = try problem.model.matrix(shape: problem.shape, options: problem.options)
      let points: PointSet = problem.isZOrder ? .grid(problem.shape) : .grid([original.rowCount])
      let tree = try ClusterTree.uniform(points, leaf: nil, levels: problem.levels)
      matrix = original.permuted(by: tree.order)
      let leaves = tree.boxCount(level: tree.levels)
      let starts = (0..<leaves).map { tree.pointRange(level: tree.levels, box: $0).lowerBound }
      exact = try ExactFactor(
        structure: BlockStructure(
          starts: starts + [matrix.rowCount], rowStarts: matrix.rowStarts, columns: matrix.columns),
        matrix, isPositive: matrix.isSymmetric)
      let structure = try FactorStructure(
        tree: tree, pattern: problem.pattern, channels: [problem.channels])
      factors = Factors(structure, isSymmetric: matrix.isSymmetric)
      parameters = AlignedBuffer(repeating: 0, count: factors.parameterCount)
    }

    /// Sets the parameters by truncation of the exact factor.
    func truncate(isScaled: Bool = false) throws {
      try ClassicalStart.truncate(
        exact.lower, factors.lower, isScaled: isScaled, into: parameters)
      guard let upper = exact.upper else { return }
      try ClassicalStart.truncate(upper, factors.upper, isScaled: isScaled, into: parameters)
    }

    /// ‖A − L U‖ / ‖A‖ in the Frobenius norm, by dense matrices.
    func relativeError() throws -> Double {
      let lower = DenseFactor(blocks: factors.lower, parameters: parameters).matrix
      let upper = DenseFactor(blocks: factors.upper, parameters: parameters).matrix
      let product = lower.times(upper, transposesRight: true)
      let dense = try matrix.dense()
      var (difference, whole) = (0.0, 0.0)
      for (a, b) in zip(product.elements, dense.elements) {
        difference += (a - b) * (a - b)
        whole += b * b
      }
      return (difference / whole).squareRoot()
    }

    /// The median over three right-hand sides of the iterations of preconditioned conjugate gradients to 1e-8.
    func iterations() throws -> Int {
      let lower = try Substitution(factors.lower, parameters)
      return (1...3).map { seed in conjugateGradients(UInt64(seed)) { lower.precondition($0) } }
        .sorted()[1]
    }

    private func conjugateGradients(
      _ seed: UInt64, _ precondition: ([Double]) -> [Double]
    ) -> Int {
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      var r = Self.normal(matrix.rowCount, seed)
      let limit = 1e-8 * dot(r, r).squareRoot()
      var z = precondition(r)
      var p = z
      var rz = dot(r, z)
      var q = [Double](repeating: 0, count: r.count)
      for iteration in 1...1000 {
        var span = q.mutableSpan
        matrix.multiply(p.span, into: &span)
        let alpha = rz / dot(p, q)
        for place in r.indices { r[place] -= alpha * q[place] }
        if dot(r, r).squareRoot() <= limit { return iteration }
        z = precondition(r)
        let next = dot(r, z)
        for place in p.indices { p[place] = z[place] + next / rz * p[place] }
        rz = next
      }
      return 1001
    }

    /// Standard normal numbers.
    static func normal(_ count: Int, _ seed: UInt64) -> [Double] {
      var state = seed
      func uniform() -> Double {
        // splitmix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return (Double((mixed ^ (mixed >> 31)) >> 11) + 0.5) / Double(1 << 53)
      }
      return (0..<count).map { _ in (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
    }
  }
}

extension Substitution {
  /// (L Lᵀ)⁻¹ b.
  fileprivate func precondition(_ vector: [Double]) -> [Double] {
    let buffer = AlignedBuffer<Double>(repeating: 0, count: vector.count)
    for place in vector.indices { buffer[place] = vector[place] }
    solve(buffer, count: 1, transposed: false)
    solve(buffer, count: 1, transposed: true)
    return (0..<vector.count).map { buffer[$0] }
  }
}
