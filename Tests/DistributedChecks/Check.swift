import Foundation
import MessagePassing

/// A check that all ranks of a program make together.
struct Check: Sendable {
  /// The name by which the test starts it.
  let name: String
  /// What it does; it throws on any rank if something is wrong.
  let body: @Sendable (borrowing Communicator) throws -> Void
  /// Whether all ranks meet after it, and the first says so.
  let isFollowedByBarrier: Bool

  init(
    _ name: String, isFollowedByBarrier: Bool = true,
    _ body: @escaping @Sendable (borrowing Communicator) throws -> Void
  ) {
    self.name = name
    self.isFollowedByBarrier = isFollowedByBarrier
    self.body = body
  }
}

/// A finding of a check.
struct CheckFailure: ExitStatusError {
  let message: String
  let exitStatus: Int32 = 1
}

/// Throws unless two values are equal.
func expectEqual<T: Equatable>(
  _ found: T, _ expected: T, _ what: String, file: String = #fileID, line: Int = #line
) throws {
  guard found != expected else { return }
  throw CheckFailure(message: "\(file):\(line): \(what) is \(found), expected \(expected)")
}

/// Throws unless a condition holds.
func expect(
  _ condition: Bool, _ what: String, file: String = #fileID, line: Int = #line
) throws {
  guard !condition else { return }
  throw CheckFailure(message: "\(file):\(line): \(what)")
}

/// Throws unless a body throws an error of a type, and returns the error.
func expectThrows<E: Error>(
  _ type: E.Type, file: String = #fileID, line: Int = #line, _ body: () throws -> Void
) throws -> E {
  do {
    try body()
  } catch let error as E {
    return error
  }
  throw CheckFailure(message: "\(file):\(line): no \(E.self) was thrown")
}

/// Lends all ranks the same new folder, which is removed afterwards.
func withScratchFolder(
  on world: borrowing Communicator, _ body: (String) throws -> Void
) throws {
  let name = FileManager.default.temporaryDirectory.path + "/checks-\(UUID().uuidString)"
  let bytes = try world.broadcast(Array(name.utf8), from: 0)
  let folder = String(decoding: bytes, as: UTF8.self)
  try world.agree {
    if world.rank == 0 {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    }
  }
  defer {
    if world.rank == 0 { try? FileManager.default.removeItem(atPath: folder) }
  }
  try world.agree { try body(folder) }
}
