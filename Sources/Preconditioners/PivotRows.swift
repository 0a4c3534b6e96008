import MessagePassing
import SparseMatrices

/// The rows of U that the rows of one rank are eliminated with and that ranks before have.
///
/// Their structure is that of A and is exchanged at once, their values come when the ranks before are done.
struct PivotRows {
  /// The number by which ranks tell messages of rows from others.
  private static let tag = 0x55

  /// Where the entries of each row begin, the diagonal first; one row for each column of ranks before.
  private(set) var starts = [0]
  /// The columns of the entries, in the numbering of this rank; −1 for those that no row has.
  let columns: [Int32]
  /// The values of the entries.
  private(set) var values: [Double]
  /// For each message that will come: the rank and its entries.
  private let receives: [(rank: Int, places: Range<Int>)]

  /// Exchanges the structure.
  ///
  /// Collective.
  ///
  /// - Throws: `MPIError` if the library fails.
  init(
    _ rows: EliminatedRows, _ numbering: ColumnNumbering, _ halo: HaloPlan,
    on ranks: borrowing Communicator
  ) throws(MPIError) {
    // To each rank behind: the numbers of entries of the rows that it needs, then their columns.
    var sentLengths: [Int32] = []
    var sentColumns: [Int32] = []
    var sentCounts = (lengths: [Int](), columns: [Int]())
    (sentCounts.lengths, sentCounts.columns) = (
      [Int](repeating: 0, count: ranks.size), [Int](repeating: 0, count: ranks.size)
    )
    for send in halo.sends where send.rank > ranks.rank {
      for row in send.rows {
        let places = rows.upperPlaces(Int(row))
        sentLengths.append(Int32(places.count))
        sentColumns += rows.columns[places].map(numbering.column)
        sentCounts.columns[send.rank] += places.count
      }
      sentCounts.lengths[send.rank] = send.rows.count
    }
    var counts = [Int](repeating: 0, count: ranks.size)
    for receive in halo.receives where receive.rank < ranks.rank {
      counts[receive.rank] = receive.places.count
    }
    var lengths = [Int32](repeating: 0, count: numbering.before)
    var lengthSpan = lengths.mutableSpan
    try ranks.allToAll(
      sentLengths.span, counts: sentCounts.lengths, into: &lengthSpan, receiveCounts: counts)
    for length in lengths { starts.append(starts[starts.count - 1] + Int(length)) }
    var receives: [(rank: Int, places: Range<Int>)] = []
    for receive in halo.receives where receive.rank < ranks.rank {
      let places = starts[receive.places.lowerBound]..<starts[receive.places.upperBound]
      receives.append((receive.rank, places))
      counts[receive.rank] = places.count
    }
    self.receives = receives
    var columns = [Int32](repeating: 0, count: starts[starts.count - 1])
    var columnSpan = columns.mutableSpan
    try ranks.allToAll(
      sentColumns.span, counts: sentCounts.columns, into: &columnSpan, receiveCounts: counts)
    self.columns = columns.map { numbering.number(of: $0) ?? -1 }
    values = [Double](repeating: 0, count: columns.count)
  }

  /// Waits for the values, the farthest rank first.
  ///
  /// - Throws: `MPIError` if a message fails.
  mutating func receive(on ranks: borrowing Communicator) throws(MPIError) {
    for receive in receives {
      var span = values.mutableSpan
      var part = span._mutatingExtracting(receive.places)
      try ranks.receive(into: &part, from: receive.rank, tag: Self.tag)
    }
  }

  /// Sends the values of rows of this rank to ranks behind, the nearest first.
  ///
  /// - Throws: `MPIError` if a message fails.
  static func send(
    _ rows: EliminatedRows, _ halo: HaloPlan, on ranks: borrowing Communicator
  ) throws(MPIError) {
    for send in halo.sends where send.rank > ranks.rank {
      var values: [Double] = []
      for row in send.rows { values += rows.values[rows.upperPlaces(Int(row))] }
      try ranks.send(values.span, to: send.rank, tag: tag)
    }
  }
}
