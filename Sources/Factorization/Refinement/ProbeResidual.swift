import BlockKernels
import MessagePassing
import SparseMatrices

/// Residuals of factors on the shards of one group, and their derivatives.
///
/// There are one or two terms, each a block of vectors `[unknown][probe]` for each shard: of these the unknowns of this rank.
/// Gradients are those of this rank's parameters. All is collective over the group. Nothing is allocated after the
/// creation, but by the preparation of solves in ``update(_:)``.
protocol ProbeResidual: AnyObject {
  typealias Vectors = AlignedBuffer<Double>

  /// The number of terms.
  var termCount: Int { get }
  /// The factor of the squares of each term in the loss.
  var weights: [Double] { get }

  /// Computes the residuals for new parameters, given all of them.
  ///
  /// - Throws: `RunError` (65), the same on all ranks, if a factor is singular; `MPIError`.
  func update(_ parameters: Vectors) throws

  /// Sets the direction of derivatives, given all of it.
  func setDirection(_ direction: Vectors) throws

  /// The residual of a shard.
  func residual(_ slot: Int, _ term: Int) -> Vectors

  /// Computes the derivative of a shard's residuals in the direction.
  func differentiate(_ slot: Int, into results: [Vectors]) throws

  /// Computes the adjoint: the gradient of Σ ⟨v, residual⟩ over the terms of a shard. Changes the vectors v.
  func pullBack(_ slot: Int, _ vectors: [Vectors], into gradient: Vectors) throws
}

/// A product with a matrix or its transpose, on this rank's unknowns of a shard, `[unknown][probe]`.
struct MatrixMap {
  typealias Vectors = AlignedBuffer<Double>

  private let ranks: TrainingRanks
  /// The matrix of a rank that has all unknowns.
  private let whole: SparseMatrix
  /// The rows of this rank, in a group of several.
  private let rows: DistributedMatrix?

  /// Spreads a matrix over the ranks of a group.
  ///
  /// Collective over the group.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError`.
  init(_ matrix: SparseMatrix, _ ranks: TrainingRanks) throws {
    (whole, self.ranks) = (matrix, ranks)
    var rows: DistributedMatrix?
    try ranks.withGroup { group in
      rows = try DistributedMatrix(
        matrix, cuts: ranks.partition.rowCuts, maximumVectors: Probes.width, on: group)
    }
    self.rows = rows
  }

  /// y = A x.
  ///
  /// Collective over the group.
  func multiply(_ x: Vectors, into y: Vectors) throws {
    var result = y.mutableSpan
    guard let rows else {
      return whole.multiply(x.span, vectors: Probes.width, into: &result)
    }
    try ranks.withGroup { group in
      try rows.multiply(x.span, vectors: Probes.width, into: &result, on: group)
    }
  }
}

/// A or A⁻¹, on blocks of vectors.
///
/// The exact factor is not spread: the ranks of a group solve for all unknowns, each of them.
struct SystemMap {
  typealias Vectors = AlignedBuffer<Double>

  private let ranks: TrainingRanks
  private let matrix: MatrixMap
  private let transposedMatrix: MatrixMap
  private let solver: ExactSolver?
  /// Whether the map is A⁻¹.
  private let isInverse: Bool
  private let scratch: Vectors
  private let whole: Vectors

  /// Creates the map.
  ///
  /// Collective over the group.
  ///
  /// - Parameters:
  ///   - matrix: A.
  ///   - solver: What multiplies with A⁻¹; needed if that is asked for.
  ///   - isInverse: Whether the map is A⁻¹.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError`.
  init(
    _ matrix: SparseMatrix, _ solver: ExactSolver?, isInverse: Bool, _ ranks: TrainingRanks
  ) throws {
    (self.ranks, self.solver, self.isInverse) = (ranks, solver, isInverse)
    self.matrix = try MatrixMap(matrix, ranks)
    transposedMatrix = try MatrixMap(matrix.transposed, ranks)
    scratch = Vectors(repeating: 0, count: ranks.size)
    let isSpread = ranks.treeRanks > 1 && solver != nil
    whole = Vectors(repeating: 0, count: isSpread ? matrix.rowCount * Probes.width : 0)
  }

  /// Replaces x by B x, or by B⁻¹ x, B being A or A⁻¹; transposed if wanted.
  ///
  /// Collective over the group.
  func apply(inverted: Bool = false, transposed: Bool = false, _ x: Vectors) throws {
    guard inverted != isInverse else {
      try (transposed ? transposedMatrix : matrix).multiply(x, into: scratch)
      return x.copy(from: scratch, at: 0, to: 0..<x.count)
    }
    guard ranks.treeRanks > 1 else {
      solver?.solve(x, count: Probes.width, transposed: transposed)
      return
    }
    try ranks.collect(x, into: whole)
    solver?.solve(whole, count: Probes.width, transposed: transposed)
    x.copy(from: whole, at: ranks.rows.lowerBound * Probes.width, to: 0..<x.count)
  }
}
