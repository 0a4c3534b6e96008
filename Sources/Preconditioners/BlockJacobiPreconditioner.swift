import BlockKernels
public import MessagePassing
public import SparseMatrices

/// The inverse of the diagonal blocks of a matrix whose rows are spread over ranks.
///
/// The caller chooses the blocks, none of which is cut between ranks, so results have the same bits on any number of
/// ranks that the blocks allow. Blocks are factorized with partial pivoting.
public struct BlockJacobiPreconditioner: PlannedOperator {
  /// The blocks of this rank: their rows, counted from the first of this rank.
  private let blocks: [Range<Int>]
  /// The factors of the blocks, one behind the other, each column-major.
  private let factors: AlignedBuffer<Double>
  /// For each row: with which row of its block it was exchanged, from one.
  private let pivots: [Int32]

  /// The number of rows that this rank holds.
  public var rowCount: Int { pivots.count }
  /// The number of blocks of this rank.
  public var blockCount: Int { blocks.count }
  /// The bytes of the factors of this rank.
  public var bytes: Int {
    factors.count * MemoryLayout<Double>.stride + pivots.count * MemoryLayout<Int32>.stride
      + blocks.count * MemoryLayout<Range<Int>>.stride
  }

  /// Factorizes the diagonal blocks of a matrix that all ranks have.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, the same on all ranks.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - blockStarts: The first row of each block of the whole matrix, ascending from 0.
  ///   - communicator: The ranks.
  /// - Precondition: The matrix is square, the cuts are those of the ranks.
  /// - Throws: `RunError` on all ranks: 64 if the blocks do not fit, 65 if one is singular or too large; `MPIError`.
  public init(
    _ matrix: SparseMatrix, cuts: [Int], blockStarts: [Int],
    on communicator: borrowing Communicator
  ) throws {
    try self.init(
      ownRows: RankRows.take(matrix, cuts, on: communicator), cuts: cuts,
      blockStarts: blockStarts, on: communicator)
  }

  /// Factorizes the diagonal blocks of a matrix of which each rank has its rows.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`, the LAPACK routine `dgetrf`.
  ///
  /// - Parameters:
  ///   - ownRows: The rows of this rank, with all columns.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - blockStarts: The first row of each block of the whole matrix, ascending from 0.
  ///   - communicator: The ranks.
  /// - Precondition: The cuts are those of the ranks, and the matrix has the rows of this rank.
  /// - Throws: `RunError` on all ranks: 64 if the blocks do not fit, 65 if one is singular or too large; `MPIError`.
  public init(
    ownRows: SparseMatrix, cuts: [Int], blockStarts: [Int],
    on communicator: borrowing Communicator
  ) throws {
    let rows = RankRows.find(ownRows, cuts, on: communicator)
    blocks = try communicator.agree { try Self.blocks(blockStarts, cuts, rows) }
    let blocks = blocks
    (factors, pivots) = try communicator.agree {
      try Self.factorize(ownRows, blocks, rows.lowerBound)
    }
  }

