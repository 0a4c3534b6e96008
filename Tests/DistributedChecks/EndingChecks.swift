import Foundation
import MessagePassing

/// These checks end in a failure, which the test that starts them expects.
let endingChecks = [
  Check("abort", abortOnPurpose),
  Check("fail-together", failTogether),
  Check("fail-alone", failAlone),
  Check("hang", hang),
]

private struct Planned: ExitStatusError {
  let message: String
  let exitStatus: Int32
}

/// The last rank ends all, while the others wait for it.
@Sendable private func abortOnPurpose(_ world: borrowing Communicator) throws {
  if world.rank == world.size - 1 { world.abort(status: 42) }
  try world.barrier()
}

/// The last rank fails, and all agree.
@Sendable private func failTogether(_ world: borrowing Communicator) throws {
  try world.agree {
    if world.rank == world.size - 1 { throw Planned(message: "planned", exitStatus: 65) }
  }
}

/// The last rank fails without telling the others, which wait for it.
@Sendable private func failAlone(_ world: borrowing Communicator) throws {
  if world.rank == world.size - 1 { throw Planned(message: "planned", exitStatus: 66) }
  try world.barrier()
}

/// Never ends.
@Sendable private func hang(_ world: borrowing Communicator) throws {
  while true { Thread.sleep(forTimeInterval: 1) }
}
