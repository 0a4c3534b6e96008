import Foundation
import TestSupport
import Testing

@Suite("Baselines", .serialized, .waiting)
struct BaselineTests {
  static let split = ["--split", "0.5,0.2,0.3"]

  /// The words that fit to 60 of the 120 samples.
  private func words(_ data: String, _ method: String, _ more: [String] = []) -> [String] {
    ["baseline", "--data", data, "--method", method] + Self.split + more
  }

  @Test("the mean has the error that evaluations call that of the mean predictor")
  func mean() throws {
    let scratch = try Scratch()
    let fields = Fields()
    let summary = try scratch.summary(of: words(try scratch.write(fields), "mean"))
    let means = (0..<40).map { point in
      (0..<60).reduce(0) { $0 + fields.outputs[$1 * 40 + point] } / 60
    }
    let errors = (84..<120).map { relativeError(fields.output($0), means) }
    let mean = errors.reduce(0, +) / 36
    let square = errors.reduce(0) { $0 + $1 * $1 } / 36
    let expected: [(String, Double)] = [
      ("error_mean", mean), ("mean_predictor_error", mean), ("error_max", errors.max() ?? .nan),
      ("squared_error_mean", square), ("error_std", (square - mean * mean).squareRoot()),
    ]
    for (key, value) in expected {
      #expect(abs(try summary.number(key) - value) < 1e-9 * value, "\(key)")
    }
    #expect(try summary.integer("samples") == 36)
    #expect(try summary.integer("fitted_samples") == 60)
    #expect(summary.isNull("regularization") && summary.isNull("length_scale"))
  }

  /// Returns the outputs of samples minus their mean, and the mean.
  private func centred(
    _ values: [Double], _ samples: Range<Int>
  ) -> (rows: [[Double]], mean: [Double]) {
    let rows = samples.map { Array(values[$0 * 40..<($0 + 1) * 40]) }
    let mean = (0..<40).map { point in
      rows.reduce(0) { $0 + $1[point] } / Double(rows.count)
    }
    return (rows.map { zip($0, mean).map(-) }, mean)
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Solves A X = B by elimination; A is positive definite.
  private func solve(_ matrix: [[Double]], _ right: [[Double]]) -> [[Double]] {
    var rows = zip(matrix, right).map { $0 + $1 }
    let n = rows.count
    for k in 0..<n {
      let pivot = rows[k]
      for i in 0..<n where i != k {
        let factor = rows[i][k] / pivot[k]
        for j in k..<pivot.count { rows[i][j] -= factor * pivot[j] }
      }
    }
    return rows.enumerated().map { row in row.element[n...].map { $0 / row.element[row.offset] } }
  }

  @Test("ridge regression solves the normal equations", arguments: ["60", "25"])
  func ridge(limit: String) throws {
    let scratch = try Scratch()
    let fields = Fields()
    let out = scratch.file("p.h5")
    let more = ["--regularization", "0.01", "--samples-limit", limit, "--out", out]
    let summary = try scratch.summary(of: words(try scratch.write(fields), "ridge", more))
    #expect(try summary.integer("fitted_samples") == Int(limit))
    #expect(try summary.integer("choices") == 0)
    let (x, inputMean) = centred(fields.inputs, 0..<(Int(limit) ?? 0))
    let (y, outputMean) = centred(fields.outputs, 0..<x.count)
    func column(_ rows: [[Double]], _ point: Int) -> [Double] { rows.map { $0[point] } }
    var gram = (0..<40).map { i in (0..<40).map { dot(column(x, i), column(x, $0)) } }
    let unit = (0..<40).reduce(0) { $0 + gram[$1][$1] } / 40
    for i in 0..<40 { gram[i][i] += 0.01 * unit }
    let weights = solve(
      gram, (0..<40).map { i in (0..<40).map { dot(column(x, i), column(y, $0)) } })
    let guesses = try read(out, "/Output")
    #expect(guesses.count == 36 * 40)
    for sample in 84..<120 {
      let input = zip(fields.inputs[sample * 40..<(sample + 1) * 40], inputMean).map(-)
      for point in 0..<40 {
        let value = outputMean[point] + dot(input, column(weights, point))
        // The condition number is at most 40/0.01 times eps.
        #expect(abs(guesses[(sample - 84) * 40 + point] - value) < 1e-10)
      }
    }
  }

  @Test("kernel ridge regression solves its system", arguments: ["gaussian", "matern"])
  func kernel(name: String) throws {
    let scratch = try Scratch()
    let fields = Fields()
    let out = scratch.file("p.h5")
    let more = ["--regularization", "0.001", "--length-scale", "1.5", "--samples-limit", "30"]
    let summary = try scratch.summary(
      of: words(
        try scratch.write(fields), "kernel-ridge", more + ["--kernel", name, "--out", out]))
    let inputs = (0..<120).map { Array(fields.inputs[$0 * 40..<($0 + 1) * 40]) }
    func distance(_ i: Int, _ j: Int) -> Double {
      let difference = zip(inputs[i], inputs[j]).map(-)
      return dot(difference, difference).squareRoot()
    }
    let distances = (0..<30).flatMap { i in (0..<i).map { distance(i, $0) } }.sorted()
    let median = distances[distances.count / 2]
    #expect(abs(try summary.number("median_distance") - median) < 1e-12)
    func kernel(_ i: Int, _ j: Int) -> Double {
      let s = distance(i, j) / (1.5 * median)
      let t = 5.0.squareRoot() * s
      return name == "gaussian" ? exp(-s * s / 2) : (1 + t + t * t / 3) * exp(-t)
    }
    let (y, mean) = centred(fields.outputs, 0..<30)
    let matrix = (0..<30).map { i in (0..<30).map { kernel(i, $0) + (i == $0 ? 0.001 : 0) } }
    let weights = solve(matrix, y)
    let guesses = try read(out, "/Output")
    for sample in 84..<120 {
      let values = (0..<30).map { kernel($0, sample) }
      for point in 0..<40 {
        let value = mean[point] + dot(values, weights.map { $0[point] })
        // The condition number is at most 30/0.001; inner products lose some digits of small distances.
        #expect(abs(guesses[(sample - 84) * 40 + point] - value) < 1e-8)
      }
    }
  }

  @Test("the best choice on the validation part is taken", arguments: ["ridge", "kernel-ridge"])
  func choice(method: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let best = try scratch.summary(of: words(data, method))
    #expect(try best.integer("choices") > 10 && best.integer("compared_samples") == 24)
    let length =
      method == "ridge" ? [] : ["--length-scale", "\(try best.number("length_scale"))"]
    var errors: Set<Double> = []
    for penalty in ["1e-10", "1e-6", "0.01", "\(try best.number("regularization"))"] {
      let other = try scratch.summary(
        of: words(data, method, ["--regularization", penalty] + length))
      errors.insert(try other.number("validation_error"))
      #expect(try best.number("validation_error") <= other.number("validation_error") * (1 + 1e-9))
    }
    #expect(errors.count > 2)
    // What the test part holds changes nothing but its own errors.
    var fields = Fields()
    for index in 84 * 40..<120 * 40 { fields.outputs[index] *= 1 + noise(index) }
    let other = try scratch.summary(of: words(try scratch.write(fields, to: "other.h5"), method))
    for key in ["regularization", "train_error", "validation_error"] {
      #expect(try other.number(key) == best.number(key), "\(key)")
    }
    #expect(try other.number("error_mean") != best.number("error_mean"))
  }

  @Test("without a validation part a fifth of the training part is held out")
  func heldOut() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    let words = ["baseline", "--data", data, "--split", "0.5,0,0.5", "--method"]
    for method in ["ridge", "kernel-ridge"] {
      let summary = try scratch.summary(of: words + [method])
      #expect(try summary.integer("compared_samples") == 12)
      #expect(try summary.integer("fitted_samples") == 60)
      #expect(summary.isNull("validation_error"))
      #expect(try summary.number("error_mean") < summary.number("mean_predictor_error"))
    }
  }

