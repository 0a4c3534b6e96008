import BlockKernels
public import MessagePassing

extension DistributedMatrix {
  /// The number by which ranks tell messages of products from others.
  private static let tag = 0x4d

  /// Multiplies one vector or several at once, of which each rank holds its rows: Y = A X.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Isend`, `MPI_Irecv` and `MPI_Wait`. Rows whose columns are
  /// those of this rank are multiplied while messages are under way.
  ///
  /// - Parameters:
  ///   - x: This rank's rows of X, `[row][vectors]`.
  ///   - vectors: The number of vectors, the same on all ranks.
  ///   - y: This rank's rows of Y, `[row][vectors]`; overwritten.
  ///   - communicator: The ranks for which the matrix was spread.
  /// - Precondition: The spans have these sizes, and the vectors are no more than the matrix allows.
  /// - Throws: `MPIError` if a message fails.
  /// - Complexity: 2 k flops for each entry, no allocation.
  public func multiply(
    _ x: Span<Double>, vectors: Int = 1, into y: inout MutableSpan<Double>,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    precondition(
      (1...maximumVectors).contains(vectors) && x.count == rows.count * vectors
        && y.count == rows.count * vectors,
      "\(x.count) and \(y.count) numbers for \(rows.count) rows, \(vectors) of \(maximumVectors) vectors"
    )
    communicator.stallWatch.phase = .init("halo of a matrix")
    pack(x, vectors)
    let (outgoing, incoming) = (outgoing, incoming)
    var received = incoming.mutableSpan
    try communicator.withRequests(sending: outgoing.span, receiving: &received) {
      (requests) throws(MPIError) in
      for receive in halo.receives {
        let (start, end) = (receive.places.lowerBound, receive.places.upperBound)
        try requests.receive(start * vectors..<end * vectors, from: receive.rank, tag: Self.tag)
      }
      var start = 0
      for send in halo.sends {
        let count = send.rows.count * vectors
        try requests.send(start..<start + count, to: send.rank, tag: Self.tag)
        start += count
      }
      for piece in interior {
        multiply(piece, x, vectors, into: &y, hasRemote: false)
        try requests.progress()
      }
    }
    for piece in boundary { multiply(piece, x, vectors, into: &y, hasRemote: true) }
  }

  /// Copies the rows that other ranks need, message by message.
  private func pack(_ x: Span<Double>, _ vectors: Int) {
    var target = outgoing.mutableSpan
    var place = 0
    for send in halo.sends {
      for row in send.rows {
        let start = Int(row) * vectors
        for vector in 0..<vectors { target[place + vector] = x[start + vector] }
        place += vectors
      }
    }
  }

  /// Multiplies some rows.
  private func multiply(
    _ piece: Range<Int>, _ x: Span<Double>, _ vectors: Int, into y: inout MutableSpan<Double>,
    hasRemote: Bool
  ) {
    let remote = incoming.span
    guard !values.isEmpty else {
      for place in y.indices { y[place] = 0 }
      return
    }
    // Spans have the rows of this rank and of the halo, below which the columns are, and each row has its entries;
    // x and the halo may be empty if no column belongs to them.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        unsafe remote.withUnsafeBufferPointer { remote in
          unsafe ownPlaces.withUnsafeBufferPointer { own in
            unsafe RowEntries.lend(rowStarts, columns, values) { entries in
              guard let x = x.baseAddress, let y = y.baseAddress, let own = own.baseAddress
              else { return }
              let product = unsafe RowProduct(entries: entries, vectors: vectors, x: x, y: y)
              if hasRemote, let remote = remote.baseAddress {
                unsafe product.run(piece, own: own, remote: remote)
              } else {
                unsafe product.run(piece)
              }
            }
          }
        }
      }
    }
  }
}
