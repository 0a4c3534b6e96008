import Foundation
import TestSupport
import Testing

/// Networks that begin with a matrix.
@Suite("Linear starts", .serialized, .waiting)
struct LinearStartTests {
  private static let network = ["--linear-path", "--channels", "6", "--layers", "2"]

  /// Writes samples of the custom operator.
  private func operatorData(_ scratch: borrowing Scratch, _ words: [String] = []) throws -> String {
    let data = scratch.file("operator.h5")
    let size = ["--points", "80", "--samples", "300", "--out", data]
    let launch = try program(["generate", "custom-operator"] + size + words)
    #expect(launch.status == 0, "\(launch.errors)")
    return data
  }

  private func train(
    _ scratch: borrowing Scratch, _ data: String, _ start: String, _ more: [String] = [],
    ranks: Int? = nil
  ) throws -> Summary {
    let run = ["--data", data, "--out", scratch.file(UUID().uuidString), "--initialize", start]
    return try scratch.summary(of: ["train"] + run + Self.network + more, ranks: ranks)
  }

  /// With six channels the far field of this operator is known to 1e-7, that of the regression to what the inputs
  /// say.
  @Test(
    "a linear operator is there before the first step",
    arguments: [("operator:custom-operator", 1e-6), ("ridge", 1e-4)])
  func withoutSteps(start: String, limit: Double) throws {
    let scratch = try Scratch()
    let data = try operatorData(scratch, ["--diagonal", "0.5"])
    let precise = ["--precision", "double", "--iterations", "0"]
    let summary = try train(scratch, data, start, precise)
    for more in [
      ["--coarse-channels", "12"], ["--coarse-channels", "7,6"], ["--block-width", "3"],
    ] {
      let other = try train(scratch, data, start, precise + more)
      #expect(try other.number("test_error") < limit, "\(more)")
    }
    #expect(try summary.number("test_error") < limit)
    #expect(try summary.integer("iterations") == 0 && summary.number("test_error") > 0)
    let single = try train(scratch, data, start, ["--iterations", "0"])
    // Sums of some tens of numbers in single precision.
    #expect(try single.number("test_error") < limit + 1e-5)
    // Without a start the network is far from it.
    let random = try train(scratch, data, "random", precise)
    #expect(try random.number("test_error") > 0.1)
  }

  @Test("all grids begin with the same bits", arguments: ["ridge", "operator:custom-operator"])
  func grids(start: String) throws {
    let scratch = try Scratch()
    let data = try operatorData(scratch)
    let more = ["--iterations", "2", "--batch", "40", "--shard", "16", "--learning-rate", "1e-6"]
    let alone = try train(scratch, data, start, more).text("digest")
    for (groups, tree) in [(1, 3), (2, 2)] {
      let grid = more + ["--grid", "\(groups)x\(tree)"]
      #expect(
        try train(scratch, data, start, grid, ranks: groups * tree).text("digest") == alone)
    }
  }

  @Test("the operator of another problem is refused")
  func otherProblem() throws {
    let scratch = try Scratch()
    let data = scratch.file("rte.h5")
    let launch = try program(
      ["generate", "rte-1d", "--points", "40", "--samples", "20", "--out", data])
    #expect(launch.status == 0, "\(launch.errors)")
    let run = ["train", "--data", data, "--out", scratch.file("run"), "--linear-path"]
    try expectFailure(
      run + ["--initialize", "operator:custom-operator"], status: 65,
      [data, "rte-1d", "custom-operator", "--initialize ridge"])
  }

  @Test("a regression starts below the error of the mean on clouds")
  func clouds() throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields(samples: 300, cloud: 120, receivers: 90))
    let summary = try train(
      scratch, data, "ridge", ["--iterations", "0", "--leaf", "8", "--skeleton", "log"])
    #expect(try summary.number("test_error") < 0.9 * summary.number("mean_predictor_error"))
  }

  @Test(
    "wrong starts are refused",
    arguments: [
      ("--initialize ridge", ["--initialize", "--linear-path"]),
      ("--initialize ridge:0 --linear-path", ["--initialize ridge:0", "positive"]),
      ("--initialize rigde --linear-path", ["--initialize rigde", "ridge"]),
      ("--initialize ridge --linear-path --model mnn-h2", ["--initialize", "h2nn"]),
      ("--initialize ridge --linear-path --transfer-layers 2", ["linear transfers"]),
      ("--initialize ridge --linear-path --transfer-activation elu", ["linear transfers"]),
      (
        "--initialize operator:custom-operator --linear-path --leaf 8",
        ["--initialize operator:custom-operator", "grid"]
      ),
    ])
  func wrong(words: String, fragments: [String]) throws {
    let scratch = try Scratch()
    let fields = words.contains("operator") ? Fields(cloud: 40) : Fields()
    let data = try scratch.write(fields)
    let run = ["train", "--data", data, "--out", scratch.file("run")]
    try expectFailure(
      run + words.split(separator: " ").map(String.init), status: 64, fragments)
  }
}
