import Foundation
import TestSupport
import Testing

/// Programs whose last rank hangs, while every rank that waits says for whom and for what.
@Suite("Watch for ranks that hang", .serialized, .waiting)
struct StallWatchTests {
  /// Starts a check that stalls, and returns the lines about it in the order of the ranks.
  private func stalledLines(
    _ check: String, ranks: Int, environment: [String: String] = [:],
    _ location: SourceLocation = #_sourceLocation
  ) throws -> [String] {
    let result = try launch(
      "DistributedChecks", arguments: [check], ranks: ranks, environment: environment, working: 1)
    #expect(result.status == 70, "\(result.errors)", sourceLocation: location)
    #expect(result.output.isEmpty, sourceLocation: location)
    return result.errors.split(separator: "\n").map { String($0) }
      .filter { $0.contains(" has waited ") }.sorted()
  }

  @Test("ranks that are late are waited for", arguments: [1, 3])
  func noStall(ranks: Int) throws {
    let checks = ["no-stall", "no-stall-outside", "no-stall-resting"]
    let result = try launch(
      "DistributedChecks", arguments: checks, ranks: ranks, working: 1)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == checks.map { "ok \($0)\n" }.joined())
    #expect(!result.errors.contains("has waited"), "\(result.errors)")
  }

  @Test("a message that is not sent", arguments: [2, 4])
  func receive(ranks: Int) throws {
    let expected = (0..<ranks - 1).map { rank in
      "checks: rank \(rank) has waited 1 s for rank \(ranks - 1): receive, tag 5"
        + " (forward halo exchange 1)"
    }
    #expect(try stalledLines("stall-receive", ranks: ranks) == expected)
  }

  @Test("a rank that hangs after all have rested")
  func afterResting() throws {
    let expected = (0..<2).map { rank in
      "checks: rank \(rank) has waited 1 s for the other ranks of a group of 3"
        + " (world ranks \(1 - rank) 2): barrier"
    }
    #expect(try stalledLines("stall-after-resting", ranks: 3) == expected)
  }

  @Test("a message that is not received")
  func send() throws {
    let expected = (0..<2).map { rank in
      "checks: rank \(rank) has waited 1 s for rank 2: send, tag 7"
    }
    #expect(try stalledLines("stall-send", ranks: 3) == expected)
  }

  @Test("the one neighbour of several that does not deliver")
  func halo() throws {
    let start = "has waited 1 s for"
    #expect(
      try stalledLines("stall-halo", ranks: 4) == [
        "checks: rank 0 \(start) rank 3: receive, tag 0",
        "checks: rank 1 \(start) the other ranks of a group of 4 (world ranks 0 2 3): barrier",
        "checks: rank 2 \(start) rank 3: receive, tag 1",
      ])
  }

  @Test("a rank that is not in a collective operation of a group")
  func group() throws {
    let start = "has waited 1 s for the other ranks of a group of"
    let text = "all-to-all (sum of gradients)"
    #expect(
      try stalledLines("stall-group", ranks: 4) == [
        "checks: rank 0 \(start) 4 (world ranks 1-3): barrier",
        "checks: rank 1 \(start) 3 (world ranks 2 3): \(text)",
        "checks: rank 2 \(start) 3 (world ranks 1 3): \(text)",
      ])
  }

  @Test("a function of another library")
  func otherLibrary() throws {
    #expect(
      try stalledLines("stall-nested", ranks: 2) == [
        "checks: rank 1 has waited 1 s for other ranks: other library file.txt"
      ])
  }

  @Test("a process that was stopped")
  func stopped() throws {
    let expected = (0..<2).map { rank in
      "checks: rank \(rank) has waited 1 s for the other ranks of a group of 3"
        + " (world ranks \(1 - rank) 2): all-reduce"
    }
    #expect(try stalledLines("stall-stopped", ranks: 3) == expected)
  }

  @Test("the end of the run")
  func end() throws {
    #expect(
      try stalledLines("stall-end", ranks: 2) == [
        "checks: rank 0 has waited 1 s for the other ranks of a group of 2 (world ranks 1): "
          + "barrier at the end of the run"
      ])
  }
}
