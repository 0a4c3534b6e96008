import ClusterTrees
import MessagePassing
import Training

/// What a verb does, with the options of a call.
protocol Command {
  /// Runs it and returns the exit status.
  func run() throws -> Int32
}

/// What a verb does on all ranks together.
protocol DistributedCommand: Command {
  /// Whether a signal asks it to stop at a checkpoint, instead of ending it at once.
  static var stopsAtSignals: Bool { get }

  /// The options of the call.
  var arguments: Arguments { get }

  /// Runs it and returns the exit status.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32
}

extension DistributedCommand {
  static var stopsAtSignals: Bool { false }

  func run() throws -> Int32 {
    // A signal must not end the program while it reads its data either.
    if Self.stopsAtSignals { StopSignals.install() }
    // A wrong number is found before the ranks meet.
    _ = try arguments.stallTimeout()
    return try onRanks { world in
      try watch(world)
      try world.agree { try Voice.checkPlace(of: "summary", arguments) }
      return try run(on: world)
    }
  }

  /// Watches over ranks that wait for others, as `--stall-timeout` says.
  func watch(_ world: borrowing Communicator) throws(RunError) {
    guard let timeout = try arguments.stallTimeout() else { return world.stallWatch.stop() }
    world.stallWatch.start(timeout: timeout, program: "h2nn-dist")
  }
}

/// A failure that has been reported.
struct Reported: Error {
  let exitStatus: Int32
}

/// Reports an error on rank 0 and returns its exit status.
func report(_ error: any Error) -> Int32 {
  switch error {
  case let failure as RemoteFailure:
    Voice.note("h2nn-dist: rank \(failure.rank): \(failure.message)")
    return failure.exitStatus
  case let error as ClusterTreeError:
    Voice.note("h2nn-dist: \(error.message)")
    return ExitStatus.usage
  default:
    Voice.note("h2nn-dist: \(ExitStatus.message(of: error))")
    return ExitStatus.status(of: error)
  }
}

/// Runs a body on all ranks.
///
/// An error is reported before the ranks end: mpirun ends the others as soon as one has ended with a nonzero
/// status, and rank 0 might not print its message.
func onRanks<R>(_ body: (borrowing Communicator) throws -> R) throws -> R {
  try MPIEnvironment.run { world in
    do {
      return try body(world)
    } catch {
      throw Reported(exitStatus: report(error))
    }
  }
}
