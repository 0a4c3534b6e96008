public import Foundation

/// How long a program may take before it is taken for one that hangs.
///
/// The time that counts is that on processors, of the program and of all that it starts: a busy machine lets
/// programs wait for a processor, which says nothing about them. A program that waits for ever uses hardly any.
public struct TimeLimits: Sendable {
  /// The most seconds on processors.
  public let processor: TimeInterval
  /// The most seconds with hardly any time on processors.
  public let idle: TimeInterval
  /// The most seconds in all, for systems that do not say what a process uses, too.
  public let whole: TimeInterval

  /// What a program of the tests may take: several times the most that one of them needs.
  public static let standard = TimeLimits()

  /// Sets limits.
  ///
  /// - Parameters:
  ///   - processor: The most seconds on processors.
  ///   - idle: The most seconds with hardly any time on processors.
  ///   - whole: The most seconds in all.
  public init(
    processor: TimeInterval = 300, idle: TimeInterval = 120, whole: TimeInterval = 900
  ) {
    (self.processor, self.idle, self.whole) = (processor, idle, whole)
  }
}

/// A look at the clocks of one program, again and again.
struct LimitWatch {
  /// The share of a processor below which a program is idle: its threads look around now and then.
  private static let idleShare = 0.005

  private let limits: TimeLimits
  private let process: Int32
  private let start = Date.now
  /// The most that was used so far: the time of a process that ends alone is its parent's to tell.
  private var used = 0.0
  /// When and at what use the program worked last.
  private var mark: (time: Date, used: TimeInterval) = (.now, 0)

  init(_ limits: TimeLimits, of process: Int32) {
    (self.limits, self.process) = (limits, process)
  }

  /// Says which limit is passed, in words; nil if none is.
  mutating func passedLimit() -> String? {
    let now = Date.now
    guard let time = ProcessTree.processorTime(of: process) else {
      return passedWhole(now)
    }
    used = max(used, time)
    if used - mark.used > limits.idle * Self.idleShare { mark = (now, used) }
    if used > limits.processor { return "\(limits.processor) s on processors" }
    if now.timeIntervalSince(mark.time) > limits.idle { return "\(limits.idle) idle seconds" }
    return passedWhole(now)
  }

  private func passedWhole(_ now: Date) -> String? {
    now.timeIntervalSince(start) > limits.whole ? "\(limits.whole) s" : nil
  }
}
