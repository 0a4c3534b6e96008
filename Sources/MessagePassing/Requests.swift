/// The messages that are under way in one call of `withRequests`.
@safe
public struct Requests<Scalar: MPIScalar>: ~Copyable {
  private let raw: RawCommunicator
  private let traffic: TrafficCounters
  private let size: Int
  private let sent: UnsafeBufferPointer<Scalar>
  private let received: UnsafeMutableBufferPointer<Scalar>
  private var pending: [PendingRequest] = []

  /// Creates an empty list of messages over two buffers that outlive it.
  @unsafe
  init(
    raw: RawCommunicator, traffic: TrafficCounters, size: Int,
    sent: UnsafeBufferPointer<Scalar>, received: UnsafeMutableBufferPointer<Scalar>
  ) {
    self.raw = raw
    self.traffic = traffic
    self.size = size
    unsafe self.sent = sent
    unsafe self.received = received
  }

  /// Starts to send a range of the outgoing values.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Isend`.
  ///
  /// - Parameters:
  ///   - range: The positions of the values.
  ///   - destination: The rank that receives the message.
  ///   - tag: The number by which the receiver tells messages apart, at least zero.
  /// - Throws: ``MPIError`` if the library fails.
  public mutating func send(
    _ range: Range<Int>, to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    unsafe check(range, count: sent.count, rank: destination)
    traffic.countMessage(bytes: range.count * MemoryLayout<Scalar>.stride)
    // The range lies inside of the buffer, which outlives the request.
    let start = unsafe sent.baseAddress.map { unsafe $0 + range.lowerBound }
    pending.append(
      unsafe try raw.startSend(
        start, count: range.count, Scalar.scalarKind, to: destination, tag: tag))
  }

  /// Starts to receive a message into a range of the incoming values.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Irecv`.
  ///
  /// - Parameters:
  ///   - range: The positions that the message fills; the ranges of two messages do not overlap.
  ///   - source: The rank that sends the message.
  ///   - tag: The number that the sender gave to the message.
  /// - Throws: ``MPIError`` if the library fails.
  public mutating func receive(
    _ range: Range<Int>, from source: Int, tag: Int = 0
  ) throws(MPIError) {
    unsafe check(range, count: received.count, rank: source)
    // The range lies inside of the buffer, which outlives the request.
    let start = unsafe received.baseAddress.map { unsafe $0 + range.lowerBound }
    pending.append(
      unsafe try raw.startReceive(
        start, count: range.count, Scalar.scalarKind, from: source, tag: tag))
  }

  /// Helps messages along that are under way, without waiting.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Iprobe`. Many libraries move messages only while
  /// they are called.
  ///
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func progress() throws(MPIError) { try raw.progress() }

  /// Waits for all messages that were started.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Wait`.
  ///
  /// - Throws: ``MPIError`` if the library fails or a message has not the expected length.
  public mutating func waitForAll() throws(MPIError) {
    let finished = pending
    pending = []
    try raw.waitForAll(finished)
  }

  /// Ends all messages after a failure, also those that never come.
  mutating func settle() {
    let open = pending
    pending = []
    raw.settle(open)
  }

  /// Stops the program if a message would leave its buffer or its communicator.
  private func check(_ range: Range<Int>, count: Int, rank: Int) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "The message \(range) leaves the \(count) values")
    precondition((0..<size).contains(rank), "Rank \(rank) is not below the size \(size)")
  }
}
