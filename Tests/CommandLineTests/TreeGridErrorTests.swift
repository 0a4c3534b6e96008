import TestSupport
import Testing

@Suite("What cannot be spread over tree ranks", .serialized, .waiting)
struct TreeGridErrorTests {
  private func train(_ scratch: borrowing Scratch, _ fields: Fields = Fields()) throws -> [String] {
    let data = try scratch.write(fields)
    return ["train", "--data", data, "--out", scratch.file("run"), "--iterations", "2"] + small
  }

  @Test("a grid that does not fit the ranks is refused", arguments: ["2x1", "2x2", "1x4", "3x3"])
  func misfit(grid: String) throws {
    let scratch = try Scratch()
    let words = try train(scratch) + ["--grid", grid]
    let needed = grid.split(separator: "x").compactMap { Int($0) }.reduce(1, *)
    try expectFailure(
      words, status: 64, ["--grid \(grid)", "needs \(needed) ranks", "there are 3"], ranks: [3])
    #expect(Checkpoints.list(scratch.file("run")).isEmpty)
  }

  /// The last point is read by the last tree rank alone.
  @Test(
    "a wrong number at a point of one tree rank stops all",
    arguments: zip(["1x3", "2x2"], [3, 4]))
  func wrongContent(grid: String, ranks: Int) throws {
    for isInput in [true, false] {
      let scratch = try Scratch()
      var fields = Fields()
      if isInput { fields.inputs[11 * 40 + 39] = .nan } else { fields.outputs[11 * 40 + 39] = .nan }
      let words = try train(scratch, fields) + ["--grid", grid]
      let name = isInput ? "/Input" : "/Output"
      try expectFailure(words, status: 65, [name, "nan", "sample 11", "point 39"], ranks: [ranks])
    }
  }

  @Test("a zero output is found by the tree ranks together")
  func zeroOutput() throws {
    let scratch = try Scratch()
    var fields = Fields()
    // Half of the points of sample 3 are zero, and all of sample 5.
    for point in 0..<20 { fields.outputs[3 * 40 + point] = 0 }
    for point in 0..<40 { fields.outputs[5 * 40 + point] = 0 }
    let words = try train(scratch, fields) + ["--grid", "1x3"]
    try expectFailure(words, status: 65, ["sample 5", "zero", "--loss mse"], ranks: [3])
  }

  @Test("a training that diverges ends on all ranks", arguments: zip(["1x3", "2x2"], [3, 4]))
  func divergence(grid: String, ranks: Int) throws {
    let scratch = try Scratch()
    let words = try train(scratch) + ["--grid", grid, "--learning-rate", "1e30"]
    try expectFailure(words, status: 70, ["loss", "step 2", "--learning-rate"], ranks: [ranks])
    try expectFailure(
      words + ["--checkpoint-every", "1"], status: 70, ["loss", "step 1"], ranks: [ranks])
    #expect(Checkpoints.list(scratch.file("run")).isEmpty)
  }
}
