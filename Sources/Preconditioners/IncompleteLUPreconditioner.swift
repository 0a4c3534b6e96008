import BlockKernels
public import MessagePassing
public import SparseMatrices

/// The incomplete factors A ≈ L U without fill, ILU(0), of a matrix whose rows are spread over ranks.
///
/// L and U have entries where A has some, and (L U)ᵢⱼ = aᵢⱼ there, up to rounding. They are those of the whole matrix in
/// the order of its rows, not of the block of each rank: factors and applications have the same bits on any number of
/// ranks, and iterations take as many steps. The price is that ranks work one after the other, in the factorization
/// and in each sweep of an application; with several columns a rank begins with the next ones while others are busy
/// with the ones before. Where the order of rows has colours or levels, more ranks can be busy at once: only ranks that
/// share entries wait for each other.
///
/// For a symmetric positive definite matrix U = D Lᵀ, up to rounding, with the diagonal D of U: ILU(0) is the incomplete
/// Cholesky factorization IC(0), and if D is positive it can precondition conjugate gradients. It is for M-matrices such
/// as Laplacians; for others pivots may become negative, which conjugate gradients report.
///
/// Copies share their buffers, so one application is made at a time.
public struct IncompleteLUPreconditioner: PlannedOperator {
  /// The rows of this rank.
  public let rows: Range<Int>
  /// The largest number of columns that are swept at once.
  public let maximumVectors: Int
  /// What the rows of this rank need of other ranks and the other way round.
  ///
  /// Forward, rows go to ranks behind and come from ranks before; backward, the other way.
  public let halo: HaloPlan
  /// The numbers of columns.
  let numbering: ColumnNumbering
  /// L below its diagonal, which is one.
  let lower: TriangularRows
  /// U above its diagonal.
  let upper: TriangularRows
  /// The diagonal of U, and its reciprocals.
  let diagonal: [Double]
  let reciprocals: [Double]
  /// The columns of a piece, `[column of the numbering][k]`: rows of ranks before, of this rank, of ranks behind.
  let work: AlignedBuffer<Double>
  /// The rows of one message.
  let outgoing: AlignedBuffer<Double>

  /// The number of rows that this rank holds.
  public var rowCount: Int { rows.count }
  /// The number of entries of L and U in the rows of this rank, the diagonal counted once.
  public var entryCount: Int { lower.values.count + upper.values.count + diagonal.count }
  /// The bytes of the factors of this rank and of the buffers.
  public var bytes: Int {
    lower.bytes + upper.bytes + halo.storedBytes
      + numbering.remote.count * MemoryLayout<Int32>.stride
      + (2 * diagonal.count + work.count + outgoing.count) * MemoryLayout<Double>.stride
  }

  /// Factorizes a matrix that all ranks have.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, the same on all ranks.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - maximumVectors: The largest number of columns that are swept at once.
  ///   - communicator: The ranks.
  /// - Precondition: The matrix is square, the cuts are those of the ranks.
  /// - Throws: `RunError` (65) on all ranks if a pivot has no reciprocal or a number overflows, with the first such row
  ///   of the matrix; `MPIError`.
  public init(
    _ matrix: SparseMatrix, cuts: [Int], maximumVectors: Int = 4,
    on communicator: borrowing Communicator
  ) throws {
    try self.init(
      ownRows: RankRows.take(matrix, cuts, on: communicator), cuts: cuts,
      maximumVectors: maximumVectors, on: communicator)
  }

  /// Factorizes a matrix of which each rank has its rows.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Alltoallv`, `MPI_Send` and `MPI_Recv`. A rank eliminates its
  /// rows when ranks before, whose rows it needs, have done so.
  ///
  /// - Parameters:
  ///   - ownRows: The rows of this rank, with all columns.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - maximumVectors: The largest number of columns that are swept at once.
  ///   - communicator: The ranks.
  /// - Precondition: The cuts are those of the ranks, and the matrix has the rows of this rank.
  /// - Throws: `RunError` (65) on all ranks if a pivot has no reciprocal or a number overflows, with the first such row
  ///   of the matrix; `MPIError`.
  /// - Complexity: For each entry before the diagonal, 2 flops for each entry of its pivot row behind the diagonal.
  public init(
    ownRows: SparseMatrix, cuts: [Int], maximumVectors: Int = 4,
    on communicator: borrowing Communicator
  ) throws {
    precondition(maximumVectors >= 1, "sweeps with \(maximumVectors) vectors")
    let own = RankRows.find(ownRows, cuts, on: communicator)
    let numbering = ColumnNumbering(ownRows, own)
    communicator.stallWatch.phase = .init("incomplete factorization")
    let halo = try HaloPlan(numbering.remote, cuts: cuts, on: communicator)
    // Ranks without a pivot would leave the others in the exchange.
    var factors = try communicator.agree { try EliminatedRows(ownRows, numbering) }
    var pivotRows = try PivotRows(factors, numbering, halo, on: communicator)
    try pivotRows.receive(on: communicator)
    let failure = factors.eliminate(pivotRows, numbering)
    // Whatever has failed, ranks behind wait for the rows; the first rank that fails is right.
    try PivotRows.send(factors, halo, on: communicator)
    try communicator.agree {
      guard let failure else { return }
      let pivot = factors.values[factors.diagonals[failure]]
      let isPivot = !pivot.isInvertible
      throw RunError.data(
        "incomplete LU fails in row \(own.lowerBound + failure) (from 0): "
          + (isPivot ? "its pivot is \(pivot)" : "a number overflows"))
    }
    (rows, self.maximumVectors, self.halo, self.numbering) = (own, maximumVectors, halo, numbering)
    let (starts, diagonals) = (factors.starts, factors.diagonals)
    lower = TriangularRows(factors) { starts[$0]..<diagonals[$0] }
    upper = TriangularRows(factors) { diagonals[$0] + 1..<starts[$0 + 1] }
    diagonal = diagonals.map { [values = factors.values] in values[$0] }
    reciprocals = diagonal.map { 1 / $0 }
    work = AlignedBuffer(repeating: 0, count: numbering.count * maximumVectors)
    outgoing = AlignedBuffer(
      repeating: 0, count: (halo.sends.map(\.rows.count).max() ?? 0) * maximumVectors)
  }

  /// Puts the factors of the rows of this rank together again.
  ///
  /// - Returns: L below the diagonal, U on it and above, with all columns of the matrix.
  /// - Throws: `RunError` (65) if they were no matrix.
  package func factoredRows(columnCount: Int) throws(RunError) -> SparseMatrix {
    var (starts, columns, values) = ([0], [Int32](), [Double]())
    for row in 0..<rowCount {
      let (before, behind) = (
        lower.starts[row]..<lower.starts[row + 1], upper.starts[row]..<upper.starts[row + 1]
      )
      columns += lower.columns[before].map(numbering.column) + [Int32(rows.lowerBound + row)]
      columns += upper.columns[behind].map(numbering.column)
      values += lower.values[before] + [diagonal[row]] + upper.values[behind]
      starts.append(columns.count)
    }
    return try SparseMatrix(
      rowCount: rowCount, columnCount: columnCount, rowStarts: starts, columns: columns,
      values: values)
  }
}
