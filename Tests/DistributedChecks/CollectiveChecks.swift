import Foundation
import MessagePassing

let collectiveChecks = [
  Check("barrier", checkBarrier),
  Check("broadcast", checkBroadcast),
  Check("broadcast-bytes", checkBroadcastBytes),
  Check("all-reduce", checkAllReduce),
  Check("maximum", checkMaximum),
  Check("all-gather", checkAllGather),
  Check("all-to-all", checkAllToAll),
  Check("split", checkSplit),
  Check("collective-traffic", checkCollectiveTraffic),
]

/// The last rank comes late, and all others wait for it.
@Sendable private func checkBarrier(_ world: borrowing Communicator) throws {
  _ = try world.allReduce(.sum, 1)
  let start = ContinuousClock.now
  // Much longer than others may take to come here where cores are few.
  if world.rank == world.size - 1 { Thread.sleep(forTimeInterval: 1.5) }
  try world.barrier()
  try expect(ContinuousClock.now - start > .milliseconds(200), "nobody was waited for")
}

@Sendable private func checkBroadcast(_ world: borrowing Communicator) throws {
  for root in 0..<world.size {
    var values = (0..<10 * root).map { Double(1000 * world.rank + $0) }
    var span = values.mutableSpan
    try world.broadcast(&span, from: root)
    try expectEqual(values, (0..<10 * root).map { Double(1000 * root + $0) }, "root \(root)")
  }
}

/// Only the root knows the length, which may be zero.
@Sendable private func checkBroadcastBytes(_ world: borrowing Communicator) throws {
  for root in 0..<world.size {
    let mine = [UInt8](repeating: UInt8(world.rank + 1), count: 7 * world.rank)
    let bytes = try world.broadcast(mine, from: root)
    try expectEqual(bytes, [UInt8](repeating: UInt8(root + 1), count: 7 * root), "root \(root)")
  }
}

@Sendable private func checkAllReduce(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let squares = (1...size).reduce(0) { $0 + $1 * $1 }
  try expectEqual(try world.allReduce(.sum, (rank + 1) * (rank + 1)), squares, "sum")
  try expectEqual(try world.allReduce(.max, Int32(3 * rank - 5)), Int32(3 * size - 8), "max")
  try expectEqual(try world.allReduce(.min, UInt64(size - rank)), 1, "min")
  var values = (0..<5).map { Int64(rank * $0) }
  var span = values.mutableSpan
  try world.allReduce(.sum, &span)
  let ranks = size * (size - 1) / 2
  try expectEqual(values, (0..<5).map { Int64(ranks * $0) }, "sums")
}

@Sendable private func checkMaximum(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let isLast = rank == size - 1
  let fraction = 1 / Double(rank + 3)
  try expectEqual(try world.maximum(fraction), 1.0 / 3, "of positive numbers")
  try expectEqual(try world.maximum(-fraction), -1 / Double(size + 2), "of negative numbers")
  try expectEqual(try world.maximum(isLast ? 0 : -.infinity), 0, "of zero and infinity")
  try expectEqual(try world.maximum(isLast ? 1 : -1e300), 1, "of both signs")
  let noNumber = try world.maximum(isLast ? -Double.nan : .infinity)
  try expect(noNumber.isNaN, "the maximum with NaN is \(noNumber)")
}

@Sendable private func checkAllGather(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  // Rank 0, and every fourth, has nothing.
  let counts = (0..<size).map { 3 * $0 % 4 }
  let expected = (0..<size).flatMap { rank in
    (0..<counts[rank]).map { Float(100 * rank + $0) }
  }
  let part = (0..<counts[rank]).map { Float(100 * rank + $0) }
  var whole = [Float](repeating: -1, count: expected.count)
  var span = whole.mutableSpan
  try world.allGather(part.span, counts: counts, into: &span)
  try expectEqual(whole, expected, "the whole")

  let start = counts[..<rank].reduce(0, +)
  whole = expected.indices.map { (start..<start + part.count).contains($0) ? expected[$0] : -1 }
  span = whole.mutableSpan
  try world.allGatherInPlace(&span, counts: counts)
  try expectEqual(whole, expected, "the whole in place")

  try expectEqual(try world.allGather(7 * rank), (0..<size).map { 7 * $0 }, "one value each")
}

@Sendable private func checkAllToAll(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  func message(from source: Int, to destination: Int) -> [Int32] {
    (0..<(source + 2 * destination) % 3).map { Int32(100 * source + 10 * destination + $0) }
  }
  let outgoing = (0..<size).map { message(from: rank, to: $0) }
  let incoming = (0..<size).map { message(from: $0, to: rank) }
  let sent = outgoing.flatMap { $0 }
  var received = [Int32](repeating: -1, count: incoming.joined().count)
  var span = received.mutableSpan
  try world.allToAll(
    sent.span, counts: outgoing.map { $0.count }, into: &span,
    receiveCounts: incoming.map { $0.count })
  try expectEqual(received, incoming.flatMap { $0 }, "the messages")
}

/// Even ranks form a group in reverse order, odd ranks none.
@Sendable private func checkSplit(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let color = rank % 2 == 0 ? 3 : nil
  let before = world.traffic.collectives
  switch try world.split(color: color, key: -rank) {
  case .some(let group):
    let members = stride(from: 0, to: size, by: 2).reversed().map { $0 }
    try expectEqual(try group.allGather(rank), members, "the group")
    try expectEqual(group.worldRank, rank, "the rank in the world")
    try expectEqual(members[group.rank], rank, "the rank in the group")
    let copy = try group.duplicate()
    try expectEqual(try copy.allReduce(.sum, rank), members.reduce(0, +), "the sum of the copy")
    try expectEqual(world.traffic.collectives, before + 2, "collectives of all communicators")
  case .none:
    try expect(rank % 2 == 1, "rank \(rank) is in no group")
  }
}

/// Counters count calls and the bytes that this rank contributes.
@Sendable private func checkCollectiveTraffic(_ world: borrowing Communicator) throws {
  let counts = (0..<world.size).map { $0 + 1 }
  var whole = [Double](repeating: 0, count: counts.reduce(0, +))
  var span = whole.mutableSpan
  try world.barrier()
  try world.allGatherInPlace(&span, counts: counts)
  _ = try world.allReduce(.sum, Int32(1))
  span = whole.mutableSpan
  try world.broadcast(&span, from: world.size - 1)
  let isRoot = world.rank == world.size - 1
  let bytes = 8 * (world.rank + 1) + 4 + (isRoot ? 8 * whole.count : 0)
  try expectEqual(world.traffic.collectives, 4, "the number of collectives")
  try expectEqual(world.traffic.collectiveBytes, bytes, "the bytes of collectives")
  try expectEqual(world.traffic.messages, 0, "the number of messages")
}
