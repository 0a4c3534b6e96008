internal import CMPI
internal import Foundation

/// The point-to-point calls; see ``RawCommunicator`` for what the pointers must be good for.
extension RawCommunicator {
  /// Calls a routine that waits for one process of the communicator.
  private func watching(
    _ name: StaticString, _ rank: Int, tag: Int, _ function: StaticString, _ body: () -> Int32
  ) throws(MPIError) {
    let wait = Wait(name: name, peer: .rank(worldRanks[rank]), tag: tag)
    try check(watch.watching(wait, body), function)
  }

  @unsafe
  func send(
    _ values: UnsafeRawPointer?, count: Int, _ kind: ScalarKind, to rank: Int, tag: Int
  ) throws(MPIError) {
    let function: StaticString = "MPI_Send"
    let (count, peer) = (try narrowed(count, function), try narrowed(rank, function))
    let label = try narrowed(tag, function)
    try watching("send", rank, tag: tag, function) {
      unsafe MPI_Send(values, count, kind.datatype, peer, label, handle)
    }
  }

  @unsafe
  func receive(
    _ values: UnsafeMutableRawPointer?, count: Int, _ kind: ScalarKind, from rank: Int, tag: Int
  ) throws(MPIError) {
    let function: StaticString = "MPI_Recv"
    let (narrow, peer) = (try narrowed(count, function), try narrowed(rank, function))
    let label = try narrowed(tag, function)
    var status = MPI_Status()
    try watching("receive", rank, tag: tag, function) {
      unsafe MPI_Recv(values, narrow, kind.datatype, peer, label, handle, &status)
    }
    try checkCount(count, kind, status, function)
  }

  @unsafe
  func startSend(
    _ values: UnsafeRawPointer?, count: Int, _ kind: ScalarKind, to rank: Int, tag: Int
  ) throws(MPIError) -> PendingRequest {
    let function: StaticString = "MPI_Isend"
    let (narrow, peer) = (try narrowed(count, function), try narrowed(rank, function))
    let label = try narrowed(tag, function)
    var request: MPI_Request? = unsafe cmpi_request_null()
    try check(
      unsafe MPI_Isend(values, narrow, kind.datatype, peer, label, handle, &request), function)
    let wait = Wait(name: "send", peer: .rank(worldRanks[rank]), tag: tag)
    return unsafe PendingRequest(handle: request, expectedCount: nil, kind: kind, wait: wait)
  }

  @unsafe
  func startReceive(
    _ values: UnsafeMutableRawPointer?, count: Int, _ kind: ScalarKind, from rank: Int, tag: Int
  ) throws(MPIError) -> PendingRequest {
    let function: StaticString = "MPI_Irecv"
    let (narrow, peer) = (try narrowed(count, function), try narrowed(rank, function))
    let label = try narrowed(tag, function)
    var request: MPI_Request? = unsafe cmpi_request_null()
    try check(
      unsafe MPI_Irecv(values, narrow, kind.datatype, peer, label, handle, &request), function)
    let wait = Wait(name: "receive", peer: .rank(worldRanks[rank]), tag: tag)
    return unsafe PendingRequest(handle: request, expectedCount: count, kind: kind, wait: wait)
  }

  func startBarrier() throws(MPIError) -> PendingRequest {
    var request: MPI_Request? = unsafe cmpi_request_null()
    try check(unsafe MPI_Ibarrier(handle, &request), "MPI_Ibarrier")
    let wait = Wait(name: "barrier at the end of the run", peer: .group(worldRanks))
    return unsafe PendingRequest(handle: request, expectedCount: nil, kind: .uint8, wait: wait)
  }

  /// Says whether a request is complete, and helps it along.
  func isComplete(_ request: inout PendingRequest) throws(MPIError) -> Bool {
    var flag: Int32 = 0
    try check(unsafe MPI_Test(&request.handle, &flag, cmpi_status_ignore()), "MPI_Test")
    return flag != 0
  }

