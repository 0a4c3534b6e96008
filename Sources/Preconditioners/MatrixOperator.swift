import BlockKernels
public import MessagePassing
public import SparseMatrices

/// Products with a matrix that is spread over ranks, as iterations want them.
///
/// Iterations hold blocks `[column][row]`, products of matrices want `[row][column]`: columns are multiplied in pieces
/// of at most ``maximumVectors``, which are copied to and fro. A single column is not copied. Results have the same
/// bits on any number of ranks.
///
/// Copies share their buffers, so one product is made at a time.
public struct MatrixOperator: PlannedOperator {
  /// The matrix.
  public let matrix: DistributedMatrix
  /// X and Y of a piece, `[row][columns]`.
  private let input: AlignedBuffer<Double>
  private let output: AlignedBuffer<Double>

  /// The number of rows that this rank holds.
  public var rowCount: Int { matrix.rows.count }
  /// The largest number of columns that are multiplied at once.
  public var maximumVectors: Int { matrix.maximumVectors }
  /// The bytes of the rows of this rank and of the buffers.
  public var bytes: Int {
    matrix.bytes + (input.count + output.count) * MemoryLayout<Double>.stride
  }

  /// Wraps a matrix.
  ///
  /// Not collective.
  ///
  /// - Parameter matrix: The matrix.
  public init(_ matrix: DistributedMatrix) {
    self.matrix = matrix
    let size = matrix.maximumVectors > 1 ? matrix.rows.count * matrix.maximumVectors : 0
    input = AlignedBuffer(repeating: 0, count: size)
    output = AlignedBuffer(repeating: 0, count: size)
  }

  /// Spreads a matrix that all ranks have.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, the same on all ranks.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - maximumVectors: The largest number of columns that are multiplied at once.
  ///   - communicator: The ranks.
  /// - Precondition: The matrix is square, the cuts are those of the ranks.
  /// - Throws: `MPIError` if the library fails.
  public init(
    _ matrix: SparseMatrix, cuts: [Int], maximumVectors: Int = 8,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    self.init(
      try DistributedMatrix(
        matrix, cuts: cuts, maximumVectors: maximumVectors, on: communicator))
  }

  /// Spreads a matrix of which each rank has its rows.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - ownRows: The rows of this rank, with all columns.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - maximumVectors: The largest number of columns that are multiplied at once.
  ///   - communicator: The ranks.
  /// - Precondition: The cuts are those of the ranks, and the matrix has the rows of this rank.
  /// - Throws: `MPIError` if the library fails.
  public init(
    ownRows: SparseMatrix, cuts: [Int], maximumVectors: Int = 8,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    self.init(
      try DistributedMatrix(
        ownRows: ownRows, cuts: cuts, maximumVectors: maximumVectors, on: communicator))
  }

  /// Counts the messages that this rank sends in a product.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The number of messages.
  public func messages(columns: Int) -> Int {
    (columns + maximumVectors - 1) / maximumVectors * matrix.halo.messages
  }

  /// Counts the bytes in the messages that this rank sends in a product.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The bytes.
  public func messageBytes(columns: Int) -> Int { matrix.halo.bytes(vectors: columns) }

  /// Multiplies a block of vectors.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - vectors: The block, `[columns][rowCount]`.
  ///   - results: The products, as many; overwritten.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks for which the matrix was spread.
  /// - Precondition: The spans have these sizes.
  /// - Throws: `MPIError` if a message fails.
  /// - Complexity: 2 flops for each entry and column, no allocation.
  public func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws(MPIError) {
    check(vectors.count, results.count, columns: columns)
    guard columns != 1 else {
      return try matrix.multiply(vectors, into: &results, on: ranks)
    }
    let rows = rowCount
    for first in stride(from: 0, to: columns, by: maximumVectors) {
      let piece = first..<min(first + maximumVectors, columns)
      let places = 0..<piece.count * rows
      if piece.count == 1, maximumVectors == 1 {
        var column = results._mutatingExtracting(first * rows..<(first + 1) * rows)
        try matrix.multiply(
          vectors.extracting(first * rows..<(first + 1) * rows), into: &column, on: ranks)
        continue
      }
      ColumnPiece.gather(vectors, rows: rows, columns: piece, into: input, at: 0)
      let x = input.span.extracting(places)
      var y = output.mutableSpan(of: places)
      try matrix.multiply(x, vectors: piece.count, into: &y, on: ranks)
      ColumnPiece.scatter(output, at: 0, into: &results, rows: rows, columns: piece)
    }
  }
}
