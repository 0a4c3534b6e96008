import BlockKernels
import SparseMatrices

/// Residuals of factors on the shards of one rank, and their derivatives.
///
/// There are one or two terms, each a block of vectors `[unknown][probe]` for each shard. Nothing is allocated after the
/// creation, but by the preparation of solves in ``update(_:)``.
protocol ProbeResidual: AnyObject {
  typealias Vectors = AlignedBuffer<Double>

  /// The number of terms.
  var termCount: Int { get }
  /// The factor of the squares of each term in the loss.
  var weights: [Double] { get }

  /// Computes the residuals for new parameters.
  ///
  /// - Throws: `RunError` (65) if a factor is singular.
  func update(_ parameters: Vectors) throws

  /// Sets the direction of derivatives.
  func setDirection(_ direction: Vectors)

  /// The residual of a shard.
  func residual(_ slot: Int, _ term: Int) -> Vectors

  /// Computes the derivative of a shard's residuals in the direction.
  func differentiate(_ slot: Int, into results: [Vectors])

  /// Computes the adjoint: the gradient of Σ ⟨v, residual⟩ over the terms of a shard. Changes the vectors v.
  func pullBack(_ slot: Int, _ vectors: [Vectors], into gradient: Vectors)
}

/// A or A⁻¹, on blocks of vectors.
struct SystemMap {
  typealias Vectors = AlignedBuffer<Double>

  private let matrix: SparseMatrix
  private let transposedMatrix: SparseMatrix
  private let solver: ExactSolver?
  /// Whether the map is A⁻¹.
  private let isInverse: Bool
  private let scratch: Vectors

  /// Creates the map.
  ///
  /// - Parameters:
  ///   - matrix: A.
  ///   - solver: What multiplies with A⁻¹; needed if that is asked for.
  ///   - isInverse: Whether the map is A⁻¹.
  init(_ matrix: SparseMatrix, _ solver: ExactSolver?, isInverse: Bool) {
    (self.matrix, self.solver, self.isInverse) = (matrix, solver, isInverse)
    transposedMatrix = matrix.transposed
    scratch = Vectors(repeating: 0, count: matrix.rowCount * ShardSums.width)
  }

  /// Replaces x by B x, or by B⁻¹ x, B being A or A⁻¹; transposed if wanted.
  func apply(inverted: Bool = false, transposed: Bool = false, _ x: Vectors) {
    if inverted != isInverse {
      solver?.solve(x, count: ShardSums.width, transposed: transposed)
    } else {
      let scratch = scratch
      var span = scratch.mutableSpan
      let matrix = transposed ? transposedMatrix : matrix
      matrix.multiply(x.span, vectors: ShardSums.width, into: &span)
      x.copy(from: scratch, at: 0, to: 0..<x.count)
    }
  }
}
