public import KrylovMethods
public import MessagePassing
import SparseMatrices

/// An operator that knows what it stores and, before it is applied, what it will send.
public protocol PlannedOperator: BlockOperator {
  /// The bytes of what this rank stores for it: numbers, structure and buffers.
  var bytes: Int { get }

  /// Counts the messages that this rank sends in an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The number of messages.
  func messages(columns: Int) -> Int

  /// Counts the bytes in the messages that this rank sends in an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The bytes.
  func messageBytes(columns: Int) -> Int
}

extension PlannedOperator {
  /// Adds what all ranks store.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  ///
  /// - Parameter ranks: The ranks over which the rows are spread.
  /// - Returns: The bytes.
  /// - Throws: `MPIError` if the library fails.
  public func totalBytes(on ranks: borrowing Communicator) throws(MPIError) -> Int {
    try ranks.allReduce(.sum, bytes)
  }

  /// Stops the program unless two blocks have the rows of this rank.
  func check(_ vectors: Int, _ results: Int, columns: Int) {
    precondition(
      columns >= 0 && vectors == rowCount * columns && results == rowCount * columns,
      "\(vectors) and \(results) numbers for \(columns) columns of \(rowCount) rows")
  }
}

/// The rows of one rank.
enum RankRows {
  /// Finds the rows of this rank; stops the program if cuts are not those of the ranks or the matrix has other rows.
  static func find(
    _ ownRows: SparseMatrix, _ cuts: [Int], on communicator: borrowing Communicator
  ) -> Range<Int> {
    DistributedMatrix.check(cuts, rank: communicator.rank, size: communicator.size)
    let rows = cuts[communicator.rank]..<cuts[communicator.rank + 1]
    precondition(
      ownRows.rowCount == rows.count && ownRows.columnCount == cuts[communicator.size],
      "rows of \(ownRows.rowCount)×\(ownRows.columnCount) for the cuts \(cuts)")
    return rows
  }

  /// Takes the rows of this rank out of a matrix that all ranks have.
  static func take(
    _ matrix: SparseMatrix, _ cuts: [Int], on communicator: borrowing Communicator
  ) -> SparseMatrix {
    DistributedMatrix.check(cuts, rank: communicator.rank, size: communicator.size)
    precondition(
      matrix.rowCount == cuts[communicator.size],
      "cuts \(cuts) of a \(matrix.rowCount)×\(matrix.columnCount) matrix")
    return matrix.rows(cuts[communicator.rank]..<cuts[communicator.rank + 1])
  }
}

extension Double {
  /// Whether the number and its reciprocal are finite, not zero, and have all their digits.
  var isInvertible: Bool { isNormal && (1 / self).isNormal }
}
