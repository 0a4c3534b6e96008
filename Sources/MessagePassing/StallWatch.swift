internal import Foundation
internal import Synchronization

/// Ends a program in which a rank waits too long for others, and says which ones and for what.
///
/// A rank that hangs lets the others wait in the library for ever. After ``start(timeout:program:)``,
/// a thread looks a few times a second whether this rank is still in the same blocking call. If that
/// lasts longer than the timeout, it writes one line to standard error, such as
///
///     h2nn-dist: rank 1 has waited 30 s for rank 2: receive, tag 5 (forward halo exchange 1)
///
/// and ends the process with status 70 four seconds later, so that others can write their lines too.
/// The rank that hangs is one that others wait for and that writes no line. The launcher ends it.
///
/// All communicators of a program share one watch. The calling thread only notes what it waits for;
/// the watching thread makes the text, measures the time, and never calls MPI. The time during which
/// the whole process is stopped, for instance by the job scheduler, does not count.
///
/// - Note: The timeout has to be longer than the ranks may legitimately be apart, for example while
///   one of them reads a file and the others wait for it.
public final class StallWatch: Sendable {
  /// The part of the program that a rank is in, as a line names it.
  public struct Phase: Sendable, Equatable {
    /// The name of the part.
    public let name: StaticString
    /// The number of the step, level or epoch, if there is one.
    public let number: Int?

    /// Describes a part of the program.
    ///
    /// - Parameters:
    ///   - name: The name of the part, such as "forward halo exchange".
    ///   - number: The number of the step, level or epoch, if there is one.
    public init(_ name: StaticString, _ number: Int? = nil) {
      self.name = name
      self.number = number
    }

    /// Says whether two phases have the same text.
    ///
    /// - Parameters:
    ///   - left: A phase.
    ///   - right: Another phase.
    /// - Returns: Whether name and number are equal.
    public static func == (left: Phase, right: Phase) -> Bool {
      left.number == right.number && left.name.description == right.name.description
    }
  }

  /// The state that both threads share.
  private struct State {
    var timeout: Duration?
    var program = ""
    /// Whether there is a watching thread.
    var isObserved = false
    var phase: Phase?
    var wait: Wait?
    /// How many calls of `resting` are open, inside of each other.
    var rests = 0
    /// Grows whenever a wait begins or ends.
    var number: UInt64 = 0
    var measuresWaiting = false
    var waited = 0.0

    /// Whether there is a wait whose time counts.
    var isWaiting: Bool { wait != nil && rests == 0 }
  }

  /// The rank of this process in the world communicator.
  private let rank: Int
  private let state = Mutex(State())

  /// Creates a watch that does nothing until it is started.
  init(rank: Int) {
    self.rank = rank
  }

  /// The part of the program that this rank is in; shown in the line, nil to show nothing.
  public var phase: Phase? {
    get { state.withLock { $0.phase } }
    set { state.withLock { $0.phase = newValue } }
  }

  /// Starts to watch, or changes the timeout.
  ///
  /// Not collective, but a stall is seen only by the ranks that watch.
  ///
  /// - Parameters:
  ///   - timeout: The longest time in one blocking operation.
  ///   - program: The name with which the line begins.
  /// - Precondition: The timeout is positive.
  public func start(timeout: Duration, program: String) {
    precondition(timeout > .zero, "The timeout \(timeout) is not positive")
    let isObserved = state.withLock { state in
      defer { state.isObserved = true }
      (state.timeout, state.program) = (timeout, program)
      return state.isObserved
    }
    guard !isObserved else { return }
    let thread = Thread { [self] in observe() }
    thread.name = "stall watch"
    thread.start()
  }

  /// Stops watching; the end of ``MPIEnvironment/run(grace:_:)`` does that too.
  ///
  /// Not collective.
  public func stop() {
    state.withLock { ($0.timeout, $0.wait) = (nil, nil) }
  }

