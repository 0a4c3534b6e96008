import Foundation

/// Who may start programs: as many ranks at a time as the machine has processors, about in the order of asking.
///
/// A program with more ranks than that has the machine to itself.
final class Turn: Sendable {
  /// The programs of all tests.
  static let programs = Turn(places: ProcessInfo.processInfo.activeProcessorCount)

  /// One that waits for room.
  private struct Waiting {
    let ticket: UUID
    let needed: Int
    /// How many that asked later went before it.
    var overtaken = 0
  }

  /// The most that may go before one that waits for more room than there is.
  private static let patience = 8

  private let places: Int
  private let condition = NSCondition()
  // Both are guarded by the condition.
  nonisolated(unsafe) private var taken = 0
  nonisolated(unsafe) private var waiting: [Waiting] = []

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
    unsafe waiting.append(Waiting(ticket: ticket, needed: needed))
    while !begins(ticket) { condition.wait() }
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

  /// Takes one that waits off the list, if it is the next one; the caller has the lock.
  private func begins(_ ticket: UUID) -> Bool {
    for place in unsafe waiting.indices {
      let one = unsafe waiting[place]
      guard unsafe taken + one.needed > places else {
        guard one.ticket == ticket else { return false }
        for earlier in 0..<place { unsafe waiting[earlier].overtaken += 1 }
        unsafe waiting.remove(at: place)
        return true
      }
      if one.overtaken >= Self.patience { return false }
    }
    return false
  }
}
