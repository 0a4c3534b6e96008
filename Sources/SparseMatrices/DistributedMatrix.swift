import BlockKernels
public import MessagePassing

/// A square matrix whose rows, and the rows of the vectors that it multiplies, are spread over ranks.
///
/// Rank p holds the rows `cuts[p]..<cuts[p + 1]`, some of them or none. Products have the bits of
/// ``SparseMatrix/multiply(_:vectors:into:)`` of the whole matrix, whatever the cuts: each number is the sum of
/// products in the order of the columns.
///
/// Copies share the buffers of messages, so one product is made at a time.
public struct DistributedMatrix {
  /// Where the rows of each rank begin, and the number of all rows.
  public let cuts: [Int]
  /// The rows of this rank.
  public let rows: Range<Int>
  /// The largest number of vectors in a product.
  public let maximumVectors: Int
  /// What this rank sends and receives for a product.
  public let halo: HaloPlan
  /// Where the entries of each row of this rank begin, and their number.
  let rowStarts: [Int]
  /// The column of each entry, counted from the first row of this rank, or among the remote columns of the halo.
  let columns: [Int32]
  /// The value of each entry.
  let values: [Double]
  /// For each row: which of its entries belong to columns of this rank.
  let ownPlaces: [Range<Int>]
  /// The rows all of whose columns are those of this rank, in pieces of some work each.
  let interior: [Range<Int>]
  /// The other rows.
  let boundary: [Range<Int>]
  let outgoing: AlignedBuffer<Double>
  let incoming: AlignedBuffer<Double>

  /// The number of entries in the rows of this rank.
  public var entryCount: Int { values.count }
  /// The bytes of what this rank stores: its entries and the buffers of messages.
  public var bytes: Int {
    rowStarts.count * MemoryLayout<Int>.stride
      + entryCount * (MemoryLayout<Int32>.stride + MemoryLayout<Double>.stride)
      + (ownPlaces.count + interior.count + boundary.count) * MemoryLayout<Range<Int>>.stride
      + (outgoing.count + incoming.count) * MemoryLayout<Double>.stride + halo.storedBytes
  }
  /// The number of rows of this rank that need no message.
  public var interiorRowCount: Int { interior.reduce(0) { $0 + $1.count } }

  /// Spreads a matrix that all ranks have.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, the same on all ranks.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - maximumVectors: The largest number of vectors in a product.
  ///   - communicator: The ranks.
  /// - Precondition: The matrix is square; the cuts are one more than the ranks, ascend from 0 to its size, and may
  ///   be equal.
  /// - Throws: `MPIError` if the library fails.
  public init(
    _ matrix: SparseMatrix, cuts: [Int], maximumVectors: Int = 1,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    Self.check(cuts, rank: communicator.rank, size: communicator.size)
    precondition(
      matrix.rowCount == cuts[communicator.size],
      "cuts \(cuts) of a \(matrix.rowCount)×\(matrix.columnCount) matrix")
    let rows = cuts[communicator.rank]..<cuts[communicator.rank + 1]
    try self.init(
      ownRows: matrix.rows(rows), cuts: cuts, maximumVectors: maximumVectors, on: communicator)
  }

