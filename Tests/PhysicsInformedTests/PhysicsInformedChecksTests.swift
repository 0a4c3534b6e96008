import TestSupport
import Testing

/// The checks of training over ranks, each run by a program of its own under `mpirun`.
@Suite("Physics-informed training over ranks, under mpirun", .serialized, .waiting)
struct PhysicsInformedChecksTests {
  @Test("a network learns the solution; both normal equations have one step; nonsense is refused")
  func learning() throws {
    let launch = try launch(
      "PhysicsInformedChecks", arguments: ["systems", "learning", "refusals"], ranks: 2)
    #expect(launch.status == 0, "\(launch.errors)")
    #expect(launch.output == "ok systems\nok learning\nok refusals\n")
  }

  @Test("parameters, losses and errors have the bits of one rank, also across stops")
  func bits() throws {
    let outputs = try [1, 2, 3, 5].map { ranks in
      let launch = try launch("PhysicsInformedChecks", arguments: ["bits"], ranks: ranks)
      #expect(launch.status == 0, "\(launch.errors)")
      return launch.output
    }
    for output in outputs.dropFirst() { #expect(output == outputs[0]) }
    let lines = outputs[0].split(separator: "\n")
    // Five trainings, all with other parameters, and the last line.
    #expect(lines.count == 6 && Set(lines).count == 6 && lines.last == "ok bits")
  }
}
