import BlockKernels
public import KrylovMethods
public import MessagePassing
import Preconditioners
import SparseMatrices

/// A matrix whose rows are spread over ranks in the order of a tree, and blocks of vectors beside it.
///
/// Of each vector a rank holds its rows, `[vector][row]`.
public struct LinearSystem {
  /// The matrix, the same on all ranks.
  public let ordered: OrderedMatrix
  /// Where the rows of each rank begin, and their number.
  public let cuts: [Int]
  /// The rows of this rank.
  public let rows: Range<Int>
  /// Products with A.
  let operation: MatrixOperator

  /// The unknowns that stay together where no tree says which.
  static let blockSize = 32

  /// Spreads a matrix.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - ordered: The matrix, the same on all ranks.
  ///   - cuts: Where the rows of each rank begin, and their number; in about equal pieces if nil.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError` if the library fails.
  public init(
    _ ordered: OrderedMatrix, cuts: [Int]? = nil, on ranks: borrowing Communicator
  ) throws(MPIError) {
    let (count, size) = (ordered.count, ranks.size)
    let blocks = (count + Self.blockSize - 1) / Self.blockSize
    let cuts =
      cuts
      ?? (0..<size).map {
        min(count, evenPiece(of: blocks, pieces: size, piece: $0).lowerBound * Self.blockSize)
      } + [count]
    (self.ordered, self.cuts) = (ordered, cuts)
    rows = cuts[ranks.rank]..<cuts[ranks.rank + 1]
    operation = try MatrixOperator(ordered.matrix, cuts: cuts, on: ranks)
  }

  /// Spreads a matrix as factors are spread.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - ordered: The matrix, the same on all ranks.
  ///   - factors: The factors; none for about equal pieces.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError` if the library fails.
  public init(
    _ ordered: OrderedMatrix, factors: Factors?, on ranks: borrowing Communicator
  ) throws(MPIError) {
    let size = ranks.size
    let cuts = factors.map { LeafPartition($0, ranks: size).rowCuts }
    try self.init(ordered, cuts: cuts, on: ranks)
  }

  /// Makes standard normal vectors, the same on any number of ranks.
  ///
  /// - Parameters:
  ///   - count: The number of vectors.
  ///   - seed: Their seed.
  /// - Returns: This rank's rows, `[vector][row]`.
  public func normalVectors(_ count: Int, seed: Int) -> [Double] {
    NormalVectors.block(seed: seed, columns: 0..<count, unknowns: ordered.order[rows])
  }

  /// Takes this rank's rows of vectors that all ranks have.
  ///
  /// - Parameters:
  ///   - vectors: Whole vectors in the order of the matrix as it was given, `[vector][unknown]`.
  ///   - count: Their number.
  /// - Returns: This rank's rows, `[vector][row]`.
  /// - Precondition: There are as many numbers.
  public func ownRows(of vectors: [Double], count: Int) -> [Double] {
    precondition(
      vectors.count == count * ordered.count,
      "\(vectors.count) numbers for \(count) vectors of \(ordered.count)")
    return (0..<count).flatMap { vector in
      rows.map { vectors[vector * ordered.count + Int(ordered.order[$0])] }
    }
  }

  /// Collects vectors on all ranks.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allgatherv`.
  ///
  /// - Parameters:
  ///   - block: This rank's rows, `[vector][row]`.
  ///   - count: The number of vectors.
  ///   - ranks: The ranks.
  /// - Returns: Whole vectors in the order of the matrix as it was given, `[vector][unknown]`.
  /// - Throws: `MPIError` if the library fails.
  public func collect(
    _ block: [Double], count: Int, on ranks: borrowing Communicator
  ) throws(MPIError) -> [Double] {
    let sizes = zip(cuts, cuts.dropFirst()).map { ($1 - $0) }
    var all = [Double](repeating: 0, count: ordered.count)
    var result = [Double](repeating: 0, count: ordered.count * count)
    for vector in 0..<count {
      let own = Array(block[vector * rows.count..<(vector + 1) * rows.count])
      var span = all.mutableSpan
      try ranks.allGather(own.span, counts: sizes, into: &span)
      for (place, unknown) in ordered.order.enumerated() {
        result[vector * ordered.count + Int(unknown)] = all[place]
      }
    }
    return result
  }
}

/// How many iterations a preconditioner needs.
public struct IterationCount: Equatable, Sendable {
  /// The vectors that are solved for; the middle one of their counts is taken.
  static let vectors = 3
  /// The relative residual.
  static let tolerance = 1e-8
  /// The most iterations.
  static let limit = 1000
  /// The seed of the right-hand sides.
  static let seed = 1

  /// The median of the iterations of three standard normal right-hand sides; nil if more than 1000 would be needed.
  public let iterations: Int?
  /// The range of the eigenvalues of K, as conjugate gradients estimate it; nil for matrices that are not symmetric.
  public let eigenvalues: EigenvalueRange?

  /// Counts by conjugate gradients on symmetric matrices, else by full GMRES, to a relative residual of 1e-8.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - system: The system.
  ///   - preconditioner: M⁻¹; nil for the identity.
  ///   - ranks: The ranks.
  /// - Throws: `MPIError` if the library fails, and what the preconditioner throws.
  init(
    _ system: LinearSystem, _ preconditioner: (any BlockOperator)?,
    on ranks: borrowing Communicator
  ) throws {
    let options = KrylovOptions(tolerance: Self.tolerance, iterationLimit: Self.limit)
    let right = system.normalVectors(Self.vectors, seed: Self.seed)
    var solution = [Double](repeating: 0, count: right.count)
    var span = solution.mutableSpan
    let report: KrylovReport
    if system.ordered.isSymmetric {
      report = try ConjugateGradients(options, estimatesEigenvalues: true).solve(
        system.operation, preconditioner: preconditioner, rightHandSides: right.span,
        solution: &span, columns: Self.vectors, on: ranks)
    } else {
      report = try GeneralizedMinimalResiduals(options, restart: Self.restart(system)).solve(
        system.operation, preconditioner: preconditioner, rightHandSides: right.span,
        solution: &span, columns: Self.vectors, on: ranks)
    }
    let counts = report.columns.map { $0.ending == .converged ? $0.iterations : .max }.sorted()
    let median = counts[counts.count / 2]
    iterations = median == .max ? nil : median
    let ranges = report.columns.compactMap(\.eigenvalues)
    eigenvalues =
      ranges.isEmpty
      ? nil
      : EigenvalueRange(
        smallest: ranges.map(\.smallest).min() ?? 0, largest: ranges.map(\.largest).max() ?? 0)
  }

  /// The iterations whose basis fits into half of what the method allows; nil if that is all of them.
  private static func restart(_ system: LinearSystem) -> Int? {
    let bytes = GeneralizedMinimalResiduals().basisBytes / 2
    let steps = bytes / max(1, system.ordered.count * vectors * MemoryLayout<Double>.stride)
    return steps >= limit ? nil : max(steps, 20)
  }
}
