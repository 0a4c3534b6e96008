public import MessagePassing

/// What one rank sends and receives before a product: rows of the factor that other ranks hold.
///
/// Every message is the k numbers of some rows, in ascending order.
public struct HaloPlan: Sendable, Equatable {
  /// A message to another rank.
  public struct Send: Sendable, Equatable {
    /// The rank that receives it.
    public let rank: Int
    /// The rows, counted from the first of this rank.
    public let rows: [Int32]
  }

  /// A message from another rank.
  public struct Receive: Sendable, Equatable {
    /// The rank that sends it.
    public let rank: Int
    /// The places of its rows among all that are received.
    public let places: Range<Int>
  }

  /// The messages to other ranks, in the order of ranks.
  public let sends: [Send]
  /// The messages from other ranks, in the order of ranks.
  public let receives: [Receive]
  /// The columns of the matrix that other ranks hold, ascending.
  public let remoteColumns: [Int32]

  /// The number of messages that this rank sends for a product.
  public var messages: Int { sends.count }

  /// Counts what this rank sends for a product.
  ///
  /// - Parameter vectors: The number of vectors.
  /// - Returns: The bytes.
  public func bytes(vectors: Int) -> Int {
    sends.reduce(0) { $0 + $1.rows.count } * vectors * MemoryLayout<Double>.stride
  }

  /// The bytes of its numbers of rows.
  package var storedBytes: Int {
    sends.reduce(remoteColumns.count) { $0 + $1.rows.count } * MemoryLayout<Int32>.stride
  }

  /// Plans the exchange of the ranks' parts of a vector.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Alltoallv`.
  ///
  /// - Parameters:
  ///   - remoteColumns: The columns that this rank needs from others, ascending.
  ///   - cuts: Where the rows of each rank begin, and the number of all rows.
  ///   - communicator: The ranks.
  /// - Precondition: The columns exist, and none is a row of this rank; the cuts are those of the ranks.
  /// - Throws: `MPIError` if the library fails.
  public init(
    _ remoteColumns: [Int32], cuts: [Int], on communicator: borrowing Communicator
  ) throws(MPIError) {
    self.remoteColumns = remoteColumns
    var (counts, receives, start) = ([Int](), [Receive](), 0)
    for rank in 0..<communicator.size {
      var end = start
      while end < remoteColumns.count, Int(remoteColumns[end]) < cuts[rank + 1] { end += 1 }
      counts.append(end - start)
      if end > start { receives.append(Receive(rank: rank, places: start..<end)) }
      start = end
    }
    self.receives = receives
    // Each rank tells the others which of their rows it needs.
    let ones = [Int](repeating: 1, count: communicator.size)
    var wantedCounts = ones
    var countSpan = wantedCounts.mutableSpan
    try communicator.allToAll(
      counts.span, counts: ones, into: &countSpan, receiveCounts: ones)
    var wanted = [Int32](repeating: 0, count: wantedCounts.reduce(0, +))
    var wantedSpan = wanted.mutableSpan
    try communicator.allToAll(
      remoteColumns.span, counts: counts, into: &wantedSpan, receiveCounts: wantedCounts)
    let first = Int32(cuts[communicator.rank])
    var (sends, position) = ([Send](), 0)
    for (rank, count) in wantedCounts.enumerated() where count > 0 {
      sends.append(
        Send(rank: rank, rows: wanted[position..<position + count].map { $0 - first }))
      position += count
    }
    self.sends = sends
  }
}
