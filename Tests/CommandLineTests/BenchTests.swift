import Foundation
import TestSupport
import Testing

@Suite("Measuring", .serialized, .waiting)
struct BenchTests {
  private static let network = [
    "bench", "--points", "40", "--layers", "2", "--batch", "40", "--shard", "16", "--repeat", "2",
  ]
  private static let parts = [
    "forward", "input gradient", "weight gradient", "elementwise", "samples", "gradient sums",
    "optimizer", "communication", "waiting", "other",
  ]

  @Test("a step is measured part by part", arguments: ["1x1", "2x1", "1x2"])
  func parts(grid: String) throws {
    let scratch = try Scratch()
    let ranks = grid == "1x1" ? 1 : 2
    let (summary, machine) = (scratch.file("summary.json"), scratch.file("machine.json"))
    let launch = try program(
      Self.network + ["--grid", grid, "--json", "--summary", summary, "--out", machine],
      ranks: ranks)
    #expect(launch.status == 0, "\(launch.errors)")
    let printed = try scratch.write(launch.output, to: "printed.json")
    for found in [try Summary(printed), try Summary(summary)] {
      #expect(try found.integer("ranks") == ranks)
      let parts = try found.objects("parts")
      #expect(parts.compactMap { $0["name"] as? String } == Self.parts)
      func numbers(_ key: String) throws -> [Double] {
        try parts.map { try #require(($0[key] as? NSNumber)?.doubleValue) }
      }
      #expect(try numbers("seconds").allSatisfy { $0 >= 0 })
      #expect(try numbers("seconds").prefix(4).allSatisfy { $0 > 0 })
      // The parts are of one rank on the mean.
      let (flops, all) = (
        try numbers("flops").reduce(0, +) * Double(ranks), try found.number("flops_per_step")
      )
      #expect(flops == all)
      #expect(try numbers("bytes").prefix(4).allSatisfy { $0 > 0 })
      #expect(try found.number("seconds_least") <= found.number("seconds_per_step"))
      #expect(try found.number("seconds_per_step") <= found.number("seconds_most"))
      #expect(try found.number("peak_flop_rate") > found.number("flop_rate_per_rank"))
      #expect(try numbers("roofline_seconds").contains { $0 > 0 })
    }
    #expect(try Summary(machine).number("flop_rate") > 0)
    // What is measured can be planned with.
    let plan = ["inspect", "--points", "40", "--grid", "2x1", "--machine", machine]
    #expect(try program(plan).status == 0)
  }

  @Test("a table is printed")
  func table() throws {
    let launch = try program(Self.network + ["--model", "h2nn"])
    #expect(launch.status == 0, "\(launch.errors)")
    for name in ["ms per step", "Gflop/s per rank"] + Self.parts {
      #expect(launch.output.split(separator: "\n").contains { $0.hasPrefix(name) }, "\(name)")
    }
  }

  @Test("a grid must fit the ranks")
  func wrongGrid() throws {
    #expect(try program(Self.network + ["--grid", "2x2"], ranks: 2).status == 64)
    #expect(try program(Self.network + ["--grid", "two"]).status == 64)
  }
}
