import Foundation
import TestSupport
import Testing

/// Ranks that see other files than rank 0 do, as on nodes of a cluster.
@Suite("Ranks that see other files", .serialized, .waiting)
struct DifferentRanksTests {
  /// Trains a run of two checkpoints, and copies the older one alone to where rank 0 looks.
  private func train(_ scratch: borrowing Scratch, _ data: String) throws {
    let words = ["train", "--data", data, "--out", scratch.file("other"), "--iterations", "4"]
    _ = try scratch.summary(of: words + small + ["--checkpoint-every", "2"])
    let files = FileManager.default
    try files.createDirectory(atPath: scratch.file("run"), withIntermediateDirectories: true)
    try files.copyItem(
      atPath: scratch.file("other/checkpoint-00000002.h5"),
      toPath: scratch.file("run/checkpoint-00000002.h5"))
  }

  @Test("evaluate takes the checkpoint that rank 0 finds, on every rank")
  func newestCheckpoint() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    try train(scratch, data)
    let place = scratch.file("summary.json")
    func words(_ run: String) -> [String] {
      ["evaluate", "--checkpoint", scratch.file(run), "--data", data, "--summary", place]
    }
    let alone = try scratch.summary(of: Array(words("run").dropLast(2)))
    let newer = try scratch.summary(of: Array(words("other").dropLast(2)))
    let launch = try program(onRanks: [words("run"), words("other")])
    try #require(launch.status == 0, "\(launch.errors)")
    let error = try Summary(place).number("error_mean")
    #expect(try error == alone.number("error_mean"))
    #expect(try error != newer.number("error_mean"))
  }

  @Test(
    "predict and plot take it too, and compare prints it",
    arguments: ["predict", "plot", "compare"])
  func otherVerbs(verb: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    try train(scratch, data)
    let flag = verb == "predict" ? "--checkpoint" : "--run"
    func words(_ run: String, _ out: String) -> [String] {
      [verb, flag, scratch.file(run), "--data", data]
        + (verb == "compare" ? [] : ["--out", scratch.file(out)])
    }
    let alone = try program(words("run", "alone"))
    let launch = try program(onRanks: [words("run", "out"), words("other", "out")])
    try #require(launch.status == 0, "\(launch.errors)")
    switch verb {
    case "compare": #expect(launch.output == alone.output)
    case "predict":
      #expect(try read(scratch.file("out"), "/Output") == read(scratch.file("alone"), "/Output"))
    default:
      let files = FileManager.default
      #expect(
        files.contents(atPath: scratch.file("out")) == files.contents(atPath: scratch.file("alone"))
      )
    }
  }

  @Test("a missing run ends all ranks, wherever it is missing")
  func missing() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    try train(scratch, data)
    func words(_ run: String) -> [String] {
      ["evaluate", "--checkpoint", scratch.file(run), "--data", data]
    }
    let gone = try program(onRanks: [words("gone"), words("run")])
    #expect(gone.status == 66 && gone.messages.first?.contains("gone") == true)
    #expect(try program(onRanks: [words("run"), words("gone")]).status == 0)
  }

  @Test(
    "the grid is what rank 0 chooses, though another rank's machine would make it choose another")
  func grid() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 40, points: 160))
    let free = try scratch.write("{latency: 1e-12, bandwidth: 1e15, flop_rate: 1e6}", to: "free")
    let dear = try scratch.write("{latency: 10, bandwidth: 1e15, flop_rate: 1e15}", to: "dear")
    func words(_ machine: String, _ run: String) -> [String] {
      let files = ["--machine", machine, "--out", scratch.file(run)]
      return ["train", "--data", data, "--iterations", "2"] + files + small
    }
    var (grids, digests): ([String], Set<String>) = ([], [])
    for (name, machines) in [("a", [free, dear]), ("b", [dear, free])] {
      let launch = try program(onRanks: machines.map { words($0, name) })
      try #require(launch.status == 0, "\(launch.errors)")
      let summary = try Summary(scratch.file("\(name)/summary.json"))
      grids.append(try summary.text("grid"))
      digests.insert(try summary.text("digest"))
    }
    #expect(grids == ["1x2", "2x1"])
    #expect(digests.count == 1)
  }

  @Test("a summary is written by rank 0, and refused where rank 0 cannot write")
  func summary() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    try train(scratch, data)
    let (good, wrong) = (scratch.file("summary.json"), scratch.file("none/summary.json"))
    func words(_ place: String) -> [String] {
      ["evaluate", "--checkpoint", scratch.file("run"), "--data", data, "--summary", place]
    }
    let launch = try program(onRanks: [words(good), words(wrong)])
    #expect(launch.status == 0 && launch.messages.isEmpty, "\(launch.errors)")
    #expect(try Summary(good).number("error_mean") > 0)
    #expect(try program(onRanks: [words(wrong), words(good)]).status == 73)
  }
}
