import Foundation
import TestSupport
import Testing

@Suite("Drawing runs", .serialized, .waiting)
struct PlotTests {
  @Test("a drawing of runs and predictions is SVG, and is not overwritten")
  func draws() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    for run in ["one", "two"] {
      let words = ["train", "--data", data, "--out", scratch.file(run), "--iterations", "4"]
      _ = try scratch.summary(of: words + small)
    }
    let out = scratch.file("plot.svg")
    let runs = "\(scratch.file("one")),\(scratch.file("two"))"
    let words = ["plot", "--run", runs, "--data", data, "--sample", "7", "--out", out]
    let launch = try program(words)
    #expect(launch.status == 0, "\(launch.errors)")
    let parser = XMLDocumentCheck(try String(contentsOfFile: out, encoding: .utf8))
    #expect(parser.isBalanced && parser.count(of: "svg") == 1)
    // A curve of losses for each run, and truth and prediction.
    #expect(parser.count(of: "polyline") >= 4)
    try expectFailure(words, status: 73, [out, "--force"])
    #expect(try program(words + ["--force"]).status == 0)
    let missing = ["plot", "--run", scratch.file("none"), "--out", scratch.file("p.svg")]
    try expectFailure(missing, status: 66, [scratch.file("none")], ranks: [nil])
    let sample = ["plot", "--run", scratch.file("one"), "--data", data, "--sample", "120"]
    try expectFailure(
      sample + ["--out", scratch.file("p.svg")], status: 64, ["--sample 120"], ranks: [nil])
  }

  @Test("in two dimensions losses are drawn, and it is said that predictions are not")
  func plane() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 40, grid: [8, 8]))
    let run = scratch.file("run")
    let words = ["--iterations", "2", "--batch", "16", "--shard", "16"]
    _ = try scratch.summary(of: ["train", "--data", data, "--out", run] + words)
    let plot = ["plot", "--run", run, "--data", data, "--out", scratch.file("p.svg")]
    try expectFailure(plot + ["--sample", "40"], status: 64, ["--sample 40"], ranks: [nil])
    let launch = try program(plot)
    #expect(launch.status == 0 && launch.errors.contains("one dimension"), "\(launch.errors)")
  }
}

/// The tags of a text in XML.
private struct XMLDocumentCheck {
  private var counts: [Substring: Int] = [:]
  private(set) var isBalanced = true

  init(_ text: String) {
    var open: [Substring] = []
    for piece in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
      guard let tag = piece.split(separator: ">", omittingEmptySubsequences: false).first else {
        continue
      }
      let name = tag.prefix { !" /\n".contains($0) || $0 == tag.first }
      if name.hasPrefix("/") {
        isBalanced = isBalanced && open.popLast() == name.dropFirst()
      } else if !name.hasPrefix("?") && !name.hasPrefix("!") {
        counts[name, default: 0] += 1
        if !tag.hasSuffix("/") { open.append(name) }
      }
    }
    isBalanced = isBalanced && open.isEmpty
  }

  func count(of name: Substring) -> Int { counts[name] ?? 0 }
}
