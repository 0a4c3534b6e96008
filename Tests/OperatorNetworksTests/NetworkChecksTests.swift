import Foundation
import TestSupport
import Testing

/// The checks of networks that are spread over ranks, each run by a program of its own under `mpirun`.
///
/// Every check has all networks; together its calls have both precisions, and no value replicated, those of few boxes,
/// and the default.
@Suite("Networks on tree ranks, under mpirun", .serialized, .waiting)
struct NetworkChecksTests {
  private func check(
    _ name: String, _ networks: String = "all", ranks: Int, replicated: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let launch = try launch(
      "NetworkChecks", arguments: [name, networks] + replicated, ranks: ranks)
    #expect(launch.status == 0, "\(launch.errors)", sourceLocation: sourceLocation)
    #expect(launch.output == "ok\n", "\(launch.errors)", sourceLocation: sourceLocation)
  }

  @Test(
    "outputs and gradients have the bits of one rank",
    arguments: [
      (2, "float", ["default"]), (3, "double", ["0", "default"]), (7, "float", ["0", "9"]),
    ])
  func bits(ranks: Int, precision: String, replicated: [String]) throws {
    try check("bits-\(precision)", ranks: ranks, replicated: replicated)
  }

  @Test("more ranks than boxes are idle", arguments: [23])
  func idle(ranks: Int) throws {
    let networks =
      "h2nn two clouds,h2nn block function,mnn-h2,mnn-h2 offset,mnn-h2 mix,dense,mnn-h offset,"
      + "h2nn block networks,mnn-h2 mix transfer function,gfmm zero strictly-lower,gfmm offset"
    try check("bits-double", networks, ranks: ranks, replicated: ["0", "default"])
  }

  @Test("gradients over all ranks are those of the adjoint", arguments: [3, 7])
  func adjoint(ranks: Int) throws {
    try check("adjoint", ranks: ranks, replicated: ["0"])
  }

  @Test(
    "what is sent and computed is what the plan says",
    arguments: [(1, ["0"]), (3, ["0", "default"]), (7, ["0", "9"])])
  func traffic(ranks: Int, replicated: [String]) throws {
    try check("traffic", ranks: ranks, replicated: replicated)
  }

  @Test(
    "objectives on one store of parameters have the bits of one rank", arguments: [1, 2, 5])
  func objectives(ranks: Int) throws {
    try check("objectives", ranks: ranks, replicated: ["0"])
  }

  @Test("wrong words are no success")
  func wrong() throws {
    let calls = [
      [], ["bits-float", "no-such", "0"], ["no-such", "h2nn", "0"], ["bits-float", "h2nn", "x"],
    ]
    for words in calls {
      let launch = try launch("NetworkChecks", arguments: words, ranks: nil)
      #expect(launch.status != 0 && launch.output != "ok\n", "\(words)")
    }
  }
}
