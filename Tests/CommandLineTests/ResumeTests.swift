import Foundation
import TestSupport
import Testing

@Suite("Stopping and continuing", .serialized, .waiting)
struct ResumeTests {
  /// The command that trains in a folder.
  private func words(_ scratch: borrowing Scratch, _ run: String) throws -> [String] {
    let data = scratch.file("data.h5")
    if !FileManager.default.fileExists(atPath: data) { try Fields().write(to: data) }
    let options = ["--iterations", "12", "--report-every", "2", "--validate-every", "4"]
    let network = ["--channels", "3", "--layers", "2", "--batch", "40", "--shard", "16"]
    return ["train", "--data", data, "--out", scratch.file(run)] + network + options
  }

  private func steps(_ scratch: borrowing Scratch, _ run: String) throws -> [Int?] {
    try jsonLines(scratch.file("\(run)/metrics.jsonl")).map { ($0["step"] as? NSNumber)?.intValue }
  }

  @Test(
    "a run that was stopped continues with the same bits at another number of ranks",
    arguments: [[], ["--model", "mnn-h2", "--optimizer", "nadam", "--nadam-momentum", "keras"]])
  func continues(network: [String]) throws {
    let scratch = try Scratch()
    let whole = try scratch.summary(of: try words(scratch, "whole") + network)
    let parts = try words(scratch, "parts") + network
    let first = try scratch.summary(of: parts + ["--stop-after", "4"], ranks: 2, status: 75)
    #expect(try first.integer("iterations") == 4)
    #expect(try first.text("digest") != whole.text("digest"))
    let second = try scratch.summary(of: parts + ["--stop-after", "8"], ranks: 3, status: 75)
    #expect(try second.integer("iterations") == 8)
    let last = try scratch.summary(of: parts)
    #expect(try last.text("digest") == whole.text("digest"))
    #expect(try last.number("test_error") == whole.number("test_error"))
    let steps = try steps(scratch, "parts")
    #expect(try steps == self.steps(scratch, "whole"))
    #expect(steps == [1, 2, 4, 6, 8, 10, 12])
    for key in ["loss", "learning_rate", "validation_error"] {
      let values = try ["parts", "whole"].map { run in
        try jsonLines(scratch.file("\(run)/metrics.jsonl")).map { $0[key] as? Double }
      }
      #expect(values[0] == values[1], "\(key)")
      #expect(Set(values[0]).count > 2, "\(key)")
    }
  }

  @Test("stopping between two reports leaves no gap and no line twice")
  func oddStop() throws {
    let scratch = try Scratch()
    let whole = try scratch.summary(of: try words(scratch, "whole")).text("digest")
    let parts = try words(scratch, "parts")
    _ = try scratch.summary(of: parts + ["--stop-after", "5"], status: 75)
    #expect(try scratch.summary(of: parts).text("digest") == whole)
    #expect(try steps(scratch, "parts") == [1, 2, 4, 5, 6, 8, 10, 12])
  }

