import Foundation
import TestSupport
import Testing

@Suite("What train says", .serialized, .waiting)
struct TrainReportTests {
  static let few = [
    "--iterations", "4", "--batch", "16", "--leaf", "5", "--channels", "3", "--layers", "2",
  ]

  @Test("before the first step: data, split, network, recipe and ranks, also in the summary")
  func header() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 50, points: 40))
    let words = ["train", "--data", data, "--out", scratch.file("run")] + Self.few
    let launch = try program(words + ["--grid", "1x2"], ranks: 2)
    try #require(launch.status == 0, "\(launch.errors)")
    let lines = launch.errors.split(separator: "\n").map(String.init)
    let titles = ["data", "split", "network", "recipe", "ranks"]
    let header = titles.compactMap { title in lines.first { $0.hasPrefix("\(title) ") } }
    try #require(header.count == titles.count, "\(launch.errors)")
    for (line, fragments) in zip(
      header,
      [
        ["data.h5", "50 samples", "/Input 40", "/Output 40", "a grid of 40 points"],
        ["30 training", "5 validation", "15 test"],
        ["h2nn", "3 channels", "leaf 5", "2 layers", "elu"],
        ["relative", "adam", "4 steps", "batch 16", "seed 1", "float"], ["2: 1x2"],
      ])
    {
      for fragment in fragments { #expect(line.contains(fragment), "\(fragment) in \(line)") }
    }
    let table = try #require(lines.firstIndex { $0.contains("validation error") })
    let row = try #require(lines.firstIndex { $0.contains("1/4 ") })
    #expect(header.allSatisfy { line in lines.firstIndex(of: line) ?? .max < table })
    #expect(table < row)
    // Titles end where their columns do.
    for title in ["step", "loss", "ms/step", "time left"] {
      let end = try #require(lines[table].range(of: title)).upperBound
      let place = lines[table].distance(from: lines[table].startIndex, to: end)
      #expect(Array(lines[row])[place - 1] != " ", "\(title)")
    }
    let summary = try Summary(scratch.file("run/summary.json"))
    let read = try summary.object("data")
    #expect(read["samples"] as? Int == 50 && read["input_shape"] as? [Int] == [40])
    #expect(read["grid"] as? [Int] == [40] && read["samples_last"] as? Bool == false)
    #expect(
      try summary.object("split") as? [String: Int] == [
        "training": 30, "validation": 5, "test": 15,
      ])
    #expect(try summary.text("model") == "h2nn")
    let training = try #require(try summary.object("settings")["training"] as? [String: Any])
    #expect(training["iterations"] as? Int == 4 && training["batch"] as? Int == 16)
    #expect(training["learningRate"] is Double)
    let grid = try summary.object("process_grid") as? [String: Int] ?? [:]
    #expect(grid["data_groups"] == 1 && grid["tree_ranks"] == 2)
  }

  @Test("the error of ridge regression is that of the baseline, on any ranks")
  func ridge() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 80, points: 40))
    let baseline = try scratch.summary(of: ["baseline", "--data", data, "--method", "ridge"])
    for ranks in [nil, 3] as [Int?] {
      let out = scratch.file("run-\(ranks ?? 1)")
      let words = ["train", "--data", data, "--out", out] + Self.few
      let launch = try program(words, ranks: ranks)
      let summary = try Summary("\(out)/summary.json")
      #expect(try summary.number("ridge_error") == baseline.number("error_mean"))
      #expect(launch.output.contains("ridge regression, test"))
      let isBetter = try summary.number("test_error") < summary.number("ridge_error")
      let texts = ["ridge regression is more accurate", "not better than predicting the mean"]
      let isTold = texts.contains { launch.errors.contains($0) }
      #expect(isTold != isBetter, "\(launch.errors)")
    }
  }

  @Test("a network that is no better than the mean is called so")
  func verdict() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 80, points: 40))
    let out = scratch.file("run")
    let words = ["train", "--data", data, "--out", out] + Self.few + ["--initializer", "normal"]
    let launch = try program(words)
    let summary = try Summary("\(out)/summary.json")
    let isNoBetter = try summary.number("test_error") >= summary.number("mean_predictor_error")
    let text = "not better than predicting the mean"
    #expect(launch.errors.contains(text) == isNoBetter)
    #expect(isNoBetter, "the test needs a bad network")
    // A mean predictor is exactly as good as itself.
    let zero = try program(words.dropLast(2) + ["--restart", "--learning-rate", "1e-30"])
    let still = try Summary("\(out)/summary.json")
    #expect(
      try zero.errors.contains(text)
        == (still.number("test_error") >= still.number("mean_predictor_error")))
  }

  @Test("the defaults in the help are those of the program")
  func defaults() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 50, points: 40))
    let help = try program(["train", "--help"]).output
    // What means nothing to this network, or belongs to other options.
    let conditional = ["tolerance", "width", "grid"]
    var explicit: [String] = []
    for line in help.split(separator: "\n") where line.hasPrefix("  --") {
      guard let open = line.lastIndex(of: "("), line.hasSuffix(")") else { continue }
      let name = String(line.dropFirst(4).prefix { $0 != " " })
      let value = String(line[line.index(after: open)...].dropLast())
      let isWords = value.contains(" ") || ["none", "r", "matrices"].contains(value)
      if isWords || conditional.contains(name) { continue }
      explicit += ["--\(name)", value]
    }
    // The three that are given below.
    for name in ["--iterations", "--batch"] {
      let place = try #require(explicit.firstIndex(of: name))
      explicit.removeSubrange(place...place + 1)
    }
    #expect(explicit.count > 2 * 25, "\(explicit)")
    let words = ["--data", data, "--iterations", "3", "--batch", "64"]
    let first = try program(["train", "--out", scratch.file("a")] + words)
    let second = try program(["train", "--out", scratch.file("b")] + words + explicit)
    try #require(first.status == 0 && second.status == 0, "\(second.errors) \(explicit)")
    let (a, b) = try (
      Summary(scratch.file("a/summary.json")), Summary(scratch.file("b/summary.json"))
    )
    #expect(try a.text("digest") == b.text("digest"))
    for group in ["training", "layout"] {
      let (given, standard) = try (b.object("settings")[group], a.object("settings")[group])
      #expect(given as? NSDictionary == standard as? NSDictionary, "\(group)")
    }
  }

  @Test("bench names the network that it measures")
  func bench() throws {
    let help = try program(["bench", "--help"]).output
    let line = try #require(help.split(separator: "\n").first { $0.hasPrefix("  --model ") })
    let standard = try #require(line.split(separator: "(").last).dropLast()
    let launch = try program(["bench", "--repeat", "1", "--batch", "16", "--points", "40"])
    #expect(launch.output.hasPrefix("\(standard) on "), "\(line)\n\(launch.output)")
  }

  @Test("settings that mean nothing to the network are named")
  func unused() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = ["train", "--data", data, "--iterations", "2"] + small
    let out = scratch.file("a")
    let launch = try program(
      words + ["--out", out, "--boundary", "periodic", "--width", "9", "--plateau-every", "3"]
        + ["--levels", "1", "--batch-growth", "0.5"])
    #expect(launch.status == 0)
    for text in [
      "--boundary, --width: not used by --model h2nn", "--plateau-every: not used by",
      "without a far field; more points, a smaller --leaf",
      "--batch: 80 samples of a step are more than the 72 of the training part",
    ] {
      #expect(launch.errors.contains(text), "\(launch.errors)")
    }
    let file = URL(fileURLWithPath: "\(out)/summary.json")
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let notes = try #require(object?["notes"] as? [String])
    #expect(notes.contains { $0.contains("--boundary") } && !notes.joined().contains("`"))
    let used = try program(words + ["--out", scratch.file("b")])
    for text in ["not used", "far field", "--batch:"] {
      #expect(!used.errors.contains(text), "\(used.errors)")
    }
  }
}
