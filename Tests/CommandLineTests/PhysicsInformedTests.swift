import Foundation
import TestSupport
import Testing

@Suite("Physics-informed training", .serialized, .waiting)
struct PhysicsInformedTests {
  private static let poisson =
    "pinn poisson-2d --width 10 --depth 2 --points-per-step 128 --adam-points 128 --adam-steps 40 "
    + "--steps 60 --validation-points 256 --checkpoint-every 7"

  private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

  @Test("networks have the same bits on any ranks, and after stops")
  func sameBits() throws {
    let scratch = try Scratch()
    let train = words(Self.poisson) + ["--out"]
    let whole = try scratch.summary(of: train + [scratch.file("whole")])
    #expect(try whole.integer("steps") == 60 && whole.integer("is_finished") == 1)
    // 10 · 3 + 10 · 11 + 11.
    #expect(try whole.integer("parameters") == 151)
    // The reference is the sine of both coordinates: nothing learned would be 1.
    #expect(try whole.number("error") < 0.05)
    #expect(try whole.number("validation_residual") > 0)
    let parts = train + [scratch.file("parts")]
    for (ranks, stop) in [(2, 20), (3, 47)] {
      let launch = try program(parts + ["--stop-after", "\(stop)"], ranks: ranks)
      #expect(launch.status == 75, "\(launch.errors)")
      let summary = try Summary(scratch.file("parts/summary.json"))
      #expect(try summary.integer("steps") == stop && summary.integer("is_finished") == 0)
    }
    let last = try scratch.summary(of: parts, ranks: 5)
    for key in ["error", "validation_residual", "loss"] {
      #expect(try last.number(key) == whole.number(key), "\(key)")
    }
    #expect(try last.text("digest") == whole.text("digest"))
    let residuals = try ["whole", "parts"].map {
      try jsonLines(scratch.file("\($0)/metrics.jsonl")).map { $0["validation"] as? Double }
    }
    #expect(residuals[0] == residuals[1] && residuals[0].count >= 4)
    // A finished run is left as it is.
    #expect(try scratch.summary(of: parts).text("digest") == whole.text("digest"))
    for picture in ["residual.svg", "solution.svg"] {
      let text = try String(contentsOfFile: scratch.file("whole/\(picture)"), encoding: .utf8)
      #expect(text.hasPrefix("<svg"))
    }
    try expectFailure(
      parts + ["--seed", "5"], status: 64, ["other settings", "--seed 0, now 5"], ranks: [3])
    try expectFailure(
      ["evaluate", "--checkpoint", scratch.file("whole"), "--data", "none.h5"], status: 65,
      ["a network that solves an equation"], ranks: [nil])
    try expectFailure(
      ["solve", "--factors", scratch.file("whole")], status: 65,
      ["a network that solves an equation"], ranks: [nil])
  }

  @Test("a time limit stops with a checkpoint")
  func timeLimit() throws {
    let scratch = try Scratch()
    let launch = try program(
      words(Self.poisson) + ["--out", scratch.file("run"), "--time-limit", "0"], ranks: 2)
    #expect(launch.status == 75, "\(launch.errors)")
    #expect(try Summary(scratch.file("run/summary.json")).integer("steps") == 1)
  }

  @Test("settings without meaning are refused")
  func refusals() throws {
    for (text, fragments) in [
      ("pinn --out r", ["which equation", "burgers"]),
      ("pinn navier-stokes --out r", ["navier-stokes", "helmholtz-2d"]),
      ("pinn heat", ["--out"]),
      ("pinn heat --function relu --out r", ["relu", "second derivative"]),
      ("pinn heat --shard 40 --out r", ["--shard 40"]),
      ("pinn heat --width 0 --out r", ["--width 0"]),
      ("pinn heat --first-rate -1 --out r", ["--first-rate"]),
    ] {
      try expectFailure(words(text), status: 64, fragments, ranks: [nil])
    }
  }
}