  /// Spreads a matrix of which each rank has its rows.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Alltoallv`.
  ///
  /// - Parameters:
  ///   - ownRows: The rows of this rank, with all columns.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows; the same on all ranks.
  ///   - maximumVectors: The largest number of vectors in a product.
  ///   - communicator: The ranks.
  /// - Precondition: The cuts are one more than the ranks, ascend from 0 to the number of columns, and may be equal;
  ///   the matrix has the rows of this rank.
  /// - Throws: `MPIError` if the library fails.
  public init(
    ownRows: SparseMatrix, cuts: [Int], maximumVectors: Int = 1,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    Self.check(cuts, rank: communicator.rank, size: communicator.size)
    precondition(maximumVectors >= 1, "products with \(maximumVectors) vectors")
    let rows = cuts[communicator.rank]..<cuts[communicator.rank + 1]
    precondition(
      ownRows.rowCount == rows.count && ownRows.columnCount == cuts[communicator.size],
      "rows of \(ownRows.rowCount)×\(ownRows.columnCount) for the cuts \(cuts)")
    self.cuts = cuts
    self.rows = rows
    self.maximumVectors = maximumVectors
    let numbering = LocalNumbering(ownRows, rows)
    (rowStarts, columns, values) = (ownRows.rowStarts, numbering.columns, ownRows.values)
    ownPlaces = numbering.ownPlaces
    (interior, boundary) = numbering.runs
    halo = try HaloPlan(numbering.remoteColumns, cuts: cuts, on: communicator)
    let sent = halo.sends.reduce(0) { $0 + $1.rows.count }
    outgoing = AlignedBuffer(repeating: 0, count: sent * maximumVectors)
    incoming = AlignedBuffer(
      repeating: 0, count: halo.remoteColumns.count * maximumVectors)
  }

  /// Stops the program if cuts are not those of some ranks.
  package static func check(_ cuts: [Int], rank: Int, size: Int) {
    precondition(
      cuts.count == size + 1 && cuts[0] == 0 && zip(cuts, cuts.dropFirst()).allSatisfy { $0 <= $1 },
      "cuts \(cuts) for \(size) ranks")
  }
}

/// The rows of one rank with its own numbers of columns.
private struct LocalNumbering {
  /// The entries of a piece of interior rows, after which messages are helped along.
  private static let pieceEntries = 1 << 16

  let columns: [Int32]
  let ownPlaces: [Range<Int>]
  /// The rows without remote columns, in pieces, and those with some.
  let runs: (interior: [Range<Int>], boundary: [Range<Int>])
  let remoteColumns: [Int32]

  init(_ matrix: SparseMatrix, _ rows: Range<Int>) {
    let own = Int32(rows.lowerBound)..<Int32(rows.upperBound)
    remoteColumns = Set(matrix.columns.filter { !own.contains($0) }).sorted()
    var columns = matrix.columns
    var ownPlaces: [Range<Int>] = []
    ownPlaces.reserveCapacity(matrix.rowCount)
    for row in 0..<matrix.rowCount {
      let places =
        matrix.firstPlace(
          in: row, from: rows.lowerBound)..<matrix.firstPlace(in: row, from: rows.upperBound)
      ownPlaces.append(places)
      for place in matrix.rowStarts[row]..<matrix.rowStarts[row + 1] {
        columns[place] =
          places.contains(place)
          ? columns[place] - own.lowerBound : Self.place(of: columns[place], in: remoteColumns)
      }
    }
    self.columns = columns
    self.ownPlaces = ownPlaces
    runs = Self.runs(matrix.rowStarts, ownPlaces)
  }

  /// Finds a column among others by bisection.
  private static func place(of column: Int32, in columns: [Int32]) -> Int32 {
    var (low, high) = (0, columns.count)
    while low < high {
      let middle = (low + high) / 2
      if columns[middle] < column { low = middle + 1 } else { high = middle }
    }
    return Int32(low)
  }

  /// Finds the rows without remote columns, in pieces, and those with some.
  private static func runs(
    _ rowStarts: [Int], _ ownPlaces: [Range<Int>]
  ) -> (interior: [Range<Int>], boundary: [Range<Int>]) {
    var runs: [[Range<Int>]] = [[], []]
    for (row, own) in ownPlaces.enumerated() {
      let isBoundary = own != rowStarts[row]..<rowStarts[row + 1]
      let kind = isBoundary ? 1 : 0
      let last = runs[kind].count - 1
      if last >= 0, runs[kind][last].upperBound == row,
        isBoundary
          || rowStarts[row] - rowStarts[runs[kind][last].lowerBound] < pieceEntries
      {
        runs[kind][last] = runs[kind][last].lowerBound..<row + 1
      } else {
        runs[kind].append(row..<row + 1)
      }
    }
    return (runs[0], runs[1])
  }
}