  /// Helps all messages along that are under way.
  func progress() throws(MPIError) {
    var flag: Int32 = 0
    try check(
      unsafe MPI_Iprobe(
        MPI_ANY_SOURCE, MPI_ANY_TAG, handle, &flag, cmpi_status_ignore()), "MPI_Iprobe")
  }

  /// Waits for all requests and checks how much the receives among them received.
  ///
  /// One after the other, since MPI_Waitall may return at the first error with others under way,
  /// and since the watch can then name a rank that has not delivered. The receives come first: a
  /// send that is not complete says less.
  func waitForAll(_ requests: [PendingRequest]) throws(MPIError) {
    var open = requests.filter { $0.expectedCount != nil }
    open += requests.filter { $0.expectedCount == nil }
    while let request = open.first {
      open.removeFirst()
      do throws(MPIError) {
        try wait(for: request)
      } catch {
        settle(open)
        throw error
      }
    }
  }

  /// Ends requests after a failure, so that it can be told.
  ///
  /// Those that are complete within the grace period are taken as they are. Then the receives that are left are
  /// taken back. A send cannot be taken back, and its values must stay where they are: then all ranks are ended.
  func settle(_ requests: [PendingRequest]) {
    var open = requests
    let deadline = ContinuousClock.now + Self.grace
    while true {
      open = open.filter { request in
        var request = request
        // A request that failed is complete.
        return (try? isComplete(&request)) == false
      }
      guard !open.isEmpty, ContinuousClock.now < deadline else { break }
      Thread.sleep(forTimeInterval: 0.001)
    }
    for request in open where request.expectedCount != nil { cancel(request) }
    guard let send = open.first(where: { $0.expectedCount == nil }) else { return }
    let text = "rank \(worldRank): a message is not received\(send.wait.text(rank: worldRank)): "
    FileHandle.standardError.write(Data((text + "ending all ranks\n").utf8))
    abort(status: ExitStatus.software)
    exit(ExitStatus.software)
  }

  /// The time in which messages can still arrive after a failure.
  private static let grace = Duration.seconds(5)

  /// Takes a receive back.
  private func cancel(_ request: PendingRequest) {
    var handle = unsafe request.handle
    // What fails here follows from the failure that is about to be told.
    _ = unsafe MPI_Cancel(&handle)
    _ = watch.watching(request.wait) { unsafe MPI_Wait(&handle, cmpi_status_ignore()) }
  }

  private func wait(for request: PendingRequest) throws(MPIError) {
    let function: StaticString = "MPI_Wait"
    var handle = unsafe request.handle
    var status = MPI_Status()
    try check(watch.watching(request.wait) { unsafe MPI_Wait(&handle, &status) }, function)
    guard let expected = request.expectedCount else { return }
    try checkCount(expected, request.kind, status, function)
  }

  /// Throws unless a message had exactly the expected number of values.
  private func checkCount(
    _ expected: Int, _ kind: ScalarKind, _ status: MPI_Status, _ function: StaticString
  ) throws(MPIError) {
    var (received, status) = (Int32(0), status)
    try check(unsafe MPI_Get_count(&status, kind.datatype, &received), "MPI_Get_count")
    guard Int(received) == expected else {
      let text =
        "received \(received) values from rank \(status.MPI_SOURCE) with tag "
        + "\(status.MPI_TAG), expected \(expected)"
      throw MPIError(MPI_ERR_TRUNCATE, text, function: function, rank: worldRank)
    }
  }
}

/// A non-blocking operation that has begun.
@safe
struct PendingRequest {
  /// The request of the library.
  var handle: MPI_Request?
  /// The number of values that a receive must bring, nil for all other operations.
  let expectedCount: Int?
  /// The kind of the values.
  let kind: ScalarKind
  /// What is waited for until the operation is complete.
  let wait: Wait

  @unsafe
  init(handle: MPI_Request?, expectedCount: Int?, kind: ScalarKind, wait: Wait) {
    unsafe self.handle = handle
    self.expectedCount = expectedCount
    self.kind = kind
    self.wait = wait
  }
}
