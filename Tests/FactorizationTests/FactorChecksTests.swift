import Foundation
import TestSupport
import Testing

/// The checks of solving over ranks, each run by a program of its own under `mpirun`.
@Suite("Solving with factors over ranks, under mpirun", .serialized, .waiting)
struct FactorChecksTests {
  @Test("solutions are right and have the bits of one rank; messages are those planned")
  func solving() throws {
    let outputs = try [1, 2, 3, 5].map { ranks in
      let launch = try launch(
        "FactorChecks", arguments: ["solving", "singular", "fallback"], ranks: ranks)
      #expect(launch.status == 0, "\(launch.errors)")
      return launch.output
    }
    for output in outputs.dropFirst() { #expect(output == outputs[0]) }
    // Twelve factors in two forms, three factors by four methods, and a line for each check.
    #expect(outputs[0].split(separator: "\n").count == 39 && outputs[0].hasSuffix("ok fallback\n"))
  }

  @Test("wrong words are no success")
  func wrong() throws {
    let launch = try launch("FactorChecks", arguments: ["no-such"], ranks: nil)
    #expect(launch.status == 64)
  }
}
