/// Counts what one rank sent over a communicator and all those made from it.
///
/// The counts are exact and depend on the calls only, so that tests can compare them with a plan.
/// They are not synchronized: MPI is called from one thread.
public final class TrafficCounters {
  /// The number of point-to-point messages that this rank sent.
  public internal(set) var messages = 0
  /// The number of bytes in the point-to-point messages that this rank sent.
  public internal(set) var messageBytes = 0
  /// The number of collective operations that this rank took part in.
  public internal(set) var collectives = 0
  /// The number of bytes that this rank contributed to collective operations.
  public internal(set) var collectiveBytes = 0

  /// The number of bytes that this rank sent in messages and contributed to collective operations.
  public var bytes: Int { messageBytes + collectiveBytes }

  /// Creates counters that stand at zero.
  init() {}

  /// Sets all counters to zero.
  ///
  /// Not collective.
  public func reset() {
    (messages, messageBytes, collectives, collectiveBytes) = (0, 0, 0, 0)
  }

  /// Counts one message.
  func countMessage(bytes: Int) {
    messages += 1
    messageBytes += bytes
  }

  /// Counts one collective operation.
  func countCollective(bytes: Int) {
    collectives += 1
    collectiveBytes += bytes
  }
}
