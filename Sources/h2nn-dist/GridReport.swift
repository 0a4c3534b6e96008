import BlockSparse
import Foundation
import OperatorNetworks
import Training

/// The plan of a step on a process grid, for `inspect --grid`.
struct GridReport {
  let dataGroups: Int
  let treeRanks: Int
  let replicatedBoxes: Int?
  let batch: Int
  let shard: Int
  let precision: Precision

  /// Reads the options; nil without `--grid`.
  init?(_ arguments: Arguments) throws(TrainingError) {
    let training = try arguments.trainingOptions()
    guard let grid = try ProcessGrid(arguments) else { return nil }
    (dataGroups, treeRanks) = (grid.dataGroups, grid.treeRanks)
    replicatedBoxes = try arguments.integer("replicate-below", atLeast: 0)
    (batch, shard, precision) = (training.batch, training.shard, training.precision)
  }

  /// Prints the plan and returns it for the summary.
  func report(_ network: Network) -> [String: Any] {
    let partition = TreePartition(network, ranks: treeRanks, replicatedBoxes: replicatedBoxes)
    let plan = CommunicationPlan(network, partition)
    let shards = (batch + shard - 1) / shard
    let size = precision == .float ? 4 : 8
    Voice.say(
      "\ngrid \(dataGroups)x\(treeRanks): \(dataGroups) data groups × \(treeRanks) tree ranks, "
        + "\(shards) shards of \(shard) samples, \(precision.rawValue)")
    Voice.say(
      "exchanges between tree ranks: \(plan.rounds[.forward] ?? 0) forward, "
        + "\(plan.rounds[.backward] ?? 0) backward, \(plan.rounds[.weights] ?? 0) of weights")
    let replicated = network.values.indices.filter { partition.values[$0].isReplicated }
    if !replicated.isEmpty {
      let names = replicated.map { network.values[$0].name }
      Voice.say("on every tree rank: \(names.joined(separator: " "))")
    }
    Voice.say(
      "\n  group  tree rank  parameters  activations MB  messages   sent MB  Gflop per step")
    let loads = (0..<treeRanks).map { RankLoad(network, partition, rank: $0) }
    let sentMessages = (0..<treeRanks).map { plan.sent(by: $0) }
    var ranks: [[String: Any]] = []
    for group in 0..<dataGroups {
      for rank in 0..<treeRanks {
        let (load, messages) = (loads[rank], sentMessages[rank])
        let data = DataExchange(
          shards: shards, parameters: load.parameters, group: group, groups: dataGroups)
        let samples = data.shards * shard
        let sent = messages.reduce(0) { sum, message in
          sum + message.count * (message.phase == .weights ? 1 : samples)
        }
        let bytes = (sent + data.count) * size
        let flops = load.flopsPerSample * samples
        // Values and their gradients, of one shard at a time.
        let activations = 2 * load.channels * shard * size
        ranks.append([
          "group": group, "tree_rank": rank, "parameters": load.parameters,
          "activation_bytes": activations, "messages": messages.count + data.messages,
          "bytes": bytes, "flops": flops,
        ])
        if ranks.count <= 32 {
          let cells = [
            ("\(group)", 7), ("\(rank)", 11), ("\(load.parameters)", 12),
            (Voice.short(Double(activations) / 1e6), 16),
            ("\(messages.count + data.messages)", 10), (Voice.short(Double(bytes) / 1e6), 10),
            (Voice.short(Double(flops) / 1e9), 16),
          ]
          Voice.say(cells.map { $0.0.aligned(to: $0.1) }.joined())
        }
      }
    }
    if ranks.count > 32 { Voice.say("  … the summary lists all \(ranks.count) ranks") }
    let flops = ranks.compactMap { $0["flops"] as? Int }
    let imbalance =
      Double(flops.max() ?? 0) * Double(flops.count) / Double(max(flops.reduce(0, +), 1))
    Voice.say("imbalance, the largest over the mean work: \(Voice.short(imbalance))")
    return [
      "data_groups": dataGroups, "tree_ranks": treeRanks,
      "forward_exchanges": plan.rounds[.forward] ?? 0,
      "backward_exchanges": plan.rounds[.backward] ?? 0, "imbalance": imbalance, "ranks": ranks,
    ]
  }
}

/// The process grid D×T of `--grid`.
struct ProcessGrid {
  let dataGroups: Int
  let treeRanks: Int

  /// Reads the option; nil if it is not given, or `auto`.
  init?(_ arguments: Arguments) throws(TrainingError) {
    guard let text = arguments.text("grid"), text != "auto" else { return nil }
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sizes.count == 2, sizes.allSatisfy({ (1...1 << 16).contains($0) }) else {
      throw .usage("--grid \(text): needed is D×T like 4x1, or auto")
    }
    (dataGroups, treeRanks) = (sizes[0], sizes[1])
  }
}
