import Foundation
import TestSupport
import Testing

@Suite("Recipes of training", .serialized, .waiting)
struct RecipeTests {
  static let plateau = [
    "--schedule", "plateau", "--plateau-every", "2", "--plateau-patience", "1",
    "--plateau-threshold", "0.9", "--step-factor", "0.7",
  ]
  /// Batches of 24, 48 and 96 samples in shards of 16: two, three and six.
  static let growth = [
    "--batch", "24", "--batch-growth", "0.25,0.5", "--drop-at", "0.75,0.9", "--schedule",
    "constant",
  ]

  private func words(_ data: String, _ out: String, _ more: [String]) -> [String] {
    ["train", "--data", data, "--out", out, "--channels", "3", "--layers", "2", "--shard", "16"]
      + ["--learning-rate", "0.008", "--iterations", "12", "--report-every", "1"] + more
  }

  private func column(
    _ scratch: borrowing Scratch, _ run: String, _ key: String
  ) throws -> [Double?] {
    try jsonLines(scratch.file("\(run)/metrics.jsonl")).map { ($0[key] as? NSNumber)?.doubleValue }
  }

  @Test(
    "a recipe gives the same bits on any grid, and continues with them after a stop and a kill",
    arguments: [plateau + ["--batch", "40"], growth, plateau + growth.dropLast(2)],
    [["--model", "h2nn"], ["--model", "mnn-h2", "--sharing", "mix", "--optimizer", "nadam"]])
  func continues(recipe: [String], network: [String]) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    func words(_ run: String, _ more: [String] = []) -> [String] {
      self.words(data, scratch.file(run), recipe + network + more)
    }
    let whole = try scratch.summary(of: words("whole"))
    let digest = try whole.text("digest")
    for (index, grid) in [(1, 2), (2, 2), (7, 1)].enumerated() {
      let more = ["--grid", "\(grid.0)x\(grid.1)"]
      let other = try scratch.summary(
        of: words("grid-\(index)", more), ranks: grid.0 * grid.1)
      #expect(try other.text("digest") == digest, "grid \(grid)")
    }
    // As after a kill at step 6: the checkpoint of the stop is gone, that of step 5 is there.
    _ = try scratch.summary(
      of: words("parts", ["--checkpoint-every", "5", "--stop-after", "6", "--grid", "1x3"]),
      ranks: 3, status: 75)
    let newest = try #require(Checkpoints.list(scratch.file("parts")).last)
    #expect(newest.contains("6.h5"))
    try FileManager.default.removeItem(atPath: newest)
    _ = try scratch.summary(of: words("parts", ["--stop-after", "9"]), ranks: 2, status: 75)
    #expect(try scratch.summary(of: words("parts")).text("digest") == digest)
    for key in ["loss", "learning_rate", "epoch"] {
      #expect(try column(scratch, "parts", key) == column(scratch, "whole", key), "\(key)")
    }
  }

  @Test("the rate of a plateau falls, whenever else the run validates")
  func plateauRates() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = words(data, scratch.file("a"), Self.plateau + ["--batch", "40"])
    let digest = try scratch.summary(of: words).text("digest")
    // The first error is an improvement on nothing, none of the others is one by nine tenths.
    let rates = try column(scratch, "a", "learning_rate").compactMap { $0 }
    let drops = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    for (rate, count) in zip(rates, drops) {
      #expect(abs(rate - 0.008 * pow(0.7, Double(count))) < 1e-15)
    }
    #expect(rates.count == 12)
    let errors = try column(scratch, "a", "validation_error")
    #expect(errors.map { $0 != nil } == (1...12).map { $0 % 2 == 0 })
    let often = self.words(
      data, scratch.file("b"), Self.plateau + ["--batch", "40", "--validate-every", "1"])
    #expect(try scratch.summary(of: often).text("digest") == digest)
    let constant = self.words(
      data, scratch.file("c"), ["--schedule", "constant", "--batch", "40"])
    #expect(try scratch.summary(of: constant).text("digest") != digest)
    try expectFailure(
      self.words(data, scratch.file("d"), Self.plateau + ["--split", "0.7,0,0.3"]), status: 64,
      ["--schedule plateau", "validation", "--split"])
  }

  @Test("without a rate and a warm-up both follow, and are those that stand in the checkpoint")
  func standard() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    var words = words(data, scratch.file("run"), ["--schedule", "constant", "--batch", "16"])
    words.replaceSubrange(
      try #require(words.firstRange(of: ["--learning-rate", "0.008", "--iterations", "12"])),
      with: ["--model", "dense", "--iterations", "40"])
    _ = try scratch.summary(of: words + ["--stop-after", "5"], status: 75)
    // A value of a dense network sums all 40 points; two steps are a twentieth.
    let rates = try column(scratch, "run", "learning_rate").compactMap { $0 }
    for (rate, expected) in zip(rates, [1.0, 2, 3, 3, 3]) {
      #expect(abs(rate - 0.025 * expected / 3) < 1e-15)
    }
    #expect(rates.count == 5)
    _ = try scratch.summary(
      of: words + ["--stop-after", "6", "--learning-rate", "0.025", "--warmup", "2"], status: 75)
    try expectFailure(
      words + ["--warmup", "0"], status: 64, ["--warmup 2, now 0", "--restart"])
  }

  @Test("a batch that grows is counted as it is")
  func growthCounts() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = words(data, scratch.file("run"), Self.growth)
    let batches = [24, 24, 24, 48, 48, 48, 96, 96, 96, 96, 96, 96]
    let per = try scratch.summary(
      of: self.words(data, scratch.file("one"), ["--batch", "16"])
    ).integer("flops_per_step")
    for (stop, ranks) in [(2, 1), (5, 2), (12, 3)] {
      let summary = try scratch.summary(
        of: words + ["--stop-after", "\(stop)", "--grid", "\(ranks)x1"], ranks: ranks,
        status: stop < 12 ? 75 : 0)
      let shards = (batches[stop - 1] + 15) / 16
      #expect(try summary.integer("batch") == batches[stop - 1])
      #expect(try summary.integer("flops_per_step") == shards * per)
      let flops = try summary.objects("ranks").map { ($0["flops"] as? NSNumber)?.intValue ?? 0 }
      #expect(flops.reduce(0, +) == shards * per)
    }
    // 72 samples are for training.
    var seen = 0
    for (batch, epoch) in zip(batches, try column(scratch, "run", "epoch")) {
      seen += batch
      #expect(epoch == Double(seen) / 72)
    }
    let rates = try column(scratch, "run", "learning_rate").compactMap { $0 }
    let drops = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2]
    for (rate, count) in zip(rates, drops) {
      #expect(abs(rate - 0.008 * pow(0.1, Double(count) / 2)) < 1e-15)
    }
  }

  @Test("epochs count the samples of batches that grow")
  func epochs() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = words(data, scratch.file("run"), Self.growth)
      .filter { $0 != "--iterations" && $0 != "12" }
    // A half of the steps at 24, a half at 48: 144 samples are two epochs, in four steps.
    let growth = words.map { $0 == "0.25,0.5" ? "0.5" : $0 }
    #expect(try scratch.summary(of: growth + ["--epochs", "2"]).integer("iterations") == 4)
  }

  /// Relative errors of such outputs are of the size of their variation, and their squares far below it.
  @Test("what outputs vary around does not change how well they are learned")
  func offsets() throws {
    let scratch = try Scratch()
    var ratios: [String: Double] = [:]
    // In single precision the network has the variation alone; the errors are computed in double.
    for (precision, digits) in [
      ("double", 0), ("double", 4), ("double", 8), ("float", 0), ("float", 8),
    ] {
      var fields = Fields(samples: 200)
      fields.outputs = fields.outputs.map { 3 + ($0 - 1) * pow(10, Double(-digits)) }
      let name = "\(precision) \(digits)"
      let data = try scratch.write(fields, to: "\(name).h5")
      let words = ["train", "--data", data, "--out", scratch.file(name), "--precision", precision]
      let summary = try scratch.summary(
        of: words + small + ["--iterations", "300"])
      ratios[name] =
        try summary.number("test_error") / summary.number("mean_predictor_error")
    }
    let least = try #require(ratios.values.min())
    #expect(least < 0.4, "\(ratios)")
    for (name, ratio) in ratios { #expect(ratio < 2 * least, "\(name): \(ratios)") }
  }

  @Test(
    "fractions that are none are refused",
    arguments: [
      ["--batch-growth", "0.5,0.2"], ["--batch-growth", "2"], ["--drop-at", "a"],
      ["--drop-at", "0.5,,0.7"], ["--plateau-threshold", "2"], ["--plateau-patience", "0"],
      ["--batch-growth", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"],
    ])
  func refused(option: [String]) throws {
    try expectFailure(
      ["train", "--data", "d.h5", "--out", "run"] + option, status: 64, [option[0]])
  }
}
