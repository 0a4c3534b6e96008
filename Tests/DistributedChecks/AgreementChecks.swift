import MessagePassing

let agreementChecks = [
  Check("agree", checkAgree),
  Check("agree-one-fails", checkOneFails),
  Check("agree-several-fail", checkSeveralFail),
  Check("agree-nested", checkNested),
]

private struct LocalFailure: ExitStatusError {
  let message: String
  let exitStatus: Int32
}

private struct PlainFailure: Error, CustomStringConvertible {
  let description: String
}

/// Without a failure everyone gets the own value.
@Sendable private func checkAgree(_ world: borrowing Communicator) throws {
  let value = try world.agree { 10 * world.rank }
  try expectEqual(value, 10 * world.rank, "the value")
  try expectEqual(world.traffic.collectives, 1, "the number of collectives")
}

/// Each rank fails once, alone, and every rank hears of it.
@Sendable private func checkOneFails(_ world: borrowing Communicator) throws {
  let rank = world.rank
  for failing in 0..<world.size {
    let status = Int32(65 + failing)
    func attempt() throws {
      try world.agree {
        if rank == failing { throw LocalFailure(message: "bad ✗ \(rank)", exitStatus: status) }
      }
    }
    if rank == failing {
      let error = try expectThrows(LocalFailure.self) { try attempt() }
      try expectEqual(error.message, "bad ✗ \(failing)", "the own message")
    } else {
      let error = try expectThrows(RemoteFailure.self) { try attempt() }
      try expectEqual(error.rank, failing, "the failing rank")
      try expectEqual(error.message, "bad ✗ \(failing)", "the message")
      try expectEqual(error.exitStatus, status, "the exit status")
    }
  }
}

/// All but the first rank fail; the lowest of them is the one that counts.
@Sendable private func checkSeveralFail(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let lowest = min(1, size - 1)
  let error = try expectThrows((any Error).self) {
    try world.agree {
      if rank >= lowest { throw PlainFailure(description: "plain \(rank)") }
    }
  }
  try expectEqual(ExitStatus.message(of: error), "plain \(lowest)", "the message")
  try expectEqual(ExitStatus.status(of: error), 70, "the exit status")
  try expectEqual(error is RemoteFailure, rank != lowest, "whether the failure is remote")
}

/// A failure keeps its origin when it passes through agreements of groups and of all.
@Sendable private func checkNested(_ world: borrowing Communicator) throws {
  let (rank, size) = (world.rank, world.size)
  let group = try world.split(color: rank < size - 1 ? 0 : 1, key: 0)
  let error = try expectThrows((any Error).self) {
    try world.agree {
      switch group {
      case .some(let group):
        try group.agree {
          if rank == size - 1 { throw LocalFailure(message: "inner", exitStatus: 66) }
        }
      case .none: break
      }
    }
  }
  try expectEqual(ExitStatus.status(of: error), 66, "the exit status")
  try expectEqual(ExitStatus.message(of: error), "inner", "the message")
  if let remote = error as? RemoteFailure {
    try expectEqual(remote.rank, size - 1, "the origin")
  } else {
    try expectEqual(rank, size - 1, "the rank with an error of its own")
  }
}
