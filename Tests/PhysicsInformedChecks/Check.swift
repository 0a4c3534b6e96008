import MessagePassing

/// A check that all ranks make together.
struct Check: Sendable {
  /// The name by which the test starts it.
  let name: String
  /// What it does; it throws on any rank if something is wrong.
  let body: @Sendable (borrowing Communicator) throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (borrowing Communicator) throws -> Void) {
    self.name = name
    self.body = body
  }
}

/// A finding of a check.
struct CheckFailure: ExitStatusError {
  let message: String
  let exitStatus: Int32 = 1
}

/// Throws unless a condition holds.
func expect(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
  guard !condition else { return }
  throw CheckFailure(message: "line \(line): \(what())")
}
