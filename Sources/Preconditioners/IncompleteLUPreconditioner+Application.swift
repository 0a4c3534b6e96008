import BlockKernels
public import MessagePassing
import SparseMatrices

extension IncompleteLUPreconditioner {
  /// The number by which ranks tell messages of sweeps from others.
  private static let tag = 0x53

  /// Counts the messages that this rank sends in an application: one for each piece of columns and each rank that
  /// needs rows of it.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The number of messages.
  public func messages(columns: Int) -> Int {
    (columns + maximumVectors - 1) / maximumVectors * halo.messages
  }

  /// Counts the bytes in the messages that this rank sends in an application.
  ///
  /// - Parameter columns: The number of vectors.
  /// - Returns: The bytes.
  public func messageBytes(columns: Int) -> Int { halo.bytes(vectors: columns) }

  /// Solves L U X = B: forward with all columns, then backward.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Send` and `MPI_Recv`.
  ///
  /// - Parameters:
  ///   - vectors: B, `[columns][rowCount]`.
  ///   - results: X, as large; overwritten.
  ///   - columns: The number of vectors.
  ///   - ranks: The ranks for which the matrix was factorized.
  /// - Precondition: The spans have these sizes.
  /// - Throws: `MPIError` if a message fails.
  /// - Complexity: 2 flops for each entry and column, no allocation.
  public func apply(
    _ vectors: Span<Double>, into results: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws(MPIError) {
    check(vectors.count, results.count, columns: columns)
    ranks.stallWatch.phase = .init("forward sweep of incomplete factors")
    for first in stride(from: 0, to: columns, by: maximumVectors) {
      let piece = first..<min(first + maximumVectors, columns)
      ColumnPiece.gather(
        vectors, rows: rowCount, columns: piece, into: work, at: numbering.before * piece.count)
      try forward(piece.count, on: ranks)
      ColumnPiece.scatter(
        work, at: numbering.before * piece.count, into: &results, rows: rowCount, columns: piece)
    }
    ranks.stallWatch.phase = .init("backward sweep of incomplete factors")
    for first in stride(from: 0, to: columns, by: maximumVectors) {
      let piece = first..<min(first + maximumVectors, columns)
      ColumnPiece.gather(
        results.span, rows: rowCount, columns: piece, into: work,
        at: numbering.before * piece.count)
      try backward(piece.count, on: ranks)
      ColumnPiece.scatter(
        work, at: numbering.before * piece.count, into: &results, rows: rowCount, columns: piece)
    }
  }

  /// Solves with L for k columns: receives from ranks before, the farthest first, sends to ranks behind, the nearest
  /// first.
  ///
  /// Of all ranks the one with the earliest piece, and of those the first, can always go on: what it waits for has been
  /// sent, and whom it sends to waits for it. So nobody waits for ever, whether sends are buffered or not.
  private func forward(_ k: Int, on ranks: borrowing Communicator) throws(MPIError) {
    for receive in halo.receives where receive.rank < ranks.rank {
      try self.receive(receive.places, from: receive.rank, k, on: ranks)
    }
    var x = work.mutableSpan
    // The buffer has all columns of the numbering, k of each.
    unsafe x.withUnsafeMutableBufferPointer { x in
      guard let x = x.baseAddress else { return }
      unsafe lower.lend(x, vectors: k) { unsafe $0.forward(from: numbering.before) }
    }
    for send in halo.sends where send.rank > ranks.rank { try self.send(send, k, on: ranks) }
  }

  /// Solves with U for k columns; the mirror image of the other sweep.
  private func backward(_ k: Int, on ranks: borrowing Communicator) throws(MPIError) {
    for index in halo.receives.indices.reversed() {
      let receive = halo.receives[index]
      guard receive.rank > ranks.rank else { break }
      // The rows of this rank stand before those of ranks behind.
      let places = receive.places.lowerBound + rowCount..<receive.places.upperBound + rowCount
      try self.receive(places, from: receive.rank, k, on: ranks)
    }
    var x = work.mutableSpan
    // The buffer has all columns of the numbering, k of each, and every row has a reciprocal.
    unsafe x.withUnsafeMutableBufferPointer { x in
      unsafe reciprocals.withUnsafeBufferPointer { reciprocals in
        guard let x = x.baseAddress, let reciprocals = reciprocals.baseAddress else { return }
        unsafe upper.lend(x, vectors: k) {
          unsafe $0.backward(from: numbering.before, reciprocals: reciprocals)
        }
      }
    }
    for index in halo.sends.indices.reversed() {
      guard halo.sends[index].rank < ranks.rank else { continue }
      try self.send(halo.sends[index], k, on: ranks)
    }
  }

  /// Receives k columns of rows.
  private func receive(
    _ places: Range<Int>, from rank: Int, _ k: Int, on ranks: borrowing Communicator
  ) throws(MPIError) {
    var part = work.mutableSpan(of: places.lowerBound * k..<places.upperBound * k)
    try ranks.receive(into: &part, from: rank, tag: Self.tag)
  }

  /// Sends k columns of rows of this rank.
  private func send(
    _ send: HaloPlan.Send, _ k: Int, on ranks: borrowing Communicator
  ) throws(MPIError) {
    let source = work.span
    var target = outgoing.mutableSpan
    var place = 0
    for row in send.rows {
      let start = (numbering.before + Int(row)) * k
      for vector in 0..<k { target[place + vector] = source[start + vector] }
      place += k
    }
    try ranks.send(outgoing.span.extracting(0..<place), to: send.rank, tag: Self.tag)
  }
}