  /// Finds the blocks of one rank.
  private static func blocks(
    _ starts: [Int], _ cuts: [Int], _ rows: Range<Int>
  ) throws(RunError) -> [Range<Int>] {
    let count = cuts[cuts.count - 1]
    guard starts.first ?? 0 == 0, starts.isEmpty == (count == 0) else {
      throw .usage(
        "`blockStarts` begins with \(starts.first.map(String.init) ?? "nothing") for \(count) rows")
    }
    var result: [Range<Int>] = []
    var cut = 0
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : count
      guard start < end, end <= count else {
        throw .usage(
          "`blockStarts` has \(start) before \(end); \(count) rows need ascending starts")
      }
      while cuts[cut] <= start { cut += 1 }
      guard end <= cuts[cut] else {
        throw .usage(
          "the block of the rows \(start) to \(end - 1) is cut before row \(cuts[cut]): "
            + "every block belongs to one rank")
      }
      guard rows.contains(start) else { continue }
      result.append(start - rows.lowerBound..<end - rows.lowerBound)
    }
    return result
  }

  /// Factorizes the blocks of one rank.
  private static func factorize(
    _ ownRows: SparseMatrix, _ blocks: [Range<Int>], _ first: Int
  ) throws -> (factors: AlignedBuffer<Double>, pivots: [Int32]) {
    let size = blocks.reduce(0) { $0 + $1.count * $1.count }
    try Memory.check(size, 1, bytes: MemoryLayout<Double>.stride) {
      .data("diagonal blocks of at most \(blocks.map(\.count).max() ?? 0) rows need \($0)")
    }
    let factors = AlignedBuffer<Double>(repeating: 0, count: size)
    var pivots: [Int32] = []
    var start = 0
    for block in blocks {
      let n = block.count
      let columns = first + block.lowerBound..<first + block.upperBound
      let values = ownRows.denseBlock(rows: block, columns: columns).elements
      var exchanged = [Int32](repeating: 0, count: n)
      var a = factors.mutableSpan(of: start..<start + n * n)
      for i in values.indices { a[i] = values[i] }
      var p = exchanged.mutableSpan
      do throws(LAPACKError) {
        try LAPACK.factorize(&a, order: n, pivots: &p)
      } catch {
        guard error.info > 0 else { throw error }
      }
      // A pivot that is exactly zero is found here too; what follows from it may be anything.
      for i in 0..<n {
        for j in i..<n where !(i == j ? a[i * n + i].isInvertible : a[j * n + i].isFinite) {
          throw RunError.data(
            "the diagonal block of the rows \(columns.lowerBound) to \(columns.upperBound - 1) is "
              + "singular: \(a[j * n + i]) in row \(columns.lowerBound + i) (from 0) of its factor")
        }
      }
      pivots += exchanged
      start += n * n
    }
    return (factors, pivots)
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

  /// Solves with the diagonal blocks.
  ///
  /// Not collective.
  ///
  /// - Parameters:
  ///   - vectors: The block of vectors, `[columns][rowCount]`.
  ///   - results: The solutions, as many; overwritten.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks, which are not used.
  /// - Precondition: The spans have these sizes.
  /// - Complexity: 2 n² flops for each block of n rows and each column, no allocation.
  public func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) {
    check(vectors.count, results.count, columns: columns)
    for place in vectors.indices { results[place] = vectors[place] }
    let (rows, factors) = (rowCount, factors.span)
    // Blocks have the rows and factors that they were made with, and the results were checked above.
    unsafe results.withUnsafeMutableBufferPointer { results in
      unsafe factors.withUnsafeBufferPointer { factors in
        guard let x = results.baseAddress, var a = factors.baseAddress else { return }
        for block in blocks {
          for column in 0..<columns {
            unsafe solve(block, a, x + column * rows + block.lowerBound)
          }
          unsafe a += block.count * block.count
        }
      }
    }
  }

  /// Solves with one block: exchanges, L, and U, column by column.
  private func solve(
    _ block: Range<Int>, _ a: UnsafePointer<Double>, _ x: UnsafeMutablePointer<Double>
  ) {
    let n = block.count
    for i in 0..<n {
      let other = Int(pivots[block.lowerBound + i]) - 1
      guard other != i else { continue }
      let value = unsafe x[i]
      unsafe x[i] = x[other]
      unsafe x[other] = value
    }
    for j in 0..<n {
      let (column, value) = unsafe (a + j * n, x[j])
      for i in j + 1..<max(n, j + 1) { unsafe x[i] -= column[i] * value }
    }
    for j in (0..<n).reversed() {
      let column = unsafe a + j * n
      let value = unsafe x[j] / column[j]
      unsafe x[j] = value
      for i in 0..<j { unsafe x[i] -= column[i] * value }
    }
  }
}
