import BlockKernels
public import MessagePassing
public import SparseMatrices

/// The inverse of the diagonal of a matrix whose rows are spread over ranks.
public struct JacobiPreconditioner: PlannedOperator {
  /// The reciprocals of the diagonal, `[row]`.
  private let reciprocals: AlignedBuffer<Double>

  /// The number of rows that this rank holds.
  public var rowCount: Int { reciprocals.count }
  /// The bytes of the diagonal of this rank.
  public var bytes: Int { reciprocals.count * MemoryLayout<Double>.stride }

  /// Takes the diagonal of a matrix that all ranks have.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, the same on all ranks.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - communicator: The ranks.
  /// - Precondition: The matrix is square, the cuts are those of the ranks.
  /// - Throws: `RunError` (65) on all ranks if an element has no reciprocal, `MPIError`.
  public init(
    _ matrix: SparseMatrix, cuts: [Int], on communicator: borrowing Communicator
  ) throws {
    try self.init(
      ownRows: RankRows.take(matrix, cuts, on: communicator), cuts: cuts, on: communicator)
  }

  /// Takes the diagonal of a matrix of which each rank has its rows.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// - Parameters:
  ///   - ownRows: The rows of this rank, with all columns.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - communicator: The ranks.
  /// - Precondition: The cuts are those of the ranks, and the matrix has the rows of this rank.
  /// - Throws: `RunError` (65) on all ranks if an element has no reciprocal, `MPIError`.
  public init(
    ownRows: SparseMatrix, cuts: [Int], on communicator: borrowing Communicator
  ) throws {
    let rows = RankRows.find(ownRows, cuts, on: communicator)
    let reciprocals = AlignedBuffer<Double>(repeating: 0, count: rows.count)
    try communicator.agree {
      for row in 0..<rows.count {
        let value = ownRows.entry(row, rows.lowerBound + row)
        guard value.isInvertible else {
          throw RunError.data(
            "the diagonal is \(value) in row \(rows.lowerBound + row) (from 0); Jacobi needs its "
              + "reciprocal")
        }
        reciprocals[row] = 1 / value
      }
    }
    self.reciprocals = reciprocals
  }

  /// Counts the messages of an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: Zero.
  public func messages(columns: Int) -> Int { 0 }

  /// Counts the bytes in the messages of an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: Zero.
  public func messageBytes(columns: Int) -> Int { 0 }

  /// Divides by the diagonal.
  ///
  /// Not collective.
  ///
  /// - Parameters:
  ///   - vectors: The block, `[columns][rowCount]`.
  ///   - results: The quotients, as many; overwritten.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks, which are not used.
  /// - Precondition: The spans have these sizes.
  /// - Complexity: 1 flop for each element, no allocation.
  public func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) {
    check(vectors.count, results.count, columns: columns)
    let factors = reciprocals.span
    for column in 0..<columns {
      let start = column * rowCount
      for row in factors.indices { results[start + row] = vectors[start + row] * factors[row] }
    }
  }
}
