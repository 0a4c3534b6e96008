import BlockSparse
import ClusterTrees
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import Training

/// The predicted step times of a network on 1 to 4096 ranks, for `inspect --scaling`.
struct ScalingReport {
  /// The largest number of ranks.
  static let largest = 4096
  /// The largest network that is built for weak scaling, in points.
  static let pointLimit = 1 << 21

  let report: GridReport
  let network: Network
  /// Builds the network on so many times as many points; nil if the points cannot be multiplied.
  let enlarged: (_ factor: Int) throws(RunError) -> Network?

  /// One row: the fastest grid of some ranks.
  private struct Row {
    let ranks: Int
    let plan: StepPlan
    let time: CostModel.Prediction
  }

  /// Prints both tables and returns them for the summary.
  func tables() throws(RunError) -> [String: Any] {
    let strong = strongScaling()
    Voice.say("\nstrong scaling, predicted: batch \(report.sizes.batch), the fastest grid of each")
    let strongRows = printTable(strong) { first, row in
      first / (Double(row.ranks) * row.time.total)
    }
    let weak = try weakScaling()
    guard !weak.isEmpty else { return ["strong": strongRows] }
    Voice.say("\nweak scaling over tree ranks, predicted: points as many times as ranks")
    let weakRows = printTable(weak) { first, row in first / row.time.total }
    return ["strong": strongRows, "weak": weakRows]
  }

  private func strongScaling() -> [Row] {
    let replicated = report.grid.replicatedBoxes
    let counts = (0...12).map { 1 << $0 }
    let axis = network.values[0].layout.boxCount
    let plans = counts.filter { $0 <= axis }.map { ranks in
      report.machine.plan(
        network, dataGroups: 1, treeRanks: ranks, replicatedBoxes: replicated,
        sizes: report.sizes)
    }
    return counts.map { ranks in
      let rows = plans.filter { $0.treeRanks <= ranks }.map { plan in
        let grid = plan.with(dataGroups: ranks / plan.treeRanks)
        return Row(ranks: ranks, plan: grid, time: report.machine.predict(grid))
      }
      return rows.min { $0.time.total < $1.time.total } ?? rows[0]
    }
  }

  private func weakScaling() throws(RunError) -> [Row] {
    var rows: [Row] = []
    var ranks = 1
    while ranks <= Self.largest,
      ranks * network.inputOrder.count <= max(Self.pointLimit, network.inputOrder.count),
      let larger = try enlarged(ranks)
    {
      let plan = report.machine.plan(
        larger, dataGroups: 1, treeRanks: ranks,
        replicatedBoxes: report.grid.replicatedBoxes, sizes: report.sizes)
      rows.append(Row(ranks: ranks, plan: plan, time: report.machine.predict(plan)))
      ranks *= 2
    }
    return rows
  }

  private func printTable(
    _ rows: [Row], _ efficiency: (Double, Row) -> Double
  ) -> [[String: Any]] {
    Voice.say(
      "  ranks       grid   ms per step  efficiency   computing    updating  tree ranks  data groups"
        + "  parameters of a rank")
    let first = rows.first?.time.total ?? 0
    return rows.map { row in
      let value = efficiency(first, row)
      let parameters = row.plan.loads.map(\.parameters).max() ?? 0
      let time = row.time
      let cells = [
        ("\(row.ranks)", 7), ("\(row.plan.dataGroups)x\(row.plan.treeRanks)", 11),
        (Voice.short(time.total * 1000), 14), (Voice.short(value), 12),
        (Voice.short(time.computing * 1000), 12), (Voice.short(time.updating * 1000), 12),
        (Voice.short(time.tree * 1000), 12), (Voice.short(time.groups * 1000), 13),
        ("\(parameters)", 22),
      ]
      Voice.say(cells.map { $0.0.aligned(to: $0.1) }.joined())
      return [
        "ranks": row.ranks, "data_groups": row.plan.dataGroups,
        "tree_ranks": row.plan.treeRanks, "seconds": time.total, "efficiency": value,
        "parameters": parameters,
      ]
    }
  }
}
