import Foundation
import TestSupport
import Testing

/// Programs whose last rank is missing in a collective operation on a file.
@Suite("Watch for ranks that hang with a file", .serialized, .waiting)
struct HDF5StallTests {
  @Test(
    "the others say which file they cannot close",
    arguments: ["stall-hdf5-close", "stall-hdf5-drop"])
  func close(check: String) throws {
    let folder = try ScratchFolder()
    let path = folder.file("stall.h5")
    let result = try launch(
      "DistributedChecks", arguments: [check], ranks: 3, environment: ["STALL_FILE": path],
      working: 1)
    #expect(result.status == 70, "\(result.errors)")
    for rank in 0..<2 {
      let line =
        "checks: rank \(rank) has waited 1 s for the other ranks of a group of 3 "
        + "(world ranks \(1 - rank) 2): HDF5 close \(path)\n"
      #expect(result.errors.contains(line), "\(result.errors)")
    }
    #expect(!result.errors.contains("rank 2 has waited"), "\(result.errors)")
  }
}
