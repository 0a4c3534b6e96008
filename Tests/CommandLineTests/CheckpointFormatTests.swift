import Foundation
import TestSupport
import Testing

/// Checkpoints of both formats lie in `Tests/Fixtures`, with their data: runs of 8 steps, stopped after step 4.
@Suite("Formats of checkpoints", .serialized, .waiting)
struct CheckpointFormatTests {
  static let formats = ["format-1.h5", "format-2.h5"]
  private static let data = Checkpoints.fixture("data.h5")

  /// The command that trained them.
  private func words(_ run: String) -> [String] {
    let network = "--model h2nn --skeleton gaussian --channels 2 --layers 1 --leaf 4"
    let training = "--batch 16 --shard 16 --iterations 8 --schedule plateau --plateau-every 2"
    let reports = "--validate-every 2 --report-every 1"
    let options = "\(network) \(training) \(reports)".split(separator: " ").map(String.init)
    return ["train", "--data", Self.data, "--out", run] + options
  }

  @Test(
    "networks of both formats are evaluated, and predict the same on any grid", arguments: formats)
  func evaluates(format: String) throws {
    let scratch = try Scratch()
    let path = try Checkpoints.copyFixture(format, to: scratch.file("run"))
    let words = ["--checkpoint", scratch.file("run"), "--data", Self.data]
    let error = try scratch.summary(of: ["evaluate"] + words).number("error_mean")
    // What the program before format 2 said of its file.
    #expect(abs(error - 0.617866) < 1e-5)
    for (ranks, grid) in [(nil, "1x1"), (3, "1x3"), (2, "2x1")] as [(Int?, String)] {
      let out = scratch.file("\(grid).h5")
      _ = try scratch.summary(
        of: ["predict", "--out", out, "--grid", grid] + words, ranks: ranks)
      #expect(try read(out, "/Output") == read(scratch.file("1x1.h5"), "/Output"))
    }
    guard Peer.isThere else { return }
    let peer = try Peer.run(
      "run_checkpoint.py", [path, Self.data, "--compare", scratch.file("1x1.h5")])
    #expect(peer.status == 0, "\(peer.text)")
  }

  @Test("runs of both formats go on with the same bits on any grid", arguments: formats)
  func continues(format: String) throws {
    let scratch = try Scratch()
    var (digests, errors): ([String], [Double]) = ([], [])
    for (ranks, grid) in [(nil, "1x1"), (3, "1x3"), (4, "2x2")] as [(Int?, String)] {
      _ = try Checkpoints.copyFixture(format, to: scratch.file(grid))
      let summary = try scratch.summary(
        of: words(scratch.file(grid)) + ["--grid", grid], ranks: ranks)
      #expect(try summary.integer("iterations") == 8)
      digests.append(try summary.text("digest"))
      errors.append(try summary.number("test_error"))
      // The lines before the stop are there.
      let lines = try jsonLines(scratch.file("\(grid)/metrics.jsonl"))
      #expect(lines.compactMap { ($0["step"] as? NSNumber)?.intValue } == Array(1...8))
    }
    #expect(Set(digests).count == 1, "\(digests)")
    guard format == "format-2.h5" else { return }
    // The fixture is of one processor, and another one forms products in another order.
    let whole = try scratch.summary(of: words(scratch.file("whole")))
    #expect(abs(try whole.number("test_error") - errors[0]) < 1e-4 * errors[0])
  }

  @Test("what is whole and does not fit is refused with its reason")
  func misfits() throws {
    let scratch = try Scratch()
    let changes = [
      // An option of a version to come.
      ("\"beta1\"", "\"beta9\"", "training.beta9"),
      // The name of the file tells another step.
      ("\"step\":4", "\"step\":5", "5 of 8 steps"),
      ("\"step\":4", "\"step\":9", "9 of 8 steps"),
      ("\"addend\":\"near.1\"", "\"addend\":\"near.2\"", "another version"),
      ("\"input_scale\"", "\"input_skale\"", "description"),
    ]
    for (index, (old, new, fragment)) in changes.enumerated() {
      let path = try Checkpoints.copyFixture("format-2.h5", to: scratch.file("run-\(index)"))
      try Checkpoints.rewrite(path, old, new)
      let words = ["evaluate", "--checkpoint", path, "--data", Self.data]
      try expectFailure(words, status: 65, [path, fragment], ranks: index == 0 ? [nil, 3] : [nil])
    }
  }

  @Test(
    "every verb goes back to the newest checkpoint that is whole, and says so", arguments: [nil, 3])
  func walksBack(ranks: Int?) throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    _ = try scratch.summary(of: words(run) + ["--stop-after", "4"], status: 75)
    let older = try #require(Checkpoints.list(run).last)
    _ = try scratch.summary(of: words(run) + ["--stop-after", "6"], status: 75)
    let newest = try #require(Checkpoints.list(run).last)
    try Checkpoints.damage(newest, "/optimizer/second_moment/near.1/weights", at: -1)
    let data = ["--data", Self.data]
    let wanted = try scratch.summary(of: ["evaluate", "--checkpoint", older] + data)
    let out = scratch.file("out")
    for verb in [
      ["evaluate", "--checkpoint", run], ["predict", "--checkpoint", run, "--out", out + ".h5"],
      ["compare", "--run", run], ["plot", "--run", run, "--out", out + ".svg"],
    ] {
      let summary = scratch.file("summary.json")
      let launch = try program(verb + data + ["--summary", summary], ranks: ranks)
      #expect(launch.status == 0, "\(verb): \(launch.errors)")
      let notes = launch.errors.split(separator: "\n").filter {
        $0.contains("the checkpoint before")
      }
      #expect(notes.count == 1 && notes[0].contains(newest), "\(launch.errors)")
      switch verb[0] {
      case "evaluate":
        let error = try Summary(summary).number("error_mean")
        #expect(try error == wanted.number("error_mean"))
      case "compare":
        #expect(try Summary(summary).objects("networks")[0]["iterations"] as? Int == 4)
      default: break
      }
    }
  }

  @Test(
    "a run that is killed while it writes loses nothing and leaves nothing", .timeLimit(.minutes(3))
  )
  func killed() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    let words = words(run).map { $0 == "8" ? "400" : $0 } + ["--checkpoint-every", "1"]
    let whole = self.words(scratch.file("whole")).map { $0 == "8" ? "400" : $0 }
    let digest = try scratch.summary(of: whole).text("digest")
    var (kills, leftovers) = (0, 0)
    func written() -> [String] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: run)) ?? []
      return names.filter { $0.hasSuffix(".writing") }
    }
    while kills < 4 {
      let process = Process()
      process.executableURL = try locate("h2nn-dist")
      process.arguments = words
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      // What a killed run has left is gone once the next one has made a checkpoint.
      let before = Checkpoints.list(run).last
      while process.isRunning, Checkpoints.list(run).last == before { usleep(200) }
      #expect(written().count <= 1)
      while process.isRunning, written().isEmpty { usleep(100) }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      leftovers += written().count
      kills += 1
    }
    // The kill comes too late now and then.
    #expect(leftovers > 0)
    #expect(try scratch.summary(of: words, ranks: 2).text("digest") == digest)
    #expect(written().isEmpty)
    #expect(Checkpoints.list(run).count == 2)
  }
}
