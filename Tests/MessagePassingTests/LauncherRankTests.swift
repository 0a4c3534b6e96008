import Foundation
import MessagePassing
import TestSupport
import Testing

@Suite("Ranks of launchers", .waiting)
struct LauncherRankTests {
  @Test(
    "the launcher's variables give the rank",
    arguments: ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"])
  func rank(variable: String) throws {
    let result = try launch(
      "DistributedChecks", arguments: ["--launcher-rank"], ranks: nil, environment: [variable: "5"])
    #expect(result.output == "5\n")
  }

  @Test("a process without a launcher has rank zero")
  func noLauncher() {
    #expect(MPIEnvironment.launcherRank == 0)
  }
}
