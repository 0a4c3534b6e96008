internal import Foundation

/// A group of processes that exchange messages among themselves only.
///
/// A communicator is owned by one variable and freed with it. The world communicator, which
/// ``MPIEnvironment/run(grace:_:)`` lends to its body, is not freed.
///
/// Counts, ranks and spans that do not fit together are mistakes of the caller and stop the
/// program; what the library reports is thrown.
public struct Communicator: ~Copyable {
  /// The number of this process among those of the communicator.
  public let rank: Int
  /// The number of processes of the communicator.
  public let size: Int
  /// The counters of what this rank sent over this communicator and those made from it.
  public let traffic: TrafficCounters
  /// The handle and the calls.
  let raw: RawCommunicator
  /// Whether the handle is freed with the communicator.
  private let isOwned: Bool

  /// Takes over a handle, or borrows that of the world.
  init(adopting raw: RawCommunicator, traffic: TrafficCounters, isOwned: Bool) throws(MPIError) {
    let (rank, size) = (try raw.rank(), try raw.size())
    self.rank = rank
    self.size = size
    self.raw = raw
    self.traffic = traffic
    self.isOwned = isOwned
  }

  deinit {
    // A deinitializer cannot throw, and the process is about to end when this fails.
    if isOwned { try? raw.free() }
  }

  /// The number of this process in the world communicator.
  public var worldRank: Int { raw.worldRank }
  /// The numbers of all processes in the world communicator, in the order of their ranks here.
  public var worldRanks: [Int] { raw.worldRanks }
  /// The watch over the time that this rank waits, shared by all communicators of the program.
  public var stallWatch: StallWatch { raw.watch }

  /// The handle of the library, for modules of this package that pass it to another library.
  ///
  /// It must not be freed, and not be used after the communicator is gone.
  @unsafe
  package var handle: OpaquePointer { unsafe raw.handle }

  /// Makes a communicator of the same processes whose messages are kept apart.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Comm_dup`.
  ///
  /// - Returns: The new communicator, which counts into the same ``traffic``.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func duplicate() throws(MPIError) -> Communicator {
    try Communicator(adopting: try raw.duplicate(), traffic: traffic, isOwned: true)
  }

  /// Makes a communicator for each of several groups of processes.
  ///
  /// Collective. The corresponding MPI routine is `MPI_Comm_split`.
  ///
  /// - Parameters:
  ///   - color: The group that this process joins, at least zero; nil for none of them.
  ///   - key: The order of the processes in their group; equal keys keep the order they have here.
  /// - Returns: The communicator of the group, which counts into the same ``traffic``, or nil.
  /// - Throws: ``MPIError`` if the library fails.
  public borrowing func split(color: Int?, key: Int) throws(MPIError) -> Communicator? {
    precondition((color ?? 0) >= 0, "The color \(color ?? 0) of a group is negative")
    guard let part = try raw.split(color: color, key: key) else { return nil }
    return try Communicator(adopting: part, traffic: traffic, isOwned: true)
  }

  /// Ends all processes of the program.
  ///
  /// Not collective. The corresponding MPI routine is `MPI_Abort`.
  ///
  /// - Parameter status: The exit status of the program.
  public borrowing func abort(status: Int32) -> Never {
    raw.abort(status: status)
    exit(status)
  }
}
