import BlockSparse
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import Training

/// The plan of a step on a process grid, for `inspect --grid`, and predictions, for `inspect --scaling`.
struct GridReport {
  let grid: GridOptions
  let sizes: StepPlan.Sizes
  let precision: Precision
  let machine: CostModel

  /// Reads the options.
  init(_ arguments: Arguments) throws(RunError) {
    let training = try arguments.trainingOptions()
    let options = try arguments.gridOptions()
    grid = options
    var sizes = StepPlan.Sizes(training)
    sizes.wave = options.wave
    self.sizes = sizes
    precision = training.precision
    machine = options.machine
  }

  /// Prints the plan of the grid and returns it for the summary; nil if no grid was asked for.
  func plan(_ network: Network) -> [String: Any]? {
    guard let shape = grid.shape else { return nil }
    let plan = machine.plan(
      network, dataGroups: shape.dataGroups, treeRanks: shape.treeRanks,
      replicatedBoxes: grid.replicatedBoxes, sizes: sizes)
    printHead(plan, network)
    var ranks: [[String: Any]] = []
    for group in 0..<plan.dataGroups {
      for tree in 0..<plan.treeRanks {
        let rank = plan.rank(group: group, tree: tree)
        ranks.append(
          [
            "group": group, "tree_rank": tree, "parameters": rank.parameters,
            "activation_bytes": rank.activationBytes, "messages": rank.messages,
            "message_bytes": rank.messageBytes, "collectives": rank.collectives,
            "collective_bytes": rank.collectiveBytes, "bytes": rank.bytes, "flops": rank.flops,
          ])
        if ranks.count <= 32 { printRank(rank, group, tree) }
      }
    }
    if ranks.count > 32 { Voice.say("  … the summary lists all \(ranks.count) ranks") }
    Voice.say("imbalance, the largest over the mean work: \(Voice.short(plan.imbalance))")
    let time = machine.predict(plan)
    Voice.say(
      "predicted: \(Voice.short(time.total * 1000)) ms per step: computing "
        + "\(Voice.short(time.computing * 1000)), updating \(Voice.short(time.updating * 1000)), "
        + "tree ranks \(Voice.short(time.tree * 1000)), data groups "
        + "\(Voice.short(time.groups * 1000))")
    let communication = plan.communication
    return [
      "data_groups": plan.dataGroups, "tree_ranks": plan.treeRanks,
      "forward_exchanges": communication.rounds[.forward] ?? 0,
      "backward_exchanges": communication.rounds[.backward] ?? 0,
      "gathers": communication.gathers.count, "wave": plan.wave, "imbalance": plan.imbalance,
      "predicted_seconds": time.total, "ranks": ranks,
    ]
  }

  private func printHead(_ plan: StepPlan, _ network: Network) {
    let communication = plan.communication
    Voice.say(
      "\ngrid \(plan.dataGroups)x\(plan.treeRanks): \(plan.dataGroups) data groups × "
        + "\(plan.treeRanks) tree ranks, \(sizes.shards) shards of \(sizes.shard) samples, "
        + precision.rawValue)
    Voice.say(
      "exchanges between tree ranks: \(communication.rounds[.forward] ?? 0) forward, "
        + "\(communication.rounds[.backward] ?? 0) backward, "
        + "\(communication.rounds[.weights] ?? 0) of weights; "
        + "\(communication.gathers.count) gathers among them"
        + (plan.treeRanks > 1 ? "; at most \(plan.wave) shards together" : ""))
    let replicated = network.values.indices.filter { plan.partition.values[$0].isReplicated }
    if !replicated.isEmpty {
      let names = replicated.map { network.values[$0].name }
      Voice.say("on every tree rank: \(names.joined(separator: " "))")
    }
    Voice.say(
      "\n  group  tree rank  parameters  activations MB  messages  collectives   sent MB"
        + "  Gflop per step")
  }

  private func printRank(_ rank: StepPlan.Rank, _ group: Int, _ tree: Int) {
    let cells = [
      ("\(group)", 7), ("\(tree)", 11), ("\(rank.parameters)", 12),
      (Voice.short(Double(rank.activationBytes) / 1e6), 16), ("\(rank.messages)", 10),
      ("\(rank.collectives)", 13), (Voice.short(Double(rank.bytes) / 1e6), 10),
      (Voice.short(Double(rank.flops) / 1e9), 16),
    ]
    Voice.say(cells.map { $0.0.aligned(to: $0.1) }.joined())
  }
}
