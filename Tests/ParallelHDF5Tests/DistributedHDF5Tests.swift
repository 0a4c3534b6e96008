import TestSupport
import Testing

/// The checks of parallel files, each run by a program of its own under `mpirun`.
@Suite("Distributed checks of parallel files", .serialized, .waiting)
struct DistributedHDF5Tests {
  @Test("all ranks are content", arguments: [1, 2, 3, 7])
  func succeeds(ranks: Int) throws {
    let checks = [
      "hdf5-rows", "hdf5-rounds", "hdf5-gathered-rounds", "hdf5-conversion", "hdf5-empty",
      "hdf5-whole", "hdf5-attributes", "hdf5-missing", "hdf5-truncated", "hdf5-uncreatable",
      "hdf5-one-rank-fails", "hdf5-full", "hdf5-columns", "hdf5-row-list",
      "hdf5-one-rank-outside",
    ]
    let result = try launch("DistributedChecks", arguments: checks, ranks: ranks)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == checks.map { "ok \($0)\n" }.joined())
  }
}
