public import MessagePassing
public import OperatorNetworks

/// How the ranks of a run are arranged; it does not change the result.
public struct GridOptions: Sendable {
  /// Data groups and tree ranks; nil if any arrangement will do.
  public var shape: (dataGroups: Int, treeRanks: Int)?
  /// Values with fewer boxes are computed on every tree rank; nil for as many as
  /// make a step fastest.
  public var replicatedBoxes: Int?
  /// The most shards that tree ranks compute between two exchanges; nil for as many as stay in a cache.
  public var wave: Int?

  /// The machine for which an arrangement is chosen.
  public var machine = CostModel()

  /// Creates options that leave the arrangement open.
  public init() {}

  /// Arranges ranks for a network.
  ///
  /// Collective. Rank 0 compares predicted times and decides; the others take its grid, even if their processors
  /// or machine files would lead to another choice.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - sizes: The sizes of a step.
  ///   - communicator: The ranks to arrange.
  /// - Returns: The plan of the given grid, or of the one whose predicted step is shortest;
  ///   more tree ranks are taken only if that step is shorter by a fifth.
  /// - Throws: `RunError` (64) if the grid does not fit, `MPIError` if the library fails.
  public func plan(
    _ network: Network, sizes: StepPlan.Sizes, on communicator: borrowing Communicator
  ) throws -> StepPlan {
    let chosen: StepPlan? = try communicator.agree {
      communicator.rank == 0 ? try plan(network, ranks: communicator.size, sizes: sizes) : nil
    }
    var numbers = chosen.map { [$0.dataGroups, $0.treeRanks, $0.replicatedBoxes] } ?? [0, 0, 0]
    var span = numbers.mutableSpan
    try communicator.broadcast(&span, from: 0)
    var sizes = sizes
    sizes.wave = wave
    return chosen
      ?? StepPlan(
        network, dataGroups: numbers[0], treeRanks: numbers[1], replicatedBoxes: numbers[2],
        sizes: sizes)
  }

  /// Arranges ranks for a network, on one rank.
  private func plan(
    _ network: Network, ranks: Int, sizes: StepPlan.Sizes
  ) throws(RunError) -> StepPlan {
    var sizes = sizes
    sizes.wave = wave
    func plan(_ dataGroups: Int, _ treeRanks: Int) -> StepPlan {
      machine.plan(
        network, dataGroups: dataGroups, treeRanks: treeRanks, replicatedBoxes: replicatedBoxes,
        sizes: sizes)
    }
    guard let shape else {
      let widths = (1...ranks).filter { ranks % $0 == 0 }
      // Tree ranks wait for each other several times in a step, and the model has the cost of the messages only:
      // more tree ranks are chosen only if the predicted step is shorter by a fifth.
      var best = plan(ranks, 1)
      var shortest = machine.predict(best).total
      for width in widths.dropFirst() {
        let other = plan(ranks / width, width)
        let time = machine.predict(other).total
        if time < 0.8 * shortest { (best, shortest) = (other, time) }
      }
      return best
    }
    let text = "`grid` \(shape.dataGroups)x\(shape.treeRanks)"
    guard shape.dataGroups * shape.treeRanks == ranks else {
      throw .usage("\(text) needs \(shape.dataGroups * shape.treeRanks) ranks, there are \(ranks)")
    }
    return plan(shape.dataGroups, shape.treeRanks)
  }
}
