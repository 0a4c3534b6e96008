// Checks of networks that are spread over tree ranks, against the same networks on one rank. Started as
// `mpirun -n T NetworkChecks CHECK NETWORKS REPLICATED...`: NETWORKS are names with commas between them, or
// `all`; each REPLICATED is a bound below which values are replicated, or `default`. Rank 0 prints `ok` when
// all ranks are content.
import BlockKernels
import Foundation
import MessagePassing
import OperatorNetworks

@testable import NetworkExecution

/// Runs one check of one network.
func run(
  _ check: String, _ name: String, _ replicated: String, on world: borrowing Communicator
) throws {
  let network = try Networks.build(name)
  let bound = Int(replicated)
  try expect(bound != nil || replicated == "default", "no bound of replication is \(replicated)")
  let partition = TreePartition(
    network, ranks: world.size, replicatedBoxes: bound ?? 2 * world.size)
  do {
    switch check {
    case "bits-float":
      try BitsCheck<Float>(network, partition, rank: world.rank).run(on: world)
    case "bits-double":
      try BitsCheck<Double>(network, partition, rank: world.rank).run(on: world)
    case "adjoint": try checkAdjoint(network, partition, on: world)
    case "traffic": try checkTraffic(network, partition, on: world)
    default: throw CheckFailure(description: "no check has the name \(check)")
    }
  } catch let failure as CheckFailure {
    let place = "\(check) of \(name), replicated below \(replicated)"
    throw CheckFailure(description: "\(place): \(failure)")
  }
}

// As the program does.
Processor.flushSubnormals()
let words = Array(CommandLine.arguments.dropFirst())
guard words.count > 2 else {
  print(Networks.names.joined(separator: "\n"))
  exit(ExitStatus.usage)
}
do {
  try MPIEnvironment.run(grace: .seconds(3)) { world in
    // Not about one network.
    if words[0] == "objectives" {
      for freezes in [false, true] {
        try ObjectiveCheck<Float>(freezes: freezes).run(on: world)
        try ObjectiveCheck<Double>(freezes: freezes).run(on: world)
      }
      try world.barrier()
      if world.rank == 0 { print("ok") }
      return
    }
    let names = words[1] == "all" ? Networks.names : words[1].split(separator: ",").map(String.init)
    for name in names {
      for replicated in words.dropFirst(2) { try run(words[0], name, replicated, on: world) }
    }
    try world.barrier()
    if world.rank == 0 { print("ok") }
  }
} catch {
  let text = "rank \(MPIEnvironment.launcherRank): \(ExitStatus.message(of: error))\n"
  FileHandle.standardError.write(Data(text.utf8))
  exit(ExitStatus.status(of: error))
}
