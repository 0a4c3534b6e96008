import Foundation
import TestSupport
import Testing

@Suite("Process grids", .serialized, .waiting)
struct AllGridsTests {
  /// Seven shards of sixteen samples, the last of four.
  private static let training = ["--batch", "100", "--shard", "16"]

  /// What ranks send and compute on every rank, as a summary lists it.
  private static let counts = [
    "group", "tree_rank", "parameters", "messages", "message_bytes", "collectives",
    "collective_bytes", "flops",
  ]

  private func numbers(_ ranks: [[String: Any]]) throws -> [[Int]] {
    try ranks.map { rank in
      try Self.counts.map { try #require((rank[$0] as? NSNumber)?.intValue, "\($0) in \(rank)") }
    }
  }

  @Test(
    "what a step sends and computes is what the plan says",
    arguments: [
      ["--model", "h2nn"], ["--model", "h2nn", "--replicate-below", "9"],
      ["--model", "mnn-h2", "--precision", "double"],
      ["--model", "mnn-h2", "--sharing", "mix", "--boundary", "periodic"],
      ["--model", "dense", "--layers", "2"], ["--model", "mnn-h", "--layers", "2"],
      ["--model", "h2nn", "--block-width", "4", "--replicate-below", "9"],
      ["--model", "h2nn", "--wave", "1", "--replicate-below", "9"],
      ["--model", "mnn-h2", "--sharing", "mix", "--boundary", "periodic", "--wave", "3"],
    ])
  func plan(network: [String]) throws {
    let scratch = try Scratch()
    let data = try scratch.write(Fields())
    // More groups than shards, and five tree ranks, once.
    let many = network.count == 2 ? [(1, 5), (9, 1)] : []
    for (groups, tree) in [(1, 1), (2, 1), (1, 3), (2, 2)] + many {
      let grid = ["--grid", "\(groups)x\(tree)", "--channels", "3"] + Self.training + network
      let planned = try scratch.summary(of: ["inspect", "--data", data] + grid)
      let out = ["--out", scratch.file("run-\(groups)-\(tree)"), "--iterations", "2"]
      let counted = try scratch.summary(
        of: ["train", "--data", data] + out + grid, ranks: groups * tree)
      let ranks = try #require(try planned.object("grid")["ranks"] as? [[String: Any]])
      let found = try numbers(try counted.objects("ranks"))
      #expect(try numbers(ranks) == found, "grid \(groups)x\(tree)")
      #expect(found.count == groups * tree && found.contains { $0[7] > 0 })
    }
  }

  /// All grids of 1, 2, 3, 4, 5, 7 and 8 ranks.
  private static let grids = [1, 2, 3, 4, 5, 7, 8].flatMap { ranks in
    (1...ranks).filter { ranks % $0 == 0 }.map { (ranks / $0, $0) }
  }

  @Test(
    "every grid of up to eight ranks gives the same digest, also when it continues the run of another one",
    .enabled(if: ProcessInfo.processInfo.environment["H2NN_ALL_GRIDS"] != nil),
    arguments: [
      "h2nn", "h2nn on a cloud", "mnn-h2 own", "mnn-h2 offset", "mnn-h2 mix", "mnn-h own",
    ],
    ["float", "double"])
  func everyGrid(network: String, precision: String) throws {
    let scratch = try Scratch()
    let data = try scratch.write(network.hasSuffix("cloud") ? Fields(cloud: 70) : Fields())
    let words = network.split(separator: " ").map(String.init)
    var options = Self.training + ["--model", words[0], "--precision", precision]
    if words.count == 2 && words[0] != "h2nn" { options += ["--sharing", words[1]] }
    if network.hasSuffix("cloud") { options += ["--leaf", "6"] }
    options += ["--channels", "3", "--layers", "2", "--iterations", "6"]
    var expected: String?
    for (index, grid) in Self.grids.enumerated() {
      func train(_ run: String, _ grid: (Int, Int), _ more: [String], status: Int32) throws
        -> String
      {
        try scratch.summary(
          of: ["train", "--data", data, "--out", scratch.file(run)] + options + more
            + ["--grid", "\(grid.0)x\(grid.1)"],
          ranks: grid.0 * grid.1, status: status
        ).text("digest")
      }
      let digest = try train("run-\(index)", grid, [], status: 0)
      expected = expected ?? digest
      #expect(digest == expected, "grid \(grid)")
      // Begun on this grid, ended on the one before it.
      _ = try train("parts-\(index)", grid, ["--stop-after", "3"], status: 75)
      let before = Self.grids[(index + Self.grids.count - 1) % Self.grids.count]
      #expect(try train("parts-\(index)", before, [], status: 0) == expected, "from \(grid)")
    }
  }
}
