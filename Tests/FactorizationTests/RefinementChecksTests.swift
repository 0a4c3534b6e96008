import TestSupport
import Testing

/// The checks of training over ranks, each run by a program of its own under `mpirun`.
@Suite("Training over ranks, under mpirun", .serialized, .waiting)
struct RefinementChecksTests {
  @Test("training makes factors better preconditioners, and refuses what has no meaning")
  func learning() throws {
    let launch = try launch("RefinementChecks", arguments: ["learning", "refusals"], ranks: 2)
    #expect(launch.status == 0, "\(launch.errors)")
    #expect(launch.output == "ok learning\nok refusals\n")
  }

  @Test("parameters and losses have the bits of one rank, also across a restart")
  func bits() throws {
    let outputs = try [1, 2, 3, 5].map { ranks in
      let launch = try launch("RefinementChecks", arguments: ["bits"], ranks: ranks)
      #expect(launch.status == 0, "\(launch.errors)")
      return launch.output
    }
    for output in outputs.dropFirst() { #expect(output == outputs[0]) }
    let lines = outputs[0].split(separator: "\n")
    // Seven trainings, all with other parameters, and the last line.
    #expect(lines.count == 8 && Set(lines).count == 8 && lines.last == "ok bits")
  }
}
