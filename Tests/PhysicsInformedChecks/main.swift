// Checks of physics-informed training over ranks. Started as `mpirun -n P PhysicsInformedChecks NAME...`; without names it
// lists them. Rank 0 prints `ok NAME` when all ranks are content, and before it what the check prints.
import BlockKernels
import Foundation
import MessagePassing

let checks = [bitsCheck, systemsCheck, learningCheck, refusalCheck]

// As the program does.
Processor.flushSubnormals()
let names = Array(CommandLine.arguments.dropFirst())
guard !names.isEmpty else {
  for check in checks { print(check.name) }
  exit(0)
}
let chosen = names.compactMap { name in checks.first { $0.name == name } }
guard chosen.count == names.count || names.first == "measure" else {
  FileHandle.standardError.write(Data("not all of these checks exist: \(names)\n".utf8))
  exit(ExitStatus.usage)
}
do {
  try MPIEnvironment.run(grace: .seconds(3)) { world in
    if names.first == "measure" { return try measure(Array(names.dropFirst()), on: world) }
    for check in chosen {
      do {
        try check.body(world)
      } catch {
        let text = "rank \(world.rank): check \(check.name) failed\n"
        FileHandle.standardError.write(Data(text.utf8))
        throw error
      }
      try world.barrier()
      if world.rank == 0 { print("ok \(check.name)") }
    }
  }
} catch {
  let text = "rank \(MPIEnvironment.launcherRank): \(ExitStatus.message(of: error))\n"
  FileHandle.standardError.write(Data(text.utf8))
  exit(ExitStatus.status(of: error))
}
