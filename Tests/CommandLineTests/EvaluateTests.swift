import Foundation
import ParallelHDF5
import TestSupport
import Testing

@Suite("Evaluating and predicting", .serialized, .waiting)
struct EvaluateTests {
  static let split = ["--split", "0.5,0.2,0.3"]

  /// Trains on fields and returns the summary.
  private func train(
    _ scratch: borrowing Scratch, _ data: String, _ more: [String] = []
  ) throws -> Summary {
    let words = ["train", "--data", data, "--out", scratch.file("run"), "--iterations", "4"]
    return try scratch.summary(of: words + small + more)
  }

  private func evaluate(
    _ scratch: borrowing Scratch, _ data: String, _ more: [String] = []
  ) throws -> Summary {
    let words = ["evaluate", "--checkpoint", scratch.file("run"), "--data", data]
    return try scratch.summary(of: words + more)
  }

  private func predict(
    _ scratch: borrowing Scratch, _ data: String, _ more: [String] = []
  ) throws -> String {
    let out = scratch.file("predictions-\(UUID().uuidString).h5")
    let words = ["predict", "--checkpoint", scratch.file("run"), "--data", data, "--out", out]
    _ = try scratch.summary(of: words + more)
    return out
  }

  @Test("errors of the parts are those that the training told")
  func parts() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let trained = try train(scratch, data, Self.split)
    for (part, key, count) in [
      ("training", "train_error", 60), ("validation", "validation_error", 24),
      ("test", "test_error", 36),
    ] {
      let summary = try evaluate(scratch, data, ["--part", part])
      #expect(try summary.integer("samples") == count)
      #expect(try summary.number("error_mean") == trained.number(key))
    }
    let all = try evaluate(scratch, data)
    #expect(try all.integer("samples") == 120)
    #expect(try all.number("error_mean") != trained.number("test_error"))
  }

  @Test("a link to a run stands for the run")
  func link() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    _ = try train(scratch, data, Self.split)
    try FileManager.default.createSymbolicLink(
      atPath: scratch.file("link"), withDestinationPath: scratch.file("run"))
    let found = try scratch.summary(
      of: ["evaluate", "--data", data, "--checkpoint", scratch.file("link")])
    #expect(
      try found.number("error_mean") == evaluate(scratch, data).number("error_mean"))
  }

  @Test("errors are those of the predictions, in physical units", arguments: ["float", "double"])
  func recomputed(precision: String) throws {
    let scratch = try Scratch()
    let fields = Fields()
    let data = try scratch.write(fields)
    _ = try train(scratch, data, Self.split + ["--precision", precision])
    let summary = try evaluate(scratch, data, ["--part", "test"])
    let guesses = try read(try predict(scratch, data), "/Output")
    #expect(guesses.count == 120 * 40)
    let errors = (84..<120).map {
      relativeError(fields.output($0), guesses[$0 * 40..<($0 + 1) * 40])
    }
    let mean = errors.reduce(0, +) / 36
    let square = errors.reduce(0) { $0 + $1 * $1 } / 36
    let means = (0..<40).map { point in
      (0..<60).reduce(0) { $0 + fields.outputs[$1 * 40 + point] } / 60
    }
    let predictor = (84..<120).reduce(0) { $0 + relativeError(fields.output($1), means) } / 36
    // Sums of at most 60 numbers of double precision.
    let expected: [(String, Double)] = [
      ("error_mean", mean), ("error_max", errors.max() ?? .nan), ("squared_error_mean", square),
      ("error_std", (square - mean * mean).squareRoot()), ("mean_predictor_error", predictor),
    ]
    for (key, value) in expected {
      #expect(abs(try summary.number(key) - value) < 1e-9 * value, "\(key)")
    }
    #expect(mean > 1e-4 && predictor > mean / 10)
  }

  @Test("summaries have the members that were promised")
  func members() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let trained = try train(scratch, data)
    let promised = [
      "parameters", "iterations", "train_error", "validation_error", "test_error",
      "seconds_per_step", "flops_per_step",
    ]
    for key in promised { #expect(try trained.number(key) > 0, "\(key)") }
    #expect(try trained.text("digest").count == 16)
    let copy = try Summary(scratch.file("run/summary.json"))
    #expect(try copy.keys == trained.keys && copy.text("digest") == trained.text("digest"))
    let keys = [
      "samples", "error_mean", "error_max", "error_std", "squared_error_mean",
      "mean_predictor_error",
    ]
    let evaluated = try evaluate(scratch, data)
    for key in keys { #expect(try evaluated.number(key) > 0, "\(key)") }
    let words = ["predict", "--checkpoint", scratch.file("run"), "--data", data]
    let predicted = try scratch.summary(of: words + ["--out", scratch.file("p.h5")])
    #expect(try predicted.integer("samples") == 120)
    for line in try jsonLines(scratch.file("run/metrics.jsonl")) {
      #expect(Set(line.keys).isSuperset(of: ["step", "loss", "learning_rate"]))
    }
  }

  @Test("what an empty part would say is null")
  func emptyParts() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let trained = try train(scratch, data, ["--split", "2/3,0,0"])
    #expect(trained.isNull("validation_error") && trained.isNull("test_error"))
    #expect(trained.isNull("mean_predictor_error") && !trained.isNull("train_error"))
    let words = ["evaluate", "--checkpoint", scratch.file("run"), "--data", data]
    try expectFailure(words + ["--part", "test"], status: 64, ["--part test", "split"])
  }

  @Test("a dataset on other points is refused")
  func otherPoints() throws {
    let scratch = try Scratch()
    _ = try train(scratch, try scratch.write(Fields()))
    let other = try scratch.write(Fields(samples: 9, points: 20), to: "other.h5")
    let options = ["--checkpoint", scratch.file("run"), "--data", other]
    for verb in [["evaluate"], ["predict", "--out", scratch.file("p.h5")]] {
      try expectFailure(verb + options, status: 65, [other, "40", "20"])
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.file("p.h5")))
  }

  @Test("predictions need no outputs, and overwrite only when they may")
  func predictions() throws {
    let scratch = try Scratch()
    let fields = Fields()
    let data = try scratch.write(fields)
    _ = try train(scratch, data)
    let bare = scratch.file("bare.h5")
    try fields.write(to: bare, names: ("/Input", ""))
    let out = try predict(scratch, bare)
    #expect(try read(out, "/Output") == read(try predict(scratch, data), "/Output"))
    #expect(try HDF5File.open(out).shape(of: "/Output") == [120, 40])
    let words = ["predict", "--checkpoint", scratch.file("run"), "--data", bare, "--out"]
    try expectFailure(words + [out], status: 73, [out, "--force"])
    #expect(try program(words + [out, "--force"]).status == 0)
    let inside = scratch.file("none/p.h5")
    try expectFailure(words + [inside], status: 73, [inside])
  }

  @Test("other names and the samples as last dimension give the same network")
  func layout() throws {
    let scratch = try Scratch()
    let fields = Fields()
    let plain = try train(scratch, try scratch.write(fields))
    let other = scratch.file("other.h5")
    try fields.write(to: other, names: ("/a/potential", "density"), samplesLast: true)
    let names = ["--input-name", "/a/potential", "--output-name", "density", "--samples-last"]
    let words = ["train", "--data", other, "--out", scratch.file("turned"), "--iterations", "4"]
    let turned = try scratch.summary(of: words + small + names, ranks: 2)
    #expect(try turned.text("digest") == plain.text("digest"))
    // The layout stands in the checkpoint, and can be given for another file.
    let evaluated = try scratch.summary(
      of: ["evaluate", "--checkpoint", scratch.file("turned"), "--data", other, "--part", "test"])
    #expect(try evaluated.number("error_mean") == plain.number("test_error"))
    let given = try evaluate(scratch, other, names + ["--part", "test"])
    #expect(try given.number("error_mean") == plain.number("test_error"))
    let launch = try program(
      ["evaluate", "--checkpoint", scratch.file("run"), "--data", other])
    #expect(launch.status == 65 && launch.errors.contains("/Input"))
  }

  @Test("a cloud of points is trained on, evaluated and predicted", arguments: [nil, 25])
  func cloud(receivers: Int?) throws {
    let scratch = try Scratch()
    let fields = Fields(cloud: 60, receivers: receivers)
    let data = try scratch.write(fields)
    let training = ["train", "--data", data, "--iterations", "120", "--leaf", "6"]
    let options = small + ["--learning-rate", "0.01"]
    func run(_ name: String, ranks: Int?) throws -> Summary {
      try scratch.summary(
        of: training + options + ["--out", scratch.file(name)], ranks: ranks)
    }
    let trained = try run("run", ranks: nil)
    #expect(try run("again", ranks: 3).text("digest") == trained.text("digest"))
    #expect(try trained.number("test_error") < trained.number("mean_predictor_error"))
    let summary = try evaluate(scratch, data, ["--part", "test"])
    #expect(try summary.number("error_mean") == trained.number("test_error"))
    let count = receivers ?? 60
    let out = try predict(scratch, data)
    #expect(try HDF5File.open(out).shape(of: "/Output") == [120, count])
    let guesses = try read(out, "/Output")
    let error =
      (84..<120).reduce(0) { sum, sample in
        sum + relativeError(fields.output(sample), guesses[sample * count..<(sample + 1) * count])
      } / 36
    #expect(abs(try error - summary.number("error_mean")) < 1e-9 * error)
    // The same cloud in another order is another set of points.
    var moved = fields
    moved.points?.swapAt(0, 1)
    let other = try scratch.write(moved, to: "moved.h5")
    let words = ["evaluate", "--checkpoint", scratch.file("run"), "--data"]
    try expectFailure(words + [other], status: 65, [other], ranks: [nil])
    // So are other points of the outputs, if they are as many.
    moved = fields
    moved.outputPoints = moved.outputPoints ?? fields.points
    moved.outputPoints?[0][0] += 0.01
    let elsewhere = try scratch.write(moved, to: "elsewhere.h5")
    try expectFailure(words + [elsewhere], status: 65, [elsewhere], ranks: [nil])
  }
}
