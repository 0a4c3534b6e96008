import Foundation
import TestSupport
import Testing

/// Verbs on two ranks, of which the other one hangs from the start.
@Suite("Ranks that hang", .serialized, .waiting)
struct StallTests {
  /// Calls that come as far as their first message.
  static let calls = [
    "generate rte-1d --out OUT/d.h5", "train --data DATA --out OUT/run",
    "evaluate --data DATA --checkpoint OUT", "predict --data DATA --checkpoint OUT --out OUT/p.h5",
    "baseline --data DATA --method mean", "compare --data DATA --run OUT", "bench",
    "plot --run OUT --out OUT/p.svg", "study STUDY --out OUT/study",
  ]

  @Test("every verb that waits for a rank that hangs ends and names it", arguments: calls)
  func hangs(call: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let study = try scratch.write(
      "{title: \"One\", data: {file: \"\(data)\"}, axes: [], tables: []}", to: "study.json5")
    let words = call.replacing("DATA", with: data).replacing("STUDY", with: study)
      .replacing("OUT", with: scratch.file("")).split(separator: " ").map(String.init)
    // What stands behind a colon is the program of the second rank.
    let other = [":", "-n", "1", try locate("DistributedChecks").path, "hang"]
    let launch = try launch(
      "h2nn-dist", arguments: words + ["--stall-timeout", "1"] + other, ranks: 1)
    #expect(launch.status == 70, "\(launch.errors)")
    #expect(launch.errors.contains("h2nn-dist: rank 0 has waited 1 s for"), "\(launch.errors)")
  }

  @Test("a wrong timeout is refused without MPI", arguments: calls.dropLast())
  func wrongTimeout(call: String) throws {
    let words = call.split(separator: " ").map(String.init) + ["--stall-timeout", "soon"]
    try expectFailure(words, status: 64, ["--stall-timeout soon"], ranks: [nil])
  }
}
