import Foundation
import TestSupport
import Testing

@Suite("Studies", .serialized, .waiting)
struct StudyTests {
  private static let text = """
    {
      title: "Two networks",
      source: "nobody",
      data: {problem: "custom-operator", samples: 60},
      train: {iterations: 6, batch: 16, channels: 2, layers: 1},
      axes: [
        {name: "N", data: "points", values: [40, 80]},
        {name: "network", values: [
          {name: "H2NN", train: {model: "h2nn"}},
          {name: "MNN-H², own", train: {model: "mnn-h2"}}, // two networks
        ]},
      ],
      tables: [
        {rows: "network", columns: "N", published: [["H2NN", "80", 0.0123]]},
        {rows: "network", columns: "N", value: "parameters"},
      ],
      charts: [{x: "N", series: "network", logarithmic_x: true}],
      references: ["mean", "ridge"],
      curves: true,
    }
    """

  /// The digests of a study's runs by name.
  private func digests(_ summary: Summary) throws -> [String: String] {
    var digests: [String: String] = [:]
    for run in try summary.objects("runs") {
      let name = try #require(run["name"] as? String)
      let result = try #require(run["summary"] as? [String: Any])
      digests[name] = try #require(result["digest"] as? String)
    }
    return digests
  }

  @Test("all combinations are trained, tabulated and drawn; the bits do not depend on the ranks")
  func runs() throws {
    let scratch = try Scratch()
    let study = try scratch.write(Self.text, to: "study.json5")
    let words = ["study", study, "--out"]
    let alone = try scratch.summary(of: words + [scratch.file("one")])
    let digests = try digests(alone)
    #expect(digests.keys.sorted() == ["40-h2nn", "40-mnn-h2-own", "80-h2nn", "80-mnn-h2-own"])
    #expect(Set(digests.values).count == 4)
    let several = try scratch.summary(of: words + [scratch.file("three")], ranks: 3)
    #expect(try self.digests(several) == digests)

    let report = try String(contentsOfFile: scratch.file("one/results.md"), encoding: .utf8)
    #expect(report.hasPrefix("# Two networks\n"))
    #expect(report.contains("| network | N = 40 | N = 80 |"))
    #expect(report.contains("![Two networks](results.svg)"))
    // The number of a table is that of the run's own summary, the published one beside it.
    let run = try Summary(scratch.file("one/80-h2nn/summary.json"))
    let error = String(format: "%.4g", try run.number("test_error"))
    #expect(report.contains("\(error) (0.0123) |"), "\(error) in \(report)")
    #expect(report.contains(" | \(try run.integer("parameters")) |"))
    // The operator is linear, and a reference method sees as many samples as the networks do.
    for method in ["mean", "ridge"] {
      let reference = try Summary(scratch.file("one/\(method)-40.json"))
      let mean = try reference.number("error_mean")
      let error = String(format: mean < 0.01 ? "%.3e" : "%.4g", mean)
      #expect(report.contains("| \(method) | \(error) |"), "\(error) in \(report)")
    }
    #expect(report.contains("| method | N = 40 | N = 80 |"))
    let picture = try String(contentsOfFile: scratch.file("one/results.svg"), encoding: .utf8)
    // Two networks over N, and the losses of four runs.
    #expect(picture.components(separatedBy: "<polyline").count == 1 + 2 + 4)
  }

  @Test("a study that was stopped goes on, and what is finished is left alone")
  func continues() throws {
    let scratch = try Scratch()
    let study = try scratch.write(Self.text, to: "study.json5")
    let words = ["study", study, "--out", scratch.file("out")]
    let stopped = try program(words + ["--set", "stop_after=3"])
    #expect(stopped.status == 75, "\(stopped.errors)")
    let summary = try scratch.summary(of: words)
    let whole = try scratch.summary(of: ["study", study, "--out", scratch.file("whole")])
    #expect(try digests(summary) == digests(whole))
    let path = scratch.file("out/40-h2nn/summary.json")
    let before = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    // What says that a run is finished is an object of its settings.
    let mark = try Summary(scratch.file("out/40-h2nn/study.json"))
    #expect(try mark.object("data")["points"] as? String == "40")
    #expect(try mark.object("train")["model"] as? String == "h2nn")
    let again = try program(words)
    #expect(again.status == 0 && !again.errors.contains("loss"), "\(again.errors)")
    let after = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    #expect(before != nil && before == after)
  }

