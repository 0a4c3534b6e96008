import Foundation
import TestSupport
import Testing

/// What a call writes replaces nothing that it reads, and nothing of another kind.
@Suite("Files that are not replaced", .serialized, .waiting)
struct OverwriteTests {
  @Test("a file that is read is not written, whatever it is called")
  func inputs() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let link = scratch.file("link.h5")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: data)
    let run = scratch.file("run")
    _ = try scratch.summary(
      of: ["train", "--data", data, "--out", run, "--iterations", "2"] + small)
    let before = try Data(contentsOf: URL(fileURLWithPath: data))
    let words = [
      ["predict", "--checkpoint", run, "--data", data, "--out", link, "--force"],
      ["baseline", "--method", "mean", "--data", link, "--out", data, "--force"],
      ["generate", "custom-operator", "--inputs", data, "--out", link, "--force"],
      ["evaluate", "--checkpoint", run, "--data", data, "--summary", link],
      ["inspect", "--data", data, "--summary", "\(scratch.file("x"))/../data.h5"],
    ]
    try FileManager.default.createDirectory(
      atPath: scratch.file("x"), withIntermediateDirectories: true)
    for call in words {
      try expectFailure(call, status: 64, ["would replace"], ranks: [nil])
      #expect(try Data(contentsOf: URL(fileURLWithPath: data)) == before, "\(call)")
    }
  }

  @Test("a study is not replaced by what it writes", arguments: ["--report", "--summary"])
  func study(option: String) throws {
    let scratch = try Scratch()
    let text = "{train: {iterations: 2}, data: {problem: \"custom-operator\", samples: 60}}"
    let path = try scratch.write(text, to: "study.json5")
    try expectFailure(
      ["study", path, "--out", scratch.file("out"), option, path], status: 64, ["would replace"],
      ranks: [nil])
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test("a summary replaces summaries alone")
  func kinds() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(), to: "data.h5")
    let (other, notes) = (try scratch.write(Fields(), to: "other.h5"), scratch.file("notes.txt"))
    try Data("my notes".utf8).write(to: URL(fileURLWithPath: notes))
    let baseline = ["baseline", "--method", "mean", "--data", data, "--summary"]
    for path in [other, notes] {
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      try expectFailure(baseline + [path], status: 73, [path, "another kind"])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }
    for _ in 0..<2 { #expect(try program(baseline + [scratch.file("s.json")]).status == 0) }
  }
}