  /// Runs a body in which ranks may wait for each other as long as it takes.
  ///
  /// Not collective; the timeout holds again afterwards.
  ///
  /// - Parameter body: What is run.
  /// - Returns: What the body returns.
  /// - Throws: What the body throws.
  public func resting<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    state.withLock { $0.rests += 1 }
    defer {
      state.withLock { state in
        state.rests -= 1
        // The time of a wait that is still open starts at zero again.
        state.number += 1
      }
    }
    return try body()
  }

  /// The seconds that this rank spent in blocking operations while ``measuresWaiting`` was set.
  public var waited: Double { state.withLock { $0.waited } }

  /// Whether the time in blocking operations is added up.
  public var measuresWaiting: Bool {
    get { state.withLock { $0.measuresWaiting } }
    set { state.withLock { $0.measuresWaiting = newValue } }
  }

  /// Watches an operation of another library that waits for other ranks.
  ///
  /// Not collective. Operations inside of each other may be watched: the innermost counts, and when
  /// it ends, the time of the outer one starts at zero.
  ///
  /// - Parameters:
  ///   - name: The name of the operation, such as "HDF5".
  ///   - subject: What it is done to, shown after the name.
  ///   - ranks: The world ranks of all processes that take part; none if they are not known.
  ///   - body: The function that may block.
  /// - Returns: What the body returns.
  /// - Throws: What the body throws.
  public func watching<R: ~Copyable, E: Error>(
    _ name: StaticString, _ subject: String = "", for ranks: [Int] = [],
    _ body: () throws(E) -> R
  ) throws(E) -> R {
    try watching(Wait(name: name, subject: subject, peer: .group(ranks), tag: nil), body)
  }

  /// Notes what this rank waits for while a body runs.
  func watching<R: ~Copyable, E: Error>(
    _ wait: Wait, _ body: () throws(E) -> R
  ) throws(E) -> R {
    let (outer, isMeasured) = state.withLock { state -> (Wait?, Bool) in
      guard state.timeout != nil else { return (nil, state.measuresWaiting) }
      defer { state.wait = wait }
      state.number += 1
      return (state.wait, state.measuresWaiting)
    }
    let start = isMeasured ? ContinuousClock().now : nil
    defer {
      state.withLock { state in
        state.wait = outer
        state.number += 1
        if let start { state.waited += (ContinuousClock().now - start) / .seconds(1) }
      }
    }
    return try body()
  }
}

// MARK: - The watching thread

extension StallWatch {
  /// The time in which the lines of other ranks can follow that of this one.
  private static let grace = 4.0

  /// Looks at the calling thread until the watch is stopped, or ends the process.
  private func observe() {
    var (seen, waited, last) = (UInt64.max, Duration.zero, ContinuousClock.now)
    while let (timeout, number) = nextLook() {
      let interval = Swift.min(.milliseconds(250), timeout / 8)
      let now = ContinuousClock.now
      // A process that was stopped has not waited meanwhile.
      waited = number == seen ? waited + Swift.min(now - last, interval * 2) : .zero
      (seen, last) = (number ?? UInt64.max, now)
      if number != nil, waited >= timeout, let line = line(number: seen, waited: waited) {
        end(line)
      }
      Thread.sleep(forTimeInterval: interval / .seconds(1))
    }
  }

  /// The timeout and the number of the wait, if there is one; nil at the end of watching.
  private func nextLook() -> (timeout: Duration, number: UInt64?)? {
    state.withLock { state in
      guard let timeout = state.timeout else {
        state.isObserved = false
        return nil
      }
      return (timeout, state.isWaiting ? state.number : nil)
    }
  }

  /// The line for a wait; nil if it has just ended.
  private func line(number: UInt64, waited: Duration) -> String? {
    let state = state.withLock { $0 }
    guard let wait = state.wait, state.isWaiting, state.number == number, state.timeout != nil
    else { return nil }
    let seconds = Int(waited / .seconds(1))
    let phase = state.phase.map { phase in
      " (\(phase.name)\(phase.number.map { " \($0)" } ?? ""))"
    }
    return "\(state.program): rank \(rank) has waited \(seconds) s\(wait.text(rank: rank))"
      + "\(phase ?? "")\n"
  }

  /// Writes the line and ends the process, while its calling thread still waits.
  private func end(_ line: String) -> Never {
    let bytes = Array(line.utf8)
    // One call for the whole line keeps it apart from those of other ranks; the array has as many
    // bytes as the call is told. If it fails, there is no way left to report that.
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
    Thread.sleep(forTimeInterval: StallWatch.grace)
    _exit(ExitStatus.software)
  }
}
