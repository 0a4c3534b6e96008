import Foundation
import TestSupport
import Testing

/// Samples whose outputs are zero have no relative error.
@Suite("Zero solutions", .serialized, .waiting)
struct ZeroSampleTests {
  /// Fields of which the samples 75, 90 and 91 are zero: one of the validation part, two of the test part.
  private func fields(_ zeros: [Int] = [75, 90, 91]) -> Fields {
    var fields = Fields()
    for sample in zeros {
      for point in 0..<40 { fields.outputs[sample * 40 + point] = 0 }
    }
    return fields
  }

  private func train(_ data: String, _ out: String, _ more: [String] = []) -> [String] {
    ["train", "--data", data, "--out", out, "--iterations", "6"] + small + more
  }

  private func notes(_ summary: Summary, _ path: String) throws -> [String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return try #require(object?["notes"] as? [String])
  }

  @Test("they are left out of the errors, named and counted, on any ranks", arguments: [nil, 3])
  func leftOut(ranks: Int?) throws {
    let scratch = try Scratch()
    let data = try scratch.write(fields())
    let run = scratch.file("run")
    let place = scratch.file("summary.json")
    let launch = try program(train(data, run) + ["--summary", place], ranks: ranks)
    try #require(launch.status == 0, "\(launch.errors)")
    let summary = try Summary(place)
    #expect(launch.errors.contains("validation part") && launch.errors.contains("75"))
    #expect(launch.errors.contains("test part") && launch.errors.contains("90, 91"))
    let notes = try notes(summary, place)
    #expect(notes.count { $0.contains("left out") } == 2, "\(notes)")
    #expect(notes.allSatisfy { launch.errors.contains($0) }, "\(notes)")
    let counts = try summary.object("zero_samples")
    #expect(counts as? [String: Int] == ["training": 0, "validation": 1, "test": 2])
    for key in ["validation_error", "test_error", "mean_predictor_error"] {
      #expect(try (0..<10).contains(summary.number(key)), "\(key)")
    }
    // The errors are those of the other samples.
    let words = ["--data", data, "--part", "test"]
    let evaluated = try scratch.summary(
      of: ["evaluate", "--checkpoint", run] + words, ranks: ranks)
    #expect(try evaluated.integer("samples") == 34 && evaluated.integer("zero_samples") == 2)
    #expect(try evaluated.number("error_mean") == summary.number("test_error"))
    #expect(try evaluated.number("error_std") < 10 && evaluated.number("error_max") < 10)
    let out = scratch.file("p.h5")
    _ = try scratch.summary(of: ["predict", "--checkpoint", run, "--data", data, "--out", out])
    let (guesses, truth) = (try read(out, "/Output"), fields())
    let errors = (84..<120).filter { $0 != 90 && $0 != 91 }.map {
      relativeError(truth.output($0), guesses[$0 * 40..<($0 + 1) * 40])
    }
    let mean = errors.reduce(0, +) / 34
    #expect(abs(try summary.number("test_error") - mean) < 1e-9 * mean)
    let compared = try scratch.summary(of: ["compare", "--run", run] + words, ranks: ranks)
    let row = try #require(try compared.objects("networks").first)
    #expect(row["zero_samples"] as? Int == 2)
    #expect(row["error_mean"] as? Double == mean || (row["error_mean"] as? Double ?? 9) < 10)
    for method in ["mean", "ridge"] {
      let baseline = ["baseline", "--data", data, "--method", method]
      let found = try scratch.summary(of: baseline, ranks: ranks)
      #expect(try found.integer("samples") == 34 && found.integer("zero_samples") == 2)
      #expect(try found.number("error_mean") < 10 && found.number("validation_error") < 10)
      if method == "mean" {
        let difference =
          try found.number("error_mean") - summary.number("mean_predictor_error")
        #expect(abs(difference) < 1e-12)
      }
    }
  }

  /// An error that is infinite never improves, and the rate would fall again and again.
  @Test("the plateau schedule looks at the other samples")
  func plateau() throws {
    let scratch = try Scratch()
    let schedule = [
      "--schedule", "plateau", "--plateau-every", "2", "--plateau-patience", "1",
      "--plateau-threshold", "0",
    ]
    let data = try scratch.write(fields([75]))
    let words = train(data, scratch.file("run"), schedule + ["--learning-rate", "1e-5"])
    _ = try scratch.summary(of: words)
    let lines = try jsonLines(scratch.file("run/metrics.jsonl"))
    let found = lines.compactMap { ($0["validation_error"] as? NSNumber)?.doubleValue }
    #expect(found.count == 3 && found == found.sorted(by: >), "\(found)")
    let none = try scratch.write(fields(Array(72..<84)), to: "none.h5")
    try expectFailure(
      train(none, scratch.file("none"), schedule), status: 65, [none, "validation", "zero"])
  }

  @Test("a part without any other sample has no error")
  func nothing() throws {
    let scratch = try Scratch()
    let data = try scratch.write(fields(Array(84..<120)))
    let run = scratch.file("run")
    let summary = try scratch.summary(of: train(data, run))
    #expect(summary.isNull("test_error") && summary.isNull("mean_predictor_error"))
    let words = ["--data", data, "--part", "test"]
    for verb in [
      ["evaluate", "--checkpoint", run], ["compare", "--run", run],
      ["baseline", "--method", "mean"],
    ] {
      let launch = try program(verb + words, ranks: 3)
      #expect(launch.status == 65 && launch.messages.count == 1, "\(verb): \(launch.errors)")
      #expect(launch.errors.contains("36") && launch.errors.contains("zero"), "\(launch.errors)")
    }
  }

  @Test("choices are compared on training samples where all validation outputs are zero")
  func validation() throws {
    let scratch = try Scratch()
    let data = try scratch.write(fields(Array(72..<84)))
    let summary = try scratch.summary(of: train(data, scratch.file("run")))
    #expect(summary.isNull("validation_error"))
    #expect(try summary.number("ridge_error") < 10)
    for method in ["ridge", "kernel-ridge"] {
      let place = scratch.file("\(method).json")
      let launch = try program(
        ["baseline", "--data", data, "--method", method, "--summary", place], ranks: 3)
      #expect(launch.status == 0, "\(launch.errors)")
      let found = try Summary(place)
      #expect(try notes(found, place).contains { $0.contains("12 validation samples are zero") })
      #expect(try found.number("error_mean") < 10)
    }
    let none = try scratch.write(fields(Array(40..<84)), to: "none.h5")
    let ridge = ["baseline", "--data", none, "--method", "ridge"]
    try expectFailure(ridge, status: 65, [none, "zero", "--regularization"])
    _ = try scratch.summary(of: ridge + ["--regularization", "1e-3"])
  }

  @Test("a regularization at the end of what was tried is called that")
  func edge() throws {
    let scratch = try Scratch()
    var fields = Fields()
    // The outputs are the inputs: the less regularization, the better.
    fields.outputs = fields.inputs
    let data = try scratch.write(fields)
    let place = scratch.file("edge.json")
    let words = ["baseline", "--data", data, "--method", "ridge", "--summary"]
    let launch = try program(words + [place])
    #expect(launch.errors.contains("--regularization") && launch.errors.contains("smaller"))
    #expect(try notes(Summary(place), place).contains { $0.contains("1e-10") })
    let given = try program(words + [place, "--regularization", "1e-10"])
    #expect(given.status == 0 && !given.errors.contains("smaller"), "\(given.errors)")
  }
}
