import Foundation

/// Who may start programs: as many ranks at a time as the machine has processors, in the order of asking.
///
/// A program with more ranks than that has the machine to itself.
final class Turn: Sendable {
  /// The programs of all tests.
  static let programs = Turn(places: ProcessInfo.processInfo.activeProcessorCount)

  private let places: Int
  private let condition = NSCondition()
  // Both are guarded by the condition.
  nonisolated(unsafe) private var taken = 0
  nonisolated(unsafe) private var waiting: [UUID] = []

  init(places: Int) { self.places = places }

  /// Waits until there is room, and runs a body.
  ///
  /// - Parameters:
  ///   - ranks: The processes that the body starts.
  ///   - body: What starts a program and waits for its end.
  /// - Returns: What the body returns.
  func take<Value>(_ ranks: Int, _ body: () throws -> Value) rethrows -> Value {
    let (needed, ticket) = (min(ranks, places), UUID())
    condition.lock()
    unsafe waiting.append(ticket)
    while unsafe waiting.first != ticket || taken + needed > places { condition.wait() }
    unsafe waiting.removeFirst()
    unsafe taken += needed
    condition.broadcast()
    condition.unlock()
    defer {
      condition.lock()
      unsafe taken -= needed
      condition.broadcast()
      condition.unlock()
    }
    return try body()
  }
}