  @Test("other settings are found before samples are read")
  func settingsFirst() throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    _ = try scratch.summary(of: words + ["--stop-after", "2"], status: 75)
    var fields = Fields()
    fields.inputs[3] = .nan
    try fields.write(to: scratch.file("data.h5"))
    try expectFailure(words + ["--seed", "5"], status: 64, ["--seed 1, now 5"])
    try expectFailure(words, status: 65, ["nan", "sample 0", "point 3"])
  }

  /// 120 samples of 40 numbers in each of two fields.
  @Test(
    "a file whose samples are not kept in memory is read twice at the start", arguments: [nil, 3])
  func readTwice(ranks: Int?) throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    let grid = ranks.map { ["--grid", "\($0)x1"] } ?? []
    let summary = try scratch.summary(of: words + ["--sample-memory", "0"] + grid, ranks: ranks)
    #expect(try summary.integer("bytes_read_at_start") == 2 * 8 * 120 * 80)
    let kept = try scratch.summary(of: try self.words(scratch, "kept"))
    #expect(try kept.integer("bytes_read_at_start") == 0)
    #expect(try kept.text("digest") == summary.text("digest"))
  }

  @Test("a finished run is left alone")
  func finished() throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    let digest = try scratch.summary(of: words).text("digest")
    let checkpoints = Checkpoints.list(scratch.file("run"))
    let before = try checkpoints.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    for ranks in [nil, 3] {
      let launch = try program(words, ranks: ranks)
      #expect(launch.status == 0)
      #expect(launch.errors.contains("nothing to do"), "\(launch.errors)")
      #expect(launch.output.contains(digest))
    }
    #expect(Checkpoints.list(scratch.file("run")) == checkpoints)
    #expect(try checkpoints.map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == before)
  }

  @Test("a stop after the last step, or before the step that is reached, changes nothing")
  func idleStops() throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    let stopped = try scratch.summary(of: words + ["--stop-after", "6"], status: 75)
    let again = try scratch.summary(of: words + ["--stop-after", "3"], status: 75)
    #expect(try again.integer("iterations") == 6)
    #expect(try again.text("digest") == stopped.text("digest"))
    let last = try program(words + ["--stop-after", "99"])
    #expect(last.status == 0)
    #expect(last.errors.contains("--stop-after 99: the run ends after step 12"), "\(last.errors)")
    #expect(try Summary(scratch.file("run/summary.json")).integer("iterations") == 12)
  }

  @Test(
    "another setting is refused and named",
    arguments: [
      (["--learning-rate", "0.001"], ", now 0.001"), (["--seed", "5"], "seed"),
      (["--precision", "double"], "precision"), (["--model", "dense"], "model"),
      (["--split", "0.5,0.2,0.3"], "split"),
      (["--output-shift", "mean"], "--output-shift pointwise, now mean"),
    ])
  func otherSetting(change: [String], name: String) throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    _ = try scratch.summary(of: words + ["--stop-after", "2"], status: 75)
    let fragments = [name, "--restart", scratch.file("run")]
    try expectFailure(
      words + change, status: 64, fragments, ranks: name == "seed" ? [nil, 3] : [nil])
  }

  @Test("other data are refused")
  func otherData() throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    _ = try scratch.summary(of: words + ["--stop-after", "2"], status: 75)
    var fields = Fields()
    fields.outputs[0] += 1
    let data = try scratch.write(fields, to: "data.h5")
    try expectFailure(words, status: 65, [data, "other data", "--restart"])
  }

  @Test("--restart starts over", arguments: [nil, 2])
  func restart(ranks: Int?) throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    _ = try scratch.summary(of: words + ["--stop-after", "6"], status: 75)
    let other = words + ["--seed", "9", "--stop-after", "2", "--restart"]
    #expect(try scratch.summary(of: other, ranks: ranks, status: 75).integer("iterations") == 2)
    #expect(Checkpoints.list(scratch.file("run")).count == 1)
    #expect(try steps(scratch, "run") == [1, 2])
  }

  @Test("a damaged checkpoint is named and not used", arguments: [nil, 3])
  func damaged(ranks: Int?) throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run")
    _ = try scratch.summary(of: words)
    let newest = try #require(Checkpoints.list(scratch.file("run")).last)
    try Checkpoints.damage(newest, "/parameters/near.1/weights")
    let data = ["--data", scratch.file("data.h5")]
    for verb in [["evaluate"], ["predict", "--out", scratch.file("p.h5")]] {
      try expectFailure(
        verb + ["--checkpoint", newest] + data, status: 65,
        [newest, "/parameters/near.1/weights", "damaged"], ranks: [ranks])
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.file("p.h5")))
  }

  @Test(
    "a run goes on from the newest checkpoint that can be read", arguments: ["cut", "changed"])
  func walksBack(kind: String) throws {
    let scratch = try Scratch()
    let whole = try scratch.summary(of: try words(scratch, "whole")).text("digest")
    let words = try words(scratch, "run") + ["--checkpoint-every", "3"]
    _ = try scratch.summary(of: words + ["--stop-after", "6"], status: 75)
    let newest = try #require(Checkpoints.list(scratch.file("run")).last)
    if kind == "cut" {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: newest))
    } else {
      try Checkpoints.damage(newest, "/parameters/near.1/weights")
    }
    let launch = try program(words, ranks: 2)
    #expect(launch.status == 0, "\(launch.errors)")
    #expect(launch.errors.contains(newest), "what was passed over is named: \(launch.errors)")
    #expect(launch.output.contains(whole))
  }

  @Test("a missing checkpoint is refused")
  func missing() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    for place in [scratch.file("none"), scratch.file("none.h5"), scratch.file("")] {
      try expectFailure(["evaluate", "--checkpoint", place, "--data", data], status: 66, [place])
    }
    let words = ["evaluate", "--checkpoint", data, "--data", data]
    try expectFailure(words, status: 65, [data, "not a checkpoint"])
  }

  @Test("a signal ends a run with a checkpoint", .timeLimit(.minutes(2)))
  func signal() throws {
    let scratch = try Scratch()
    let words = try words(scratch, "run").map { $0 == "12" ? "10000000" : $0 }
    let process = Process()
    // Threads of the test may have blocked the signal, which processes inherit.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["--default-signal=USR1", try locate("h2nn-dist").path] + words
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let limit = try process.run(within: .standard) {
      let metrics = scratch.file("run/metrics.jsonl")
      while (try? String(contentsOfFile: metrics, encoding: .utf8))?.isEmpty ?? true,
        process.isRunning
      {
        Thread.sleep(forTimeInterval: 0.01)
      }
      kill(process.processIdentifier, SIGUSR1)
    }
    #expect(limit == nil, "the run did not end")
    #expect(process.terminationStatus == 75 && process.terminationReason == .exit)
    let summary = try Summary(scratch.file("run/summary.json"))
    let step = try summary.integer("iterations")
    #expect(step > 0)
    #expect(Checkpoints.list(scratch.file("run")).last?.contains("\(step).h5") == true)
    let evaluate = ["evaluate", "--checkpoint", scratch.file("run")]
    let data = ["--data", scratch.file("data.h5"), "--part", "test"]
    let error = try scratch.summary(of: evaluate + data).number("error_mean")
    #expect(error > 0)
    // A run that is stopped does not look at its test part.
    #expect(summary.isNull("test_error"))
  }
}