  @Test("any number of ranks finds the same", arguments: ["mean", "ridge", "kernel-ridge"])
  func ranks(method: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 1400, points: 8))
    let part = ["--split", "0.1,0.1,0.8"]
    let words = ["baseline", "--data", data, "--method", method] + part
    let one = try scratch.summary(of: words + ["--out", scratch.file("1.h5")])
    let guesses = try read(scratch.file("1.h5"), "/Output")
    #expect(try one.integer("samples") == 1120 && guesses.count == 1120 * 8)
    for ranks in [2, 3] {
      let out = scratch.file("\(ranks).h5")
      let other = try scratch.summary(of: words + ["--out", out], ranks: ranks)
      for key in one.keys where key.contains("error") {
        #expect(try other.number(key) == one.number(key), "\(key) on \(ranks) ranks")
      }
      #expect(try read(out, "/Output") == guesses)
    }
  }

  @Test("a dataset with other points for the outputs is fitted")
  func cloud() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(cloud: 30, receivers: 17))
    let summary = try scratch.summary(of: words(data, "kernel-ridge"))
    #expect(try summary.number("error_mean") < 0.5 * summary.number("mean_predictor_error"))
  }

  @Test("what cannot be done is refused, on all ranks")
  func refusals() throws {
    let scratch = try Scratch()
    var fields = Fields()
    let data = try scratch.write(fields)
    fields.outputs[7] = .nan
    let broken = try scratch.write(fields, to: "broken.h5")
    try expectFailure(words(data, "rigde"), status: 64, ["--method rigde", "did you mean ridge?"])
    try expectFailure(["baseline", "--data", data], status: 64, ["--method is needed"])
    try expectFailure(
      words(data, "ridge", ["--kernel", "matern"]), status: 64, ["--kernel", "no meaning"])
    try expectFailure(
      ["baseline", "--data", data, "--method", "mean", "--split", "0.5,0.5,0"], status: 64,
      ["--part test", "no sample"])
    try expectFailure(
      words(data, "kernel-ridge", ["--regularization", "0", "--length-scale", "1e5"]), status: 64,
      ["--regularization 0", "not positive definite", "larger"])
    try expectFailure(words(broken, "mean"), status: 65, [broken, "/Output", "nan"])
    try expectFailure(words(scratch.file("none.h5"), "mean"), status: 66, ["none.h5"])
    try expectFailure(
      words(data, "mean", ["--out", data]), status: 73, [data, "--force"])
  }
}
