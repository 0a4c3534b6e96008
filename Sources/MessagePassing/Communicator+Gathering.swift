extension Communicator {
  /// Puts the parts of all ranks together, in the order of the ranks.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allgatherv`.
  ///
  /// - Parameters:
  ///   - part: The part of this rank.
  ///   - counts: The lengths of the parts of all ranks, the same on every rank.
  ///   - whole: The parts one after the other.
  /// - Precondition: `counts.count == size`, `part.count == counts[rank]`, and `whole` has the sum
  ///   of the counts.
  /// - Throws: ``MPIError`` if the library fails or a count has more than 31 bits.
  public borrowing func allGather<T: MPIScalar>(
    _ part: Span<T>, counts: [Int], into whole: inout MutableSpan<T>
  ) throws(MPIError) {
    checkCounts(counts, total: whole.count)
    precondition(
      part.count == counts[rank], "The part has \(part.count) values, not \(counts[rank])")
    traffic.countCollective(bytes: part.count * MemoryLayout<T>.stride)
    let (raw, rank) = (raw, rank)
    try unsafe part.withUnsafeBufferPointer { (part) throws(MPIError) in
      try unsafe whole.withUnsafeMutableBufferPointer { (whole) throws(MPIError) in
        // The spans have the lengths that the counts say.
        unsafe try raw.allGather(
          part.baseAddress, T.scalarKind, counts: counts, rank: rank, into: whole.baseAddress,
          inPlace: false)
      }
    }
  }

  /// Gathers the parts of all ranks in place: the part of this rank is at its offset already.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allgatherv` with `MPI_IN_PLACE`.
  ///
  /// - Parameters:
  ///   - whole: The parts one after the other; those of the other ranks are overwritten.
  ///   - counts: The lengths of the parts of all ranks, the same on every rank.
  /// - Precondition: `counts.count == size`, and `whole` has the sum of the counts.
  /// - Throws: ``MPIError`` if the library fails or a count has more than 31 bits.
  public borrowing func allGatherInPlace<T: MPIScalar>(
    _ whole: inout MutableSpan<T>, counts: [Int]
  ) throws(MPIError) {
    checkCounts(counts, total: whole.count)
    traffic.countCollective(bytes: counts[rank] * MemoryLayout<T>.stride)
    let (raw, rank) = (raw, rank)
    try unsafe whole.withUnsafeMutableBufferPointer { (whole) throws(MPIError) in
      // The span has the length that the counts say.
      unsafe try raw.allGather(
        nil, T.scalarKind, counts: counts, rank: rank, into: whole.baseAddress, inPlace: true)
    }
  }

  /// Collects one value of every rank.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Allgatherv`.
  ///
  /// - Parameter value: The value of this rank.
  /// - Returns: The values in the order of the ranks.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func allGather<T: MPIScalar>(_ value: T) throws(MPIError) -> [T] {
    var values = [T](repeating: value, count: size)
    var span = values.mutableSpan
    try allGatherInPlace(&span, counts: [Int](repeating: 1, count: size))
    return values
  }

  /// Sends a part to every rank and receives one from every rank.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Alltoallv`.
  ///
  /// - Parameters:
  ///   - sent: The parts for the ranks, one after the other.
  ///   - counts: The lengths of the parts that are sent.
  ///   - received: The parts from the ranks, one after the other.
  ///   - receiveCounts: The lengths of the parts that are received.
  /// - Precondition: Both counts have `size` elements, whose sums are the lengths of the spans.
  /// - Throws: ``MPIError`` if the library fails or a count has more than 31 bits.
  public borrowing func allToAll<T: MPIScalar>(
    _ sent: Span<T>, counts: [Int], into received: inout MutableSpan<T>, receiveCounts: [Int]
  ) throws(MPIError) {
    checkCounts(counts, total: sent.count)
    checkCounts(receiveCounts, total: received.count)
    traffic.countCollective(bytes: sent.count * MemoryLayout<T>.stride)
    let raw = raw
    try unsafe sent.withUnsafeBufferPointer { (sent) throws(MPIError) in
      try unsafe received.withUnsafeMutableBufferPointer { (received) throws(MPIError) in
        // The spans have the lengths that the counts say.
        unsafe try raw.allToAll(
          sent.baseAddress, counts: counts, into: received.baseAddress,
          receivedCounts: receiveCounts, T.scalarKind)
      }
    }
  }

  /// Stops the program if the counts are not one per rank, or do not add up.
  private borrowing func checkCounts(_ counts: [Int], total: Int) {
    precondition(counts.count == size, "\(counts.count) counts for \(size) ranks")
    precondition(counts.allSatisfy { $0 >= 0 }, "A count is negative: \(counts)")
    let sum = counts.reduce(0, +)
    precondition(sum == total, "The counts add up to \(sum), the span has \(total) values")
  }
}
