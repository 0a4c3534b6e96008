import Foundation
import TestSupport
import Testing

/// Training without `--leaf` and `--levels`, on grids that are no multiples of 5 · 2^L.
@Suite("Leaves chosen from the grid", .serialized, .waiting)
struct UsualGridRunTests {
  private func words(_ data: String, _ out: String, _ network: [String]) -> [String] {
    [
      "train", "--data", data, "--out", out, "--iterations", "6", "--channels", "3", "--layers",
      "2",
    ]
      + ["--batch", "100", "--shard", "16"] + network
  }

  @Test(
    "every grid of ranks gives the same digest, also when it continues the run of another one",
    arguments: [
      ([37], ["--model", "h2nn", "--linear-path"]), ([37], ["--model", "mnn-h2"]),
      ([64], ["--model", "mnn-h2", "--sharing", "offset", "--boundary", "periodic"]),
      ([101], ["--model", "mnn-h2", "--boundary", "periodic"]), ([37], ["--model", "mnn-h"]),
      ([31, 17], ["--model", "h2nn", "--precision", "double"]), ([17, 19], ["--model", "mnn-h2"]),
      ([9, 10, 11], ["--model", "h2nn"]),
    ])
  func digests(shape: [Int], network: [String]) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 170, grid: shape))
    func train(_ run: String, _ grid: (Int, Int), _ more: [String] = [], status: Int32 = 0) throws
      -> String
    {
      try scratch.summary(
        of: words(data, scratch.file(run), network) + more
          + ["--grid", "\(grid.0)x\(grid.1)", "--replicate-below", "9"],
        ranks: grid.0 * grid.1, status: status
      ).text("digest")
    }
    let expected = try train("whole", (1, 1))
    for grid in [(3, 1), (1, 5)] {
      #expect(try train("run-\(grid.0)-\(grid.1)", grid) == expected, "grid \(grid)")
    }
    _ = try train("parts", (1, 3), ["--stop-after", "2"], status: 75)
    _ = try train("parts", (2, 1), ["--stop-after", "4"], status: 75)
    #expect(try train("parts", (1, 2)) == expected)
  }

  @Test(
    "what is chosen is said, and stands in the checkpoint",
    arguments: [
      ([40], [], "leaf 5", ["--leaf", "5"]), ([64], [], "leaf 4", ["--leaf", "4"]),
      ([37], [], "levels 3, leaves of 4…5 points", ["--levels", "3"]),
      ([12, 20], ["--model", "mnn-h2"], "levels 2, leaves of 3 x 5 points", ["--levels", "2"]),
      ([100], ["--model", "gfmm"], "levels 4, leaves of 6…7 points", ["--levels", "4"]),
      (
        [20, 20], ["--model", "mnn-h2", "--sharing", "mix"], "leaf 5", ["--leaf", "5"]
      ),
      (
        [12, 28], ["--model", "mnn-h2", "--sharing", "offset"],
        "levels 2, leaves of 3 x 7 points", ["--levels", "2"]
      ),
    ])
  func choice(shape: [Int], network: [String], chosen: String, given: [String]) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(grid: shape))
    let size = shape.map(String.init).joined(separator: "x")
    let inspected = try program(["inspect", "--points", size] + network)
    #expect(inspected.output.contains("points: \(chosen) (chosen from the grid)\n"))
    let words = words(data, scratch.file("run"), network)
    let launch = try program(words + ["--stop-after", "3"])
    #expect(launch.status == 75)
    #expect(launch.errors.contains(", \(chosen) (chosen from the grid),"))
    // The same when it is given, so the run goes on; and another one is refused by its name.
    try expectFailure(words + ["--levels", "1"], status: 64, ["levels"], ranks: [nil])
    let second = try program(words + given)
    #expect(second.status == 0, "\(second.errors)")
    #expect(second.errors.contains(", \(chosen), "))
    #expect(!second.errors.contains("chosen from"))
  }

  @Test("a run that is killed goes on from its last checkpoint")
  func killed() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(grid: [37]))
    let options = ["--model", "mnn-h2", "--checkpoint-every", "2"]
    func words(_ run: String) -> [String] {
      self.words(data, scratch.file(run), options).map { $0 == "6" ? "120" : $0 }
    }
    let whole = try scratch.summary(of: words("whole"), ranks: 2).text("digest")
    let process = Process()
    process.executableURL = try locate("h2nn-dist")
    process.arguments = words("run")
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let deadline = Date.now + 60
    while Checkpoints.list(scratch.file("run")).isEmpty, process.isRunning, Date.now < deadline {
      Thread.sleep(forTimeInterval: 0.002)
    }
    kill(process.processIdentifier, SIGKILL)
    ended.wait()
    #expect(process.terminationReason == .uncaughtSignal, "it was killed before its end")
    #expect(try scratch.summary(of: words("run"), ranks: 3).text("digest") == whole)
  }

  @Test(
    "what does not fit names the options",
    arguments: [
      (["--points", "101", "--leaf", "5"], ["101 points", "leaves of 5", "levels", "--leaf"]),
      (
        ["--points", "101", "--model", "mnn-h2", "--sharing", "offset"],
        ["--sharing own", "--leaf", "--levels"]
      ),
      (
        ["--points", "1000", "--model", "mnn-h", "--sharing", "mix"],
        ["--sharing own", "--leaf", "--levels", "leaves of 125 points on level 3"]
      ),
      (
        ["--points", "100", "--model", "mnn-h2", "--sharing", "offset", "--levels", "4"],
        ["--sharing own", "--leaf", "--levels"]
      ),
      (["--points", "2000x4"], ["2000x4", "dense", "--levels", "--samples-last"]),
      (["--points", "2x320"], ["2x320", "160 points", "--levels", "--samples-last"]),
      (["--points", "7", "--model", "mnn-h2"], ["7 points", "too small", "h2nn"]),
      (["--points", "5x90", "--model", "mnn-h"], ["5x90 points", "too small"]),
      (["--points", "20", "--levels", "5"], ["20 points", "--levels"]),
    ])
  func refusals(words: [String], fragments: [String]) throws {
    try expectFailure(["inspect"] + words, status: 64, fragments, ranks: [nil])
  }

  @Test("what is given by hand is taken")
  func byHand() throws {
    let scratch = try Scratch()
    for words in [
      ["--points", "500x4", "--levels", "2"], ["--points", "202", "--leaf", "101"],
      ["--points", "6", "--model", "mnn-h2", "--levels", "2"],
    ] {
      #expect(try scratch.summary(of: ["inspect"] + words).integer("parameters") > 0)
    }
  }
}
