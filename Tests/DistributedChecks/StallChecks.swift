import Foundation
import MessagePassing
import ParallelHDF5

/// In all but the first three of these checks the last rank hangs, and the watch of the others ends the
/// program.
let stallChecks = [
  Check("no-stall", checkNoStall),
  Check("no-stall-outside", checkNoStallOutside),
  Check("no-stall-resting", checkNoStallResting),
  Check("stall-after-resting", stallAfterResting),
  Check("stall-receive", stallInReceive),
  Check("stall-send", stallInSend),
  Check("stall-halo", stallInHalo),
  Check("stall-group", stallInGroup),
  Check("stall-nested", stallInNested),
  Check("stall-stopped", stallOfStopped),
  Check("stall-end", isFollowedByBarrier: false, stallAtEnd),
  Check("stall-hdf5-close", stallInClose),
  Check("stall-hdf5-drop", stallInDrop),
]

/// Starts the watch with a short timeout.
private func watch(_ world: borrowing Communicator) {
  world.stallWatch.start(timeout: .seconds(1), program: "checks")
}

/// Never ends.
private func hang() {
  while true { Thread.sleep(forTimeInterval: 1) }
}

private func isLast(_ world: borrowing Communicator) -> Bool { world.rank == world.size - 1 }

/// Many waits, and calls inside of a watched function, that last longer than the timeout together.
@Sendable private func checkNoStall(_ world: borrowing Communicator) throws {
  world.stallWatch.start(timeout: .seconds(4), program: "checks")
  world.stallWatch.phase = StallWatch.Phase("late barrier")
  try world.stallWatch.watching("all barriers") {
    for round in 0..<25 {
      if round % world.size == world.rank { Thread.sleep(forTimeInterval: 0.2) }
      try world.barrier()
    }
  }
  try expectEqual(world.stallWatch.phase, StallWatch.Phase("late barrier"), "the phase")
  world.stallWatch.stop()
}

/// Work between two calls is no wait, and a watch that was stopped sees none.
@Sendable private func checkNoStallOutside(_ world: borrowing Communicator) throws {
  watch(world)
  try world.barrier()
  Thread.sleep(forTimeInterval: 1.5)
  world.stallWatch.stop()
  // The watching thread ends, so that the next start makes another one.
  Thread.sleep(forTimeInterval: 0.5)
  world.stallWatch.watching("nothing") { Thread.sleep(forTimeInterval: 1.5) }
  try world.barrier()
}

/// Ranks that rest may wait longer than the timeout, also after a rest inside of the first.
@Sendable private func checkNoStallResting(_ world: borrowing Communicator) throws {
  watch(world)
  try world.stallWatch.resting {
    try world.stallWatch.resting { try world.barrier() }
    if isLast(world) { Thread.sleep(forTimeInterval: 2) }
    try world.barrier()
  }
  world.stallWatch.stop()
}

/// The last rank hangs after a rest that was long enough for the watching thread to look twice.
@Sendable private func stallAfterResting(_ world: borrowing Communicator) throws {
  watch(world)
  world.stallWatch.resting { Thread.sleep(forTimeInterval: 1) }
  if isLast(world) { hang() }
  try world.barrier()
}

/// The last rank never sends.
@Sendable private func stallInReceive(_ world: borrowing Communicator) throws {
  // The watch can be started anew.
  watch(world)
  world.stallWatch.stop()
  watch(world)
  if isLast(world) { hang() }
  world.stallWatch.phase = StallWatch.Phase("forward halo exchange", 1)
  var values = [0]
  var span = values.mutableSpan
  try world.receive(into: &span, from: world.size - 1, tag: 5)
}

/// The last rank never receives what is too long to be sent without it.
@Sendable private func stallInSend(_ world: borrowing Communicator) throws {
  watch(world)
  if isLast(world) { hang() }
  let values = [Int](repeating: 1, count: 1 << 20)
  try world.send(values.span, to: world.size - 1, tag: 7)
}

/// The last rank sends nothing to its neighbours, and those name it, not the other neighbour.
@Sendable private func stallInHalo(_ world: borrowing Communicator) throws {
  watch(world)
  if isLast(world) { hang() }
  let (rank, size) = (world.rank, world.size)
  let (right, left) = ((rank + 1) % size, (rank + size - 1) % size)
  let sent = [Int](repeating: rank, count: 1 << 16)
  var received = [0, 0] + sent + sent
  var span = received.mutableSpan
  try world.withRequests(sending: sent.span, receiving: &span) { (requests) throws(MPIError) in
    try requests.send(0..<sent.count, to: right, tag: 0)
    try requests.send(0..<sent.count, to: left, tag: 1)
    try requests.receive(0..<sent.count, from: left, tag: 0)
    try requests.receive(sent.count..<2 * sent.count, from: right, tag: 1)
  }
}

/// The last rank does not enter a collective operation of a group without the first rank.
@Sendable private func stallInGroup(_ world: borrowing Communicator) throws {
  watch(world)
  let (rank, size) = (world.rank, world.size)
  switch try world.split(color: rank == 0 ? nil : 0, key: -rank) {
  case .some(let group):
    try expectEqual(group.worldRanks, (1..<size).reversed(), "the world ranks")
    let copy = try group.duplicate()
    try expectEqual(copy.worldRanks, group.worldRanks, "the world ranks of the copy")
    if isLast(world) { hang() }
    world.stallWatch.phase = StallWatch.Phase("sum of gradients")
    let (sent, counts) = (Array(1..<size), [Int](repeating: 1, count: size - 1))
    var received = sent
    var span = received.mutableSpan
    try copy.allToAll(sent.span, counts: counts, into: &span, receiveCounts: counts)
  case .none: break
  }
}

/// The last rank hangs in a watched function of its own, after a call inside of it.
@Sendable private func stallInNested(_ world: borrowing Communicator) throws {
  watch(world)
  try world.stallWatch.watching("other library", "file.txt") {
    try world.barrier()
    if isLast(world) { hang() }
  }
  // The others would be the first to end the program otherwise.
  Thread.sleep(forTimeInterval: 20)
}

/// The last rank is stopped as by a debugger, together with its watch.
@Sendable private func stallOfStopped(_ world: borrowing Communicator) throws {
  watch(world)
  if isLast(world) { kill(getpid(), SIGSTOP) }
  _ = try world.allReduce(.sum, 1)
}

/// The last rank does not come to the end.
@Sendable private func stallAtEnd(_ world: borrowing Communicator) throws {
  watch(world)
  if isLast(world) { hang() }
}

/// The last rank does not close a file.
@Sendable private func stallInClose(_ world: borrowing Communicator) throws {
  let file = try stallFile(world)
  if isLast(world) { hang() }
  try file.close()
}

/// The last rank does not drop a file, as the others do without closing it.
@Sendable private func stallInDrop(_ world: borrowing Communicator) throws {
  let file = try stallFile(world)
  if isLast(world) { hang() }
  _ = consume file
}

/// Creates a file under the name that the launcher passes, and starts the watch.
private func stallFile(_ world: borrowing Communicator) throws -> HDF5File {
  let path = ProcessInfo.processInfo.environment["STALL_FILE"] ?? "stall.h5"
  let file = try HDF5File.create(path, on: world)
  watch(world)
  return file
}
