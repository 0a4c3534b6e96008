import TestSupport
import Testing

/// The checks of training over ranks, each run by a program of its own under `mpirun`.
@Suite("Training over ranks, under mpirun", .serialized)
struct RefinementChecksTests {
  @Test("parameters and losses have the bits of one rank, also across a restart")
  func bits() throws {
    let outputs = try [1, 2, 3, 5].map { ranks in
      let launch = try launch("RefinementChecks", arguments: ["bits", "refusals"], ranks: ranks)
      #expect(launch.status == 0, "\(launch.errors)")
      return launch.output
    }
    for output in outputs.dropFirst() { #expect(output == outputs[0]) }
    let lines = outputs[0].split(separator: "\n")
    // Seven trainings, all with other parameters, and the last lines.
    #expect(lines.count == 9 && Set(lines).count == 9 && lines.last == "ok refusals")
  }
}