  @Test("values of axes can be chosen, and settings replaced")
  func chooses() throws {
    let scratch = try Scratch()
    let study = try scratch.write(Self.text, to: "study.json5")
    let only = ["--only", "N=80,network=MNN-H², own"]
    let words = ["study", study, "--out", scratch.file("out")] + only
    let summary = try scratch.summary(of: words + ["--set", "iterations=2,samples=40"])
    let run = try #require(try summary.objects("runs").first)
    #expect(try summary.objects("runs").count == 1 && run["name"] as? String == "80-mnn-h2-own")
    #expect((run["summary"] as? [String: Any])?["iterations"] as? Int == 2)
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch.file("out/data"))
    #expect(files == ["custom-operator-points-80-samples-40.h5"])
  }

  @Test("a training that diverges does not end the others")
  func survivesDivergence() throws {
    let scratch = try Scratch()
    let values = "{name: \"wild\", train: {learning_rate: 1e30}}, {name: \"tame\", train: {}}"
    let study = try scratch.write(
      "{data: {problem: \"custom-operator\", samples: 40, points: 40}, "
        + "train: {iterations: 4, batch: 16, channels: 2, report_every: 1}, "
        + "axes: [{name: \"rate\", values: [\(values)]}], "
        + "tables: [{rows: \"rate\", columns: \"rate\"}]}", to: "study.json5")
    let summary = try scratch.summary(
      of: ["study", study, "--out", scratch.file("out")], ranks: 2, status: 70)
    #expect(try digests(summary).keys.sorted() == ["tame"])
  }

  @Test("several seeds stand in one cell, and a single large number on an axis")
  func repeats() throws {
    let scratch = try Scratch()
    let study = try scratch.write(
      "{data: {problem: \"custom-operator\", samples: 40, points: 40}, "
        + "train: {iterations: 2, batch: 16, channels: 2, repeat: 2}, "
        + "axes: [{name: \"first seed\", train: \"seed\", values: [40000]}], tables: ["
        + "{rows: \"first seed\", columns: \"first seed\", value: \"test_error_lowest\"}, "
        + "{rows: \"first seed\", columns: \"first seed\", value: \"parameters\"}], "
        + "charts: [{x: \"first seed\", series: \"first seed\"}]}", to: "study.json5")
    _ = try scratch.summary(of: ["study", study, "--out", scratch.file("out")])
    let report = try String(contentsOfFile: scratch.file("out/results.md"), encoding: .utf8)
    let errors = try [40000, 40001].map {
      try Summary(scratch.file("out/40000/seed-\($0)/summary.json")).number("test_error")
    }
    let lowest = String(format: "%.4g", errors[0] < errors[1] ? errors[0] : errors[1])
    #expect(report.contains("| 40000 | \(lowest) |"), "\(lowest) in \(report)")
    let run = try Summary(scratch.file("out/40000/seed-40000/summary.json"))
    #expect(report.contains("| 40000 | \(try run.integer("parameters")) |"))
    #expect(FileManager.default.fileExists(atPath: scratch.file("out/results.svg")))
  }

  @Test("a study that cannot be right is refused before anything runs")
  func refuses() throws {
    let scratch = try Scratch()
    let out = ["--out", scratch.file("out")]
    func refuse(_ old: String, _ new: String, _ fragments: [String]) throws {
      #expect(Self.text.contains(old))
      let text = Self.text.replacingOccurrences(of: old, with: new)
      let study = try scratch.write(text, to: "wrong.json5")
      try expectFailure(["study", study] + out, status: 64, fragments, ranks: [nil])
      #expect(!FileManager.default.fileExists(atPath: scratch.file("out")))
    }
    try refuse("curves:", "curve:", ["'curve'", "did you mean curves?"])
    try refuse("channels: 2", "chanels: 2", ["'chanels'", "did you mean channels?"])
    try refuse("channels: 2", "channels: 2, out: 'x'", ["'out'", "names its files itself"])
    try refuse("value: \"parameters\"", "value: \"foo\"", ["'foo'", "test_error"])
    try refuse("value: \"parameters\"", "value: \"ranks\"", ["'ranks'", "ridge_error"])
    try refuse("samples: 60", "samples: 60, samples: 61", ["line 4", "'samples'", "on line 4"])
    try refuse("samples: 60", "sample: 60", ["'sample'", "did you mean samples?"])
    try refuse("\"custom-operator\"", "\"custom\"", ["custom"])
    try refuse("columns: \"N\"", "columns: \"M\"", ["'M'"])
    try refuse("values: [40, 80]", "values: []", ["'N' has no values"])
    try refuse("values: [40, 80]", "values: [40, 40]", ["two runs"])
    try refuse("x: \"N\"", "x: \"network\"", ["needs numbers"])
    try refuse("\"ridge\"", "\"rigde\"", ["rigde"])
    try refuse("model: \"mnn-h2\"", "model: \"mnn\"", ["mnn"])
    let study = try scratch.write(Self.text, to: "study.json5")
    try expectFailure(
      ["study", study, "--only", "N=41"] + out, status: 64, ["--only N=41", "40, 80"],
      ranks: [nil, 3])
    try expectFailure(
      ["study", study, "--set", "iteration=2"] + out, status: 64, ["--set iteration=2"],
      ranks: [nil])
    try expectFailure(
      ["study", scratch.file("none.json5")] + out, status: 66, ["none.json5"], ranks: [nil, 3])
    try expectFailure(["study"] + out, status: 64, ["which one"], ranks: [nil])
  }
}
