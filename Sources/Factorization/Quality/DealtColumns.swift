import MessagePassing

/// Blocks of columns that ranks work on side by side, and one number for each column.
///
/// A column's number is computed by one rank and passed on as bits, so that sums over columns in their order do not
/// depend on the number of ranks.
struct DealtColumns {
  /// The number of columns.
  let count: Int
  /// The bits of the numbers of this rank's columns; zeros for others.
  private var bits: [Int]

  init(_ count: Int) {
    self.count = count
    bits = [Int](repeating: 0, count: count)
  }

  /// Returns the blocks of this rank.
  func blocks(of rank: Int, among ranks: Int) -> [Range<Int>] {
    let width = SerialFactors.width
    return stride(from: rank * width, to: count, by: ranks * width).map {
      $0..<min($0 + width, count)
    }
  }

  /// Sets the number of a column of this rank.
  mutating func set(_ column: Int, _ value: Double) {
    bits[column] = Int(bitPattern: UInt(value.bitPattern))
  }

  /// Collects the numbers of all columns.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allreduce`.
  consuming func collect(on ranks: borrowing Communicator) throws(MPIError) -> [Double] {
    var bits = bits
    var span = bits.mutableSpan
    try ranks.allReduce(.sum, &span)
    return bits.map { Double(bitPattern: UInt64(UInt(bitPattern: $0))) }
  }
}
