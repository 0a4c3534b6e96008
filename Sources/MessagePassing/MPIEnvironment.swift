internal import Foundation
internal import Synchronization

/// The scope in which MPI can be used.
public enum MPIEnvironment {
  /// The rank of this process as the launcher says, zero without a launcher.
  ///
  /// It can be used before, and without, ``run(grace:_:)``.
  public static var launcherRank: Int {
    let environment = ProcessInfo.processInfo.environment
    let names = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"]
    return names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first ?? 0
  }

  /// Runs a function with MPI initialized.
  ///
  /// Collective. The corresponding MPI routines are `MPI_Init_thread` and `MPI_Finalize`.
  ///
  /// Errors of the library are returned to the caller (`MPI_ERRORS_RETURN`), and only the calling
  /// thread may use MPI (`MPI_THREAD_FUNNELED`). MPI can be initialized once in a process.
  ///
  /// If the body throws on all ranks, as it does after ``Communicator/agree(_:)``, the error is
  /// thrown here. If it throws on some while the others do not come to the end within the grace
  /// period, because they wait for those that failed, the error is written to standard error and
  /// all processes end with its exit status. A rank that hangs is noticed if the body starts the
  /// ``StallWatch`` of its communicator.
  ///
  /// - Parameters:
  ///   - grace: The time that the other ranks have to come to the end after a failure.
  ///   - body: The function; it gets the communicator of all processes.
  /// - Returns: What the body returns.
  /// - Throws: What the body throws, or ``MPIError`` if the library fails.
  public static func run<R>(
    grace: Duration = .seconds(10), _ body: (borrowing Communicator) throws -> R
  ) throws -> R {
    try RawCommunicator.initialize()
    let world = try RawCommunicator.world()
    defer { world.watch.stop() }
    let (outcome, endsAbruptly) = try withWorld(world, grace: grace, body)
    if !endsAbruptly { try world.finalize() }
    return try outcome.get()
  }

  private static let abruptEnd = Atomic(false)

  /// Whether the program must end without `MPI_Finalize`, which would also shut down a library that is not in order
  /// after a failure.
  package static var endsAbruptly: Bool {
    get { abruptEnd.load(ordering: .relaxed) }
    set { abruptEnd.store(newValue, ordering: .relaxed) }
  }

  /// Runs the body with all communicators inside of this scope.
  private static func withWorld<R>(
    _ raw: RawCommunicator, grace: Duration, _ body: (borrowing Communicator) throws -> R
  ) throws(MPIError) -> (Result<R, any Error>, endsAbruptly: Bool) {
    let world = try Communicator(adopting: raw, traffic: TrafficCounters(), isOwned: false)
    try world.raw.returnErrors()
    // The ranks meet on a communicator of its own at the end, so that open messages do not interfere.
    let exit = try Communicator(
      adopting: try world.raw.duplicate(), traffic: TrafficCounters(), isOwned: true)
    let outcome: Result<R, any Error>
    do {
      outcome = .success(try body(world))
    } catch {
      outcome = .failure(error)
    }
    var request = try exit.raw.startBarrier()
    guard case .failure(let error) = outcome else {
      try exit.raw.waitForAll([request])
      return (outcome, try exit.allReduce(.max, endsAbruptly ? 1 : 0) == 1)
    }
    let deadline = ContinuousClock.now + grace
    while try !exit.raw.isComplete(&request) {
      guard ContinuousClock.now < deadline else {
        let message = ExitStatus.message(of: error)
        let text = "rank \(world.rank): \(message) (the other ranks did not follow: ending them)\n"
        FileHandle.standardError.write(Data(text.utf8))
        world.raw.abort(status: ExitStatus.status(of: error))
        return (outcome, true)
      }
      Thread.sleep(forTimeInterval: 0.001)
    }
    return (outcome, try exit.allReduce(.max, endsAbruptly ? 1 : 0) == 1)
  }
}
