// Checks that need several processes. Started as `mpirun -n P DistributedChecks NAME...`; without names
// it lists them, and with --launcher-rank it prints its rank without MPI. Rank 0 prints `ok NAME` when
// all ranks are content.
import Foundation
import MessagePassing

let checks =
  collectiveChecks + pointToPointChecks + agreementChecks + endingChecks + hdf5Checks
  + hdf5FailureChecks + hdf5ColumnChecks + stallChecks + matrixChecks

let names = CommandLine.arguments.dropFirst()
guard !names.isEmpty else {
  for check in checks { print(check.name) }
  exit(0)
}
guard names != ["--launcher-rank"] else {
  print(MPIEnvironment.launcherRank)
  exit(0)
}
let chosen = names.compactMap { name in checks.first { $0.name == name } }
guard chosen.count == names.count else {
  let text = "not all of these checks exist: \(names.joined(separator: " "))\n"
  FileHandle.standardError.write(Data(text.utf8))
  exit(ExitStatus.usage)
}
do {
  try MPIEnvironment.run(grace: .seconds(3)) { world in
    for check in chosen {
      world.traffic.reset()
      do {
        try check.body(world)
      } catch {
        let text = "rank \(world.rank): check \(check.name) failed\n"
        FileHandle.standardError.write(Data(text.utf8))
        throw error
      }
      // A rank that failed leaves the others here until its grace period is over.
      guard check.isFollowedByBarrier else { continue }
      try world.barrier()
      if world.rank == 0 { print("ok \(check.name)") }
    }
  }
} catch {
  let text = "rank \(MPIEnvironment.launcherRank): \(ExitStatus.message(of: error))\n"
  FileHandle.standardError.write(Data(text.utf8))
  exit(ExitStatus.status(of: error))
}
