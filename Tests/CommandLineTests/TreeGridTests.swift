import Foundation
import TestSupport
import Testing

/// A network that is spread over tree ranks, its data, and the grids on which it is trained.
struct GridCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let words: [String]
  let grids: [(Int, Int)]
  let fields: @Sendable () -> Fields

  init(
    _ name: String, _ words: String, _ grids: [(Int, Int)],
    _ fields: @escaping @Sendable () -> Fields = { Fields() }
  ) {
    testDescription = name
    self.words = words.split(separator: " ").map(String.init)
    self.grids = grids
    self.fields = fields
  }

  /// Fields on a square of 8 × 8 points.
  static func square() -> Fields {
    var fields = Fields(points: 64)
    (fields.shape, fields.outputShape) = ([8, 8], [8, 8])
    return fields
  }

  static let all = [
    GridCase("h2nn", "", [(1, 2), (2, 2), (1, 5), (2, 4)]),
    GridCase("h2nn double", "--precision double --linear-path", [(1, 3)]),
    GridCase("h2nn cloud", "--leaf 6", [(1, 3)]) { Fields(cloud: 70) },
    GridCase("h2nn two clouds", "--leaf 5 --precision double --loss mse", [(1, 3)]) {
      Fields(cloud: 60, receivers: 45)
    },
    GridCase("h2nn skeleton", "--skeleton log --tolerance 1e-4", [(1, 3), (2, 2)]),
    GridCase(
      "h2nn skeleton of two clouds",
      "--leaf 5 --skeleton exponential-integral:2 --rank-limit 4 --linear-path", [(1, 3)]
    ) { Fields(cloud: 60, receivers: 45) },
    GridCase("h2nn square", "--leaf 2 --replicate-below 0", [(1, 3)], square),
    GridCase("h2nn of blocks", "--block-activation tanh --sample-memory 0", [(1, 3), (2, 2)]),
    GridCase("mnn-h2", "--model mnn-h2", [(1, 7)]),
    GridCase("mnn-h2, a shard at a time", "--model mnn-h2 --wave 1", [(1, 3), (2, 2)]),
    GridCase("mnn-h2 mix, in waves", "--model mnn-h2 --sharing mix --wave 2", [(1, 3)]),
    GridCase(
      "mnn-h2 offset", "--model mnn-h2 --sharing offset --boundary periodic --precision double",
      [(1, 3), (2, 2)]),
    GridCase("mnn-h2 mix", "--model mnn-h2 --sharing mix", [(1, 3), (7, 1)]),
    GridCase("mnn-h2 square", "--model mnn-h2 --leaf 2 --sharing mix", [(1, 3)], square),
    GridCase("mnn-h", "--model mnn-h --sharing offset --boundary periodic", [(1, 3), (2, 2)]),
    GridCase("mnn-h square", "--model mnn-h --leaf 2 --replicate-below 0", [(1, 3)], square),
    GridCase("h2nn of networks", "--block-width 4 --transfer-layers 2", [(1, 3), (2, 2)]),
    GridCase("gfmm", "--model gfmm --bridges strictly-lower", [(1, 3), (2, 2)]),
    GridCase(
      "gfmm by offset", "--model gfmm --sharing offset --boundary periodic --replicate-below 0",
      [(1, 5)]),
    GridCase("conv", "--model conv --leaf 2 --output-shift mean --input-scale deviation", [(1, 3)]),
  ]
}

@Suite("The same bits on any process grid", .serialized, .waiting)
struct TreeGridTests {
  /// Seven shards of sixteen samples, the last of four.
  static let options = DigestTests.options + ["--report-every", "1", "--validate-every", "2"]

  /// Trains on a grid and returns all that must not depend on it.
  private func outcome(
    _ scratch: borrowing Scratch, _ words: [String], _ grid: (Int, Int)?, _ options: [String],
    name: String? = nil, status: Int32 = 0
  ) throws -> [String] {
    let (run, shape) = (name ?? UUID().uuidString, grid.map { "\($0.0)x\($0.1)" } ?? "auto")
    let data = ["--data", scratch.file("data.h5"), "--out", scratch.file(run), "--grid", shape]
    let summary = try scratch.summary(
      of: ["train"] + data + options + words, ranks: grid.map { $0.0 * $0.1 }, status: status)
    var result = [try summary.text("digest"), "\(try summary.integer("flops_per_step"))"]
    for key in ["train_error", "validation_error", "test_error", "mean_predictor_error"] {
      result.append("\(key): \(summary.isNull(key) ? "null" : "\(try summary.number(key))")")
    }
    for line in try jsonLines(scratch.file("\(run)/metrics.jsonl")) {
      for key in ["step", "epoch", "loss", "learning_rate", "validation_error"] {
        result.append("\(key): \((line[key] as? NSNumber)?.doubleValue ?? -1)")
      }
    }
    return result
  }

