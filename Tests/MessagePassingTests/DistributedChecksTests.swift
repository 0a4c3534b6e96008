import Foundation
import TestSupport
import Testing

/// The checks that need several processes, each run by a program of its own under `mpirun`.
@Suite("Distributed checks of message passing", .serialized, .waiting)
struct DistributedChecksTests {
  @Test(
    "all ranks are content",
    arguments: [
      [
        "barrier", "broadcast", "broadcast-bytes", "all-reduce", "maximum", "all-gather",
        "all-to-all", "split", "collective-traffic",
      ],
      ["token", "tags", "halo", "unexpected-length", "error-in-requests"], ["error-before-message"],
      ["agree", "agree-one-fails", "agree-several-fail", "agree-nested"],
    ], [1, 2, 3, 7])
  func succeeds(checks: [String], ranks: Int) throws {
    let result = try launch("DistributedChecks", arguments: checks, ranks: ranks)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == checks.map { "ok \($0)\n" }.joined())
  }

  @Test("an abort ends all ranks with its status", arguments: [1, 2, 7])
  func aborts(ranks: Int) throws {
    let result = try launch("DistributedChecks", arguments: ["abort"], ranks: ranks)
    #expect(result.status == 42, "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test("a failure that all agree on ends them with its status", arguments: [1, 2, 7])
  func failsTogether(ranks: Int) throws {
    let result = try launch("DistributedChecks", arguments: ["fail-together"], ranks: ranks)
    #expect(result.status == 65, "\(result.errors)")
    #expect(result.errors.contains("planned"))
    #expect(result.output.isEmpty)
  }

  @Test("a failure on one rank ends those that wait for it", arguments: [1, 2, 7])
  func failsAlone(ranks: Int) throws {
    let result = try launch("DistributedChecks", arguments: ["fail-alone"], ranks: ranks)
    #expect(result.status == 66, "\(result.errors)")
    #expect(result.errors.contains("rank \(ranks - 1): planned"))
    #expect(result.output.isEmpty)
  }

  @Test("a failure with a message that nobody receives ends all ranks", arguments: [2, 3])
  func lostMessage(ranks: Int) throws {
    let check = "error-with-lost-message"
    let result = try launch("DistributedChecks", arguments: [check], ranks: ranks)
    #expect(result.status == 70, "\(result.errors)")
    let line =
      "rank \(ranks - 1): a message is not received for rank 0: send, tag 3: ending all ranks"
    #expect(result.errors.contains(line), "\(result.errors)")
  }

  @Test("a program that hangs is killed and reported")
  func hangIsReported() throws {
    let error = #expect(throws: LaunchError.self) {
      try launch(
        "DistributedChecks", arguments: ["hang"], ranks: 2, working: 1, limits: TimeLimits(idle: 3))
    }
    guard case .hang = error else {
      Issue.record("\(String(describing: error)) is not a hang")
      return
    }
  }

  @Test("an unknown check is a wrong command line")
  func unknownCheck() throws {
    let result = try launch("DistributedChecks", arguments: ["no-such"], ranks: nil)
    #expect(result.status == 64)
  }
}
