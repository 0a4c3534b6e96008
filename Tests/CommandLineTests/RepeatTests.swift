import Foundation
import TestSupport
import Testing

@Suite("Repeated trainings", .serialized, .waiting)
struct RepeatTests {
  private func words(
    _ data: String, _ out: String, seed: Int = 3, _ more: [String] = []
  ) -> [String] {
    ["train", "--data", data, "--out", out, "--iterations", "6", "--seed", "\(seed)"] + small + more
  }

  private func number(_ object: [String: Any], _ key: String) throws -> Double {
    try #require((object[key] as? NSNumber)?.doubleValue, "\(key) in \(object)")
  }

  @Test("the summary tells of trainings that are those of single calls")
  func singles() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let summary = try scratch.summary(
      of: words(data, scratch.file("run"), ["--repeat", "3"]), ranks: 2)
    let runs = try summary.objects("runs")
    #expect(runs.count == 3)
    #expect(try summary.integer("repeat") == 3 && summary.integer("finished") == 3)
    var errors: [String: [Double]] = [:]
    for (index, run) in runs.enumerated() {
      let seed = 3 + index
      #expect(try number(run, "seed") == Double(seed))
      #expect(run["directory"] as? String == scratch.file("run/seed-\(seed)"))
      let single = try scratch.summary(
        of: words(data, scratch.file("single-\(seed)"), seed: seed))
      #expect(try run["digest"] as? String == single.text("digest"))
      for key in ["train_error", "validation_error", "test_error"] {
        errors[key, default: []].append(try number(run, key))
      }
    }
    for (key, values) in errors {
      let told = try summary.object(key)
      let sorted = values.sorted()
      let mean = values.reduce(0, +) / 3
      let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
      for (name, value) in [
        ("mean", mean), ("median", sorted[1]), ("lowest", sorted[0]), ("highest", sorted[2]),
        ("std", square.squareRoot()),
      ] {
        #expect(abs(try number(told, name) - value) < 1e-12, "\(key) \(name)")
      }
      #expect(sorted[0] < sorted[2])
    }
    let best = try summary.object("best_by_validation")
    #expect(try number(best, "validation_error") == errors["validation_error"]?.min())
    let written = try Summary(scratch.file("run/summary.json"))
    #expect(written.keys == summary.keys)
    // Other verbs see each training.
    let list = (3...5).map { scratch.file("run/seed-\($0)") }.joined(separator: ",")
    let table = try scratch.summary(
      of: ["compare", "--run", list, "--data", data, "--part", "test"])
    let rows = try table.objects("networks")
    #expect(rows.map { $0["network"] as? String } == ["seed-3", "seed-4", "seed-5"])
    #expect(try rows.map { try number($0, "error_mean") } == errors["test_error"])
    let plot = try program(["plot", "--run", list, "--out", scratch.file("p.svg")])
    #expect(plot.status == 0, "\(plot.errors)")
  }

  @Test("all stop early and continue, and what is finished is left alone")
  func continues() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = words(data, scratch.file("run"), ["--repeat", "2"])
    let stopped = try scratch.summary(of: words + ["--stop-after", "2"], ranks: 2, status: 75)
    #expect(try stopped.integer("finished") == 0 && stopped.isNull("test_error"))
    #expect(try stopped.objects("runs").map { try number($0, "iterations") } == [2, 2])
    let whole = try scratch.summary(of: words)
    #expect(try whole.integer("finished") == 2)
    let files = [3, 4].flatMap { Checkpoints.list(scratch.file("run/seed-\($0)")) }
    let before = try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    let launch = try program(self.words(data, scratch.file("run"), ["--repeat", "3"]))
    #expect(launch.status == 0 && launch.output.contains("3 of 3"), "\(launch.errors)")
    #expect(launch.errors.contains("seed-4: all 6 steps are made; nothing to do"))
    #expect(try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == before)
    let digests = try whole.objects("runs").map { $0["digest"] as? String }
    for (digest, seed) in zip(digests, [3, 4]) {
      let single = try scratch.summary(
        of: self.words(data, scratch.file("single-\(seed)"), seed: seed))
      #expect(try digest == single.text("digest"))
    }
    #expect(Set(digests).count == 2)
  }

  @Test("the test part chooses nothing")
  func withoutValidation() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let summary = try scratch.summary(
      of: words(data, scratch.file("run"), ["--repeat", "2", "--split", "0.7,0,0.3"]))
    #expect(summary.isNull("best_by_validation") && summary.isNull("validation_error"))
    #expect(try number(summary.object("test_error"), "lowest") > 0)
  }

  @Test("trainings that diverge are told, and the status says so", arguments: [nil, 2])
  func diverges(ranks: Int?) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let summary = try scratch.summary(
      of: words(data, scratch.file("run"), ["--repeat", "2", "--learning-rate", "1e30"]),
      ranks: ranks, status: 70)
    #expect(try summary.integer("finished") == 0)
    #expect(try summary.objects("runs").map { $0["diverged"] as? Bool } == [true, true])
  }

  @Test("seeds that do not exist are refused")
  func refused() throws {
    let words = ["train", "--data", "d.h5", "--out", "run", "--repeat"]
    try expectFailure(words + ["0"], status: 64, ["--repeat 0"])
    try expectFailure(
      words + ["2", "--seed", "9223372036854775807"], status: 64, ["--repeat 2", "--seed"])
  }
}
