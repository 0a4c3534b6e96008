import Foundation
import TestSupport
import Testing

/// Networks whose boxes have the channels of an H²-matrix, from the command line.
@Suite("Runs with a skeleton", .serialized, .waiting)
struct SkeletonRunTests {
  private static let options = [
    "--skeleton", "exponential-integral", "--tolerance", "1e-4", "--layers", "2", "--batch", "40",
    "--shard", "16", "--iterations", "4",
  ]

  @Test("ranks are inspected, stored, and taken from the checkpoint")
  func storedRanks() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(points: 80))
    let inspected = try scratch.summary(
      of: ["inspect", "--data", data] + Self.options.prefix(6))
    let ranks = try #require(try inspected.object("ranks")["sources"] as? [[Int]])
    #expect(ranks.map(\.count) == [1, 2, 4, 8, 16] && ranks[0] == [0] && Set(ranks[4]).count > 1)
    let run = ["--data", data, "--out", scratch.file("run")]
    let whole = try scratch.summary(of: ["train"] + run + Self.options)
    #expect(try whole.integer("parameters") == inspected.integer("parameters"))
    let checkpoint = try #require(Checkpoints.list(scratch.file("run")).last)
    let stored = try read(checkpoint, "/skeleton/sources")
    #expect(stored == ranks.joined().map { Double($0) })
    #expect(try read(checkpoint, "/skeleton/receivers") == stored)

    // Other ranks are damage: they have a digest, and the sizes of the layers would not fit.
    try Checkpoints.damage(checkpoint, "/skeleton/sources", areIntegers: true)
    let words = ["evaluate", "--checkpoint", checkpoint, "--data", data]
    try expectFailure(words, status: 65, ["/skeleton/sources", "damaged"])
  }

  @Test(
    "wrong options of a skeleton are refused",
    arguments: [
      ("--skeleton inverse-distanse", ["inverse-distanse", "did you mean inverse-distance"]),
      ("--skeleton gaussian:0", ["gaussian:0", "gaussian"]),
      ("--tolerance 1e-3", ["--tolerance", "--skeleton"]),
      ("--rank-limit 3", ["--rank-limit", "--skeleton"]),
      ("--skeleton log --rank-limit 0", ["--rank-limit 0"]),
      ("--skeleton log --tolerance 0", ["--tolerance 0"]),
      ("--skeleton log --model mnn-h2", ["--skeleton", "h2nn"]),
    ])
  func wrongOptions(words: String, fragments: [String]) throws {
    let options = words.split(separator: " ").map(String.init)
    try expectFailure(["inspect"] + options, status: 64, fragments, ranks: [nil])
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let run = ["--data", data, "--out", scratch.file("run")]
    try expectFailure(["train"] + run + options, status: 64, fragments, ranks: [3])
  }

  @Test("Keras' limits, which count channels of one size, are refused")
  func keras() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let run = ["train", "--data", data, "--out", scratch.file("run"), "--initializer", "keras"]
    try expectFailure(run + Self.options, status: 64, ["keras", "--skeleton"])
  }

  @Test("another skeleton is another run")
  func otherSkeleton() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let run = ["train", "--data", data, "--out", scratch.file("run")]
    _ = try scratch.summary(of: run + Self.options)
    for (words, name) in [
      (["--skeleton", "log"], "--skeleton"),
      (["--skeleton", "exponential-integral", "--tolerance", "1e-9"], "--tolerance"),
    ] {
      try expectFailure(
        run + words + Self.options.dropFirst(4), status: 64, ["other settings", name])
    }
  }

  /// Grids and clouds in one, two and three dimensions, with and without a skeleton.
  @Test(
    "networks on grids and clouds are trained, and learn",
    arguments: ["line", "square", "cube", "cloud", "two clouds", "cloud in space"],
    [[], ["--skeleton", "inverse-distance", "--tolerance", "1e-2"]])
  func points(name: String, skeleton: [String]) throws {
    let scratch = try Scratch()
    let (fields, leaf) = try #require(Self.fields[name])
    let data = try scratch.write(fields)
    let words = ["--data", data, "--leaf", leaf, "--layers", "2", "--channels", "4"] + skeleton
    let inspected = try scratch.summary(of: ["inspect"] + words)
    let layers = try inspected.objects("layers").compactMap { $0["name"] as? String }
    #expect(layers.contains { $0.hasPrefix("bridge") }, "there is a far field")
    let recipe = ["--iterations", "60", "--batch", "32", "--shard", "32"]
    let run = ["--out", scratch.file("run"), "--learning-rate", "0.004"] + recipe
    let trained = try scratch.summary(of: ["train"] + words + run)
    #expect(try trained.integer("parameters") == inspected.integer("parameters"))
    // The untrained network is worse than the mean predictor, by much.
    #expect(try trained.number("train_error") < trained.number("mean_predictor_error"))
  }

  private static let fields: [String: (Fields, String)] = {
    func grid(_ shape: [Int]) -> Fields {
      var fields = Fields(points: shape.reduce(1, *))
      (fields.shape, fields.outputShape) = (shape, shape)
      return fields
    }
    return [
      "line": (grid([80]), "5"), "square": (grid([16, 16]), "4"), "cube": (grid([8, 8, 8]), "2"),
      "cloud": (Fields(cloud: 200), "8"),
      "two clouds": (Fields(cloud: 160, receivers: 120), "8"),
      "cloud in space": (Fields(space: 300), "6"),
    ]
  }()
}
