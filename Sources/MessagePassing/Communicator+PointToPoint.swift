extension Communicator {
  /// Sends a message to another rank and returns when the values may be changed again.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Send`.
  ///
  /// - Parameters:
  ///   - values: The values.
  ///   - destination: The rank that receives the message.
  ///   - tag: The number by which the receiver tells messages apart, at least zero.
  /// - Throws: ``MPIError`` if the library fails or there are more than 2³¹ - 1 values.
  public borrowing func send<T: MPIScalar>(
    _ values: Span<T>, to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    checkRank(destination)
    traffic.countMessage(bytes: values.count * MemoryLayout<T>.stride)
    let raw = raw
    try unsafe values.withUnsafeBufferPointer { (buffer) throws(MPIError) in
      unsafe try raw.send(
        buffer.baseAddress, count: buffer.count, T.scalarKind, to: destination, tag: tag)
    }
  }

  /// Receives a message from another rank.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Recv`.
  ///
  /// - Parameters:
  ///   - values: The span that the message fills.
  ///   - source: The rank that sends the message.
  ///   - tag: The number that the sender gave to the message.
  /// - Throws: ``MPIError`` if the library fails or the message does not fill the span exactly.
  public borrowing func receive<T: MPIScalar>(
    into values: inout MutableSpan<T>, from source: Int, tag: Int = 0
  ) throws(MPIError) {
    checkRank(source)
    let raw = raw
    try unsafe values.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      unsafe try raw.receive(
        buffer.baseAddress, count: buffer.count, T.scalarKind, from: source, tag: tag)
    }
  }

  /// Lets messages be under way while a body works.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Wait`.
  ///
  /// The body starts sends from, and receives into, ranges of two spans, and may compute
  /// meanwhile. All of them are complete when this function returns or throws, and until then the
  /// received values are out of reach: a request cannot outlive its memory. So every rank has to
  /// start the counterparts of the messages. After a failure it waits for them a few seconds; then receives
  /// are taken back, and if a message is not received all ranks are ended with status 70.
  ///
  ///     try communicator.withRequests(sending: boundary.span, receiving: &halo) {
  ///       (requests) throws(MPIError) in
  ///       try requests.receive(0..<8, from: left, tag: 0)
  ///       try requests.send(0..<8, to: right, tag: 0)
  ///       computeInterior()
  ///     }
  ///
  /// - Parameters:
  ///   - sent: The values that messages are sent from.
  ///   - received: The values that messages are received into.
  ///   - body: The function that starts the messages.
  /// - Returns: What the body returns.
  /// - Throws: ``MPIError`` if the library fails, a message has not the expected length, or the
  ///   body throws.
  public borrowing func withRequests<T: MPIScalar, R>(
    sending sent: Span<T>, receiving received: inout MutableSpan<T>,
    _ body: (inout Requests<T>) throws(MPIError) -> R
  ) throws(MPIError) -> R {
    let (raw, traffic, size) = (raw, traffic, size)
    return try unsafe sent.withUnsafeBufferPointer { (sent) throws(MPIError) -> R in
      try unsafe received.withUnsafeMutableBufferPointer { (received) throws(MPIError) -> R in
        // Both buffers stay where they are until the requests are finished below.
        var requests = unsafe Requests(
          raw: raw, traffic: traffic, size: size, sent: sent, received: received)
        let result: R
        do throws(MPIError) {
          result = try body(&requests)
        } catch {
          // The error of the body is the cause; one that follows from it says less.
          requests.settle()
          throw error
        }
        try requests.waitForAll()
        return result
      }
    }
  }
}
