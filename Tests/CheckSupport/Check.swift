import BlockKernels
import Foundation
public import MessagePassing

/// A check that all ranks make together.
public struct Check: Sendable {
  /// The name by which the test starts it.
  public let name: String
  /// What it does; it throws on any rank if something is wrong.
  let body: @Sendable (borrowing Communicator) throws -> Void

  /// Names a check.
  ///
  /// - Parameters:
  ///   - name: The name by which the test starts it.
  ///   - body: What it does; it throws on any rank if something is wrong.
  public init(
    _ name: String, _ body: @escaping @Sendable (borrowing Communicator) throws -> Void
  ) {
    self.name = name
    self.body = body
  }
}

/// A finding of a check.
public struct CheckFailure: ExitStatusError {
  /// What was found.
  public let message: String
  /// The status with which the program ends.
  public let exitStatus: Int32 = 1

  /// Tells a finding.
  ///
  /// - Parameter message: What was found.
  public init(message: String) { self.message = message }
}

/// Throws unless a condition holds.
///
/// - Parameters:
///   - condition: The condition.
///   - what: What was found instead.
///   - line: Where.
/// - Throws: ``CheckFailure``.
public func expect(
  _ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line
) throws {
  guard !condition else { return }
  throw CheckFailure(message: "line \(line): \(what())")
}

/// Runs the checks that the command line names, and ends the program if one fails; without names it lists them.
///
/// Rank 0 prints `ok NAME` when all ranks are content, and before it what the check prints.
///
/// - Parameters:
///   - checks: The checks there are.
///   - measure: What `measure` and further words start; nil if there is nothing to be measured.
public func runChecks(
  _ checks: [Check],
  measure: (@Sendable (_ words: [String], _ ranks: borrowing Communicator) throws -> Void)? = nil
) {
  // As the program does.
  Processor.flushSubnormals()
  let names = Array(CommandLine.arguments.dropFirst())
  guard !names.isEmpty else {
    for check in checks { print(check.name) }
    return
  }
  let chosen = names.compactMap { name in checks.first { $0.name == name } }
  let measures = measure != nil && names.first == "measure"
  guard chosen.count == names.count || measures else {
    FileHandle.standardError.write(Data("not all of these checks exist: \(names)\n".utf8))
    exit(ExitStatus.usage)
  }
  do {
    try MPIEnvironment.run(grace: .seconds(3)) { world in
      if measures, let measure { return try measure(Array(names.dropFirst()), world) }
      for check in chosen {
        do {
          try check.body(world)
        } catch {
          let text = "rank \(world.rank): check \(check.name) failed\n"
          FileHandle.standardError.write(Data(text.utf8))
          throw error
        }
        try world.barrier()
        if world.rank == 0 { print("ok \(check.name)") }
      }
    }
  } catch {
    let text = "rank \(MPIEnvironment.launcherRank): \(ExitStatus.message(of: error))\n"
    FileHandle.standardError.write(Data(text.utf8))
    exit(ExitStatus.status(of: error))
  }
}