  @Test("a training does not depend on the grid", arguments: GridCase.all)
  func digests(gridCase: GridCase) throws {
    let scratch = try Scratch()
    _ = try scratch.write(gridCase.fields())
    let alone = try outcome(scratch, gridCase.words, nil, Self.options)
    // Digest, operations, four errors, and five numbers of each step.
    #expect(alone.count == 6 + 5 * 5 && Set(alone).count > 15)
    for grid in gridCase.grids {
      let found = try outcome(scratch, gridCase.words, grid, Self.options)
      #expect(found == alone, "grid \(grid)")
    }
  }

  @Test("groups without samples and ranks without boxes are idle", arguments: [(3, 2), (1, 9)])
  func idle(grid: (Int, Int)) throws {
    let scratch = try Scratch()
    _ = try scratch.write(Fields(samples: 10))
    let batch = ["--channels", "2", "--layers", "1", "--batch", "3", "--shard", "16"]
    let options = batch + ["--iterations", "3", "--split", "0.5,0.2,0.3", "--report-every", "1"]
    let alone = try outcome(scratch, [], nil, options)
    #expect(try outcome(scratch, ["--replicate-below", "3"], grid, options) == alone)
  }

  @Test(
    "a run that was stopped continues with the same bits on another grid",
    arguments: [
      [], ["--model", "mnn-h2", "--sharing", "mix", "--optimizer", "nadam"],
      ["--skeleton", "inverse-distance", "--tolerance", "1e-5"],
    ])
  func continues(network: [String]) throws {
    let scratch = try Scratch()
    _ = try scratch.write(Fields())
    let whole = try outcome(scratch, network, nil, Self.options)
    func stop(after step: Int, _ grid: (Int, Int)) throws {
      let words = network + ["--stop-after", "\(step)"]
      _ = try outcome(scratch, words, grid, Self.options, name: "parts", status: 75)
    }
    try stop(after: 1, (1, 3))
    try stop(after: 2, (2, 1))
    try stop(after: 4, (1, 2))
    let parts = try outcome(scratch, network, (1, 5), Self.options, name: "parts")
    #expect(parts == whole)
    // A finished run says the same on any grid.
    #expect(try outcome(scratch, network, (1, 3), Self.options, name: "parts") == whole)
    let run = ["--checkpoint", scratch.file("parts"), "--data", scratch.file("data.h5")]
    let error = try scratch.summary(of: ["evaluate", "--part", "test"] + run).number("error_mean")
    #expect(whole.contains("test_error: \(error)"))
  }

  @Test("evaluations and predictions do not depend on the grid", arguments: [(1, 3), (2, 2)])
  func evaluation(grid: (Int, Int)) throws {
    let scratch = try Scratch()
    _ = try scratch.write(Fields())
    _ = try outcome(scratch, [], (1, 2), Self.options, name: "run")
    let run = ["--checkpoint", scratch.file("run"), "--data", scratch.file("data.h5")]
    let spread = ["--grid", "\(grid.0)x\(grid.1)"]
    let (one, many) = (scratch.file("one.h5"), scratch.file("many.h5"))
    let alone = try scratch.summary(of: ["evaluate"] + run)
    _ = try scratch.summary(of: ["predict", "--out", one] + run)
    let ranks = grid.0 * grid.1
    let summary = try scratch.summary(of: ["evaluate"] + run + spread, ranks: ranks)
    #expect(summary.keys == alone.keys && alone.keys.contains("error_mean"))
    for key in alone.keys.subtracting(["notes"]) {
      #expect(try summary.number(key) == alone.number(key), "\(key)")
    }
    _ = try scratch.summary(of: ["predict", "--out", many] + run + spread, ranks: ranks)
    #expect(try read(many, "/Output") == read(one, "/Output"))
  }

  @Test("samples that are the last dimension are read by tree ranks")
  func samplesLast() throws {
    let scratch = try Scratch()
    try Fields().write(to: scratch.file("data.h5"))
    let expected = try outcome(scratch, [], nil, Self.options)
    try Fields().write(to: scratch.file("data.h5"), samplesLast: true)
    #expect(try outcome(scratch, ["--samples-last"], (1, 3), Self.options) == expected)
  }
}
