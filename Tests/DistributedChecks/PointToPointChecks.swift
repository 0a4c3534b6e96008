import MessagePassing

let pointToPointChecks = [
  Check("token", checkToken),
  Check("tags", checkTags),
  Check("halo", checkHalo),
  Check("unexpected-length", checkUnexpectedLength),
  Check("error-in-requests", checkErrorInRequests),
  Check("error-before-message", checkErrorBeforeMessage),
  Check("error-with-lost-message", errorWithLostMessage),
]

/// A token goes around and collects something from each rank.
@Sendable private func checkToken(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  var token = [0, rank]
  func receive() throws {
    var span = token.mutableSpan
    try world.receive(into: &span, from: (rank + size - 1) % size, tag: 5)
  }
  if rank > 0 { try receive() }
  token = [token[0] + 1, token[1] + 10 * rank]
  try world.send(token.span, to: (rank + 1) % size, tag: 5)
  if rank == 0 {
    try receive()
    try expectEqual(token, [size, 5 * size * (size - 1)], "the token")
  }
  try expectEqual(world.traffic.messages, 1, "the number of messages")
  try expectEqual(world.traffic.messageBytes, 16, "the bytes of messages")
}

/// Messages are told apart by their tags, not by their order.
@Sendable private func checkTags(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let (next, previous) = ((rank + 1) % size, (rank + size - 1) % size)
  let sent = [Int64(rank), Int64(rank + 1000)]
  var received: [Int64] = [-1, -1]
  var span = received.mutableSpan
  try world.withRequests(sending: sent.span, receiving: &span) { (requests) throws(MPIError) in
    try requests.receive(0..<1, from: previous, tag: 2)
    try requests.receive(1..<2, from: previous, tag: 1)
    try requests.send(0..<1, to: next, tag: 1)
    try requests.send(1..<2, to: next, tag: 2)
  }
  try expectEqual(received, [Int64(previous + 1000), Int64(previous)], "the messages")
}

/// Both neighbours exchange values whose number differs from rank to rank, long and short ones.
@Sendable private func checkHalo(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let (right, left) = ((rank + 1) % size, (rank + size - 1) % size)
  for scale in [0, 1, 50_000] {
    func length(_ rank: Int) -> Int { scale * (rank + 1) }
    func value(_ rank: Int, _ index: Int) -> Double { Double(1_000_000 * (rank + 1) + index) }
    let sent = (0..<length(rank)).map { value(rank, $0) }
    var received = [Double](repeating: -1, count: length(left) + length(right))
    let before = (world.traffic.messages, world.traffic.messageBytes)
    var span = received.mutableSpan
    let answer = try world.withRequests(sending: sent.span, receiving: &span) {
      (requests) throws(MPIError) in
      try requests.receive(0..<length(left), from: left, tag: 0)
      try requests.receive(length(left)..<length(left) + length(right), from: right, tag: 1)
      try requests.send(0..<length(rank), to: right, tag: 0)
      try requests.send(0..<length(rank), to: left, tag: 1)
      return 42 + rank
    }
    try expectEqual(answer, 42 + rank, "what the body returned")
    let expected = [left, right].flatMap { rank in (0..<length(rank)).map { value(rank, $0) } }
    try expect(received == expected, "the halo of scale \(scale) is wrong")
    try expectEqual(world.traffic.messages, before.0 + 2, "the number of messages")
    try expectEqual(world.traffic.messageBytes, before.1 + 16 * length(rank), "the bytes")
  }
}

/// A message must fill the span, neither more nor less.
@Sendable private func checkUnexpectedLength(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let (next, previous) = ((rank + 1) % size, (rank + size - 1) % size)
  // Open MPI 4.1 cuts a message to oneself without a word.
  for length in next == rank ? [4] : [2, 4] {
    let sent = [Float](repeating: Float(rank), count: 3)
    var received = [Float](repeating: -1, count: length)
    let error = try expectThrows(MPIError.self) {
      var span = received.mutableSpan
      try world.withRequests(sending: sent.span, receiving: &span) {
        (requests) throws(MPIError) in
        try requests.receive(0..<length, from: previous)
        try requests.send(0..<3, to: next)
      }
    }
    try expectEqual(error.rank, rank, "the rank of the error")
    try expectEqual(error.function, "MPI_Wait", "the function of the error")
    try expect(!error.text.isEmpty, "the error has no text")
  }
}

/// Requests that are under way are completed when the body throws.
@Sendable private func checkErrorInRequests(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let (next, previous) = ((rank + 1) % size, (rank + size - 1) % size)
  let sent = [Int](repeating: rank, count: 20_000)
  var received = [Int](repeating: -1, count: 20_000)
  let error = try expectThrows(MPIError.self) {
    var span = received.mutableSpan
    try world.withRequests(sending: sent.span, receiving: &span) {
      (requests) throws(MPIError) in
      try requests.receive(0..<20_000, from: previous)
      try requests.send(0..<20_000, to: next)
      // No tag is that large.
      try requests.send(0..<1, to: next, tag: Int.max)
    }
  }
  try expect(error.text.contains("32 bits"), "the error is \(error)")
  try expectEqual(received, [Int](repeating: previous, count: 20_000), "what was received")
}

/// A failure is told although a message that is expected never comes.
@Sendable private func checkErrorBeforeMessage(_ world: borrowing Communicator) throws {
  guard world.rank == world.size - 1 else { return }
  let sent = [0]
  var received = [-1, -1]
  let error = try expectThrows(MPIError.self) {
    var span = received.mutableSpan
    try world.withRequests(sending: sent.span, receiving: &span) {
      (requests) throws(MPIError) in
      try requests.receive(0..<2, from: 0)
      try requests.send(0..<1, to: 0, tag: Int.max)
    }
  }
  try expect(error.text.contains("32 bits"), "the error is \(error)")
  try expectEqual(received, [-1, -1], "what was received")
}

/// The last rank fails while a long message of it waits for a rank that never receives it.
@Sendable private func errorWithLostMessage(_ world: borrowing Communicator) throws {
  guard world.rank == world.size - 1 else { return try world.barrier() }
  let sent = [Int](repeating: 1, count: 1 << 20)
  var received: [Int] = []
  var span = received.mutableSpan
  try world.withRequests(sending: sent.span, receiving: &span) { (requests) throws(MPIError) in
    try requests.send(0..<sent.count, to: 0, tag: 3)
    try requests.send(0..<1, to: 0, tag: Int.max)
  }
}
