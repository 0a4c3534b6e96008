/// The values that one rank sends to others or receives, and the phases of all values.
///
/// Solving has one phase: a rank waits for all that it needs, computes, and sends. In a product a value has the phase in
/// which all that it needs can be there: that of its last source, and one more if that belongs to another rank. It is sent
/// after that phase.
struct StepTransfers {
  /// A value on its way from its rank to another one that needs it.
  struct Transfer: Hashable, Comparable {
    /// The phase after which it goes, and the one before which it comes.
    let sent: Int
    let received: Int
    let source: Int
    let target: Int
    let value: Int
    let size: Int

    static func < (a: Transfer, b: Transfer) -> Bool {
      (a.sent, a.source, a.target, a.value) < (b.sent, b.source, b.target, b.value)
    }
  }

  /// What this rank sends, by phase and receiver.
  let sent: [Transfer]
  /// What it receives, by phase and sender.
  let received: [Transfer]
  /// For each value its phase; empty if there is only one phase.
  let rounds: [Int16]
  /// The number of phases of this rank.
  let phaseCount: Int

  /// Finds the transfers of a rank.
  ///
  /// - Parameters:
  ///   - steps: The steps of all ranks.
  ///   - cuts: The first leaf of each rank, and the number of leaves.
  ///   - rank: The rank.
  init(_ steps: FactorSteps, cuts: [Int], rank: Int) {
    let (values, ranks, isProduct) = (steps.values, cuts.count - 1, steps.task == .product)
    guard ranks > 1 else {
      (sent, received, rounds, phaseCount) = ([], [], [], 1)
      return
    }
    var owners = [Int32](repeating: -1, count: values.count)
    var rounds = [Int16](repeating: 0, count: values.count)
    var leafOwners = [Int32](repeating: 0, count: cuts[ranks])
    for owner in 0..<ranks {
      for leaf in cuts[owner]..<cuts[owner + 1] {
        leafOwners[leaf] = Int32(owner)
        owners[values.unknowns(leaf)] = Int32(owner)
      }
    }
    var (transfers, last) = (Set<Transfer>(), 0)
    steps.visit(0..<leafOwners.count) { leaf, step in
      let owner = leafOwners[leaf]
      owners[step.target] = owner
      var round: Int16 = 0
      for term in step.terms {
        let source = owners[term.source]
        let crosses = source != owner
        if isProduct { round = max(round, rounds[term.source] + (crosses ? 1 : 0)) }
        guard crosses, Int(source) == rank || Int(owner) == rank else { continue }
        let sent = Int(rounds[term.source])
        transfers.insert(
          Transfer(
            sent: sent, received: isProduct ? sent + 1 : 0, source: Int(source),
            target: Int(owner), value: term.source, size: term.size))
      }
      rounds[step.target] = round
      if Int(owner) == rank { last = max(last, Int(round)) }
    }
    let all = transfers.sorted()
    (sent, received) = (all.filter { $0.source == rank }, all.filter { $0.target == rank })
    self.rounds = isProduct ? rounds : []
    phaseCount = 1 + all.reduce(last) { max($0, $1.target == rank ? $1.received : $1.sent) }
  }
}
