import Foundation
import TestSupport
import Testing

/// The checks of matrices that are spread over ranks, each run by a program of its own under `mpirun`.
@Suite("Matrices on ranks, under mpirun", .serialized, .waiting)
struct DistributedMatrixTests {
  @Test("all ranks are content", arguments: [1, 2, 3, 5])
  func succeeds(ranks: Int) throws {
    let checks = ["matrix-product", "matrix-halo", "matrix-file", "matrix-file-errors"]
    let result = try launch("DistributedChecks", arguments: checks, ranks: ranks)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == checks.map { "ok \($0)\n" }.joined())
  }
}
