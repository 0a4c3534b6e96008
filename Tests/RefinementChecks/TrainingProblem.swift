import BlockKernels
import ClusterTrees
import Factorization
import KrylovMethods
import MessagePassing
import OperatorNetworks
import SparseMatrices

/// A model matrix in the order of a tree, its exact factor, and factors.
struct TrainingProblem {
  let matrix: SparseMatrix
  let exact: ExactFactor
  let factors: Factors
  let parameters: AlignedBuffer<Double>

  init(
    _ model: ModelMatrix, _ shape: [Int], z isZOrder: Bool, _ pattern: FactorPattern, levels: Int,
    r channels: Int
  ) throws {
    let original = try model.matrix(shape: shape)
    let points: PointSet = isZOrder ? .grid(shape) : .grid([original.rowCount])
    let tree = try ClusterTree.uniform(points, leaf: nil, levels: levels)
    matrix = original.permuted(by: tree.order)
    let structure = try FactorStructure(tree: tree, pattern: pattern, channels: [channels])
    exact = try ExactFactor(matrix, structure, isPositive: matrix.isSymmetric)
    factors = Factors(structure, isSymmetric: matrix.isSymmetric)
    parameters = AlignedBuffer(repeating: 0, count: factors.parameterCount)
  }

  /// Sets the parameters to a classical start.
  func start(isScaled: Bool) throws {
    try exact.truncate(to: factors, isScaled: isScaled, into: parameters)
  }

  /// Returns the iterations to a relative residual of 1e-8, the median of three right-hand sides.
  ///
  /// Conjugate gradients, or full GMRES if the matrix is not symmetric. As many as allowed plus one if they do not converge.
  func iterations(
    _ parameters: AlignedBuffer<Double>, limit: Int = 2000, on ranks: borrowing Communicator
  ) throws -> Int {
    let n = matrix.rowCount
    let lower = try Substitution(factors.lower, parameters)
    let upper = factors.isSymmetric ? lower : try Substitution(factors.upper, parameters)
    let buffer = AlignedBuffer<Double>(repeating: 0, count: 3 * n)
    let operation = ClosureOperator(rowCount: n) { x, y, columns, _ in
      for c in 0..<columns {
        var part = y._mutatingExtracting(c * n..<(c + 1) * n)
        self.matrix.multiply(x.extracting(c * n..<(c + 1) * n), into: &part)
      }
    }
    let preconditioner = ClosureOperator(rowCount: n) { x, y, columns, _ in
      for c in 0..<columns {
        for i in 0..<n { buffer[i * columns + c] = x[c * n + i] }
      }
      lower.solve(buffer, count: columns, transposed: false)
      upper.solve(buffer, count: columns, transposed: true)
      for c in 0..<columns {
        for i in 0..<n { y[c * n + i] = buffer[i * columns + c] }
      }
    }
    var right = [Double](repeating: 0, count: 3 * n)
    for c in 0..<3 {
      var stream = RandomStream(seed: Int64(c) + 1, purpose: 77, index: 0)
      for i in 0..<n { right[c * n + i] = stream.normal() }
    }
    var solution = right
    var x = solution.mutableSpan
    let options = KrylovOptions(tolerance: 1e-8, iterationLimit: limit)
    let report =
      factors.isSymmetric
      ? try ConjugateGradients(options).solve(
        operation, preconditioner: preconditioner, rightHandSides: right.span, solution: &x,
        columns: 3, on: ranks)
      : try GeneralizedMinimalResiduals(options).solve(
        operation, preconditioner: preconditioner, rightHandSides: right.span, solution: &x,
        columns: 3, on: ranks)
    return report.columns.map { $0.ending == .converged ? $0.iterations : limit + 1 }.sorted()[1]
  }
}
