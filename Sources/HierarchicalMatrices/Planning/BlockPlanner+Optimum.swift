import Foundation

// The least storage for an error, and the least error for a size.
//
// For a price μ of the squared error, the blocks that minimize bytes + μ·error² follow from the leaves up: a singular
// value is kept iff μσ² exceeds the bytes of its vectors. No plan of at most that error is smaller (Everett 1963). A
// bisection finds μ; what it leaves of the error or the size is used up by single values.

extension BlockPlanner {
  /// Finds the plan of least storage for an error.
  func smallest(error: Double) -> BlockPlan {
    var best = fill(bisection { $0.error <= error }, error: error)
    let others = [
      cheapest(weight: 0) { $1.rank(error: error * tree.share(of: $0)) },
      single { $0.rank(error: error) },
    ]
    for other in others.compactMap({ $0 })
    where other.error <= error && (other.cost, other.error) < (best.cost, best.error) {
      best = other
    }
    return best
  }

  /// Finds the plan of least error for a size.
  func closest(bytes size: Int) -> BlockPlan {
    var best = fill(bisection(smallest: false) { $0.cost <= size }, bytes: size)
    let single = single { spectrum in
      let node = tree.nodes[0]
      return min(max(0, size - blockBytes) / rankBytes(node), spectrum.rank(error: 0))
    }
    if let single, single.cost <= size, (single.error, single.cost) < (best.error, best.cost) {
      best = single
    }
    return best
  }

  /// The plan of one price.
  private func plan(price weight: Double) -> BlockPlan {
    cheapest(weight: weight) { $1.rank(price: Double(rankBytes($0)) / weight) }
  }

  /// Finds the smallest, or the largest, price whose plan is good.
  private func bisection(
    smallest: Bool = true, where isGood: (BlockPlan) -> Bool
  ) -> BlockPlan {
    let norm = tree.nodes.reduce(0) { max($0, $1.spectrum?.tails[0] ?? 0) }
    guard norm > 0 else { return plan(price: 1) }
    // At the low end nothing is worth its storage, at the high end all that is not rounding.
    var low = -1 - 2 * log2(norm)
    let size = Double(bytes(.dense, tree.nodes[0])) + 16
    var high = log2(size) - 2 * log2(norm) + 2 * 56
    var good = smallest ? plan(price: exp2(high)) : plan(price: exp2(low))
    if smallest {
      guard isGood(good) else { return dense() }
    } else if !isGood(good) {
      return good
    }
    while high - low > 1e-9 {
      let middle = (low + high) / 2
      let plan = plan(price: exp2(middle))
      let isGood = isGood(plan)
      if isGood { good = plan }
      if isGood == smallest { high = middle } else { low = middle }
    }
    return good
  }

  /// Drops singular values while the error allows it, the least error per byte first.
  private func fill(_ plan: BlockPlan, error bound: Double) -> BlockPlan {
    guard !tree.addsAcross else { return plan }
    var plan = plan
    var squares = plan.error * plan.error
    let blocks = plan.blocks(of: tree).map(\.node)
    while true {
      var best: (node: Int, rank: Int, square: Double)?
      var leastRatio = Double.infinity
      for place in blocks {
        let node = tree.nodes[place]
        guard case .truncated(let rank) = plan.choices[place], rank > 0,
          let value = node.spectrum?.values[rank - 1]
        else { continue }
        let square = value * value
        let ratio = square / Double(rankBytes(node))
        // A margin of rounding, as the sum is changed and not formed anew.
        if (squares + square) * (1 + 1e-12) <= bound * bound && ratio < leastRatio {
          (best, leastRatio) = ((place, rank - 1, square), ratio)
        }
      }
      guard let best else { return evaluated(plan.choices) }
      plan.choices[best.node] = .truncated(best.rank)
      plan.cost -= rankBytes(tree.nodes[best.node])
      squares += best.square
    }
  }

  /// Keeps further singular values while the size allows it, the most error per byte first.
  private func fill(_ plan: BlockPlan, bytes size: Int) -> BlockPlan {
    guard !tree.addsAcross else { return plan }
    var plan = plan
    let blocks = plan.blocks(of: tree).map(\.node)
    while true {
      var best: (node: Int, choice: BlockChoice, bytes: Int)?
      var largestRatio = 0.0
      for place in blocks {
        let node = tree.nodes[place]
        guard case .truncated(let rank) = plan.choices[place], let spectrum = node.spectrum,
          rank < spectrum.values.count
        else { continue }
        var (choice, removed) = (BlockChoice.truncated(rank + 1), spectrum.values[rank])
        if node.allowsDense && bytes(.dense, node) <= bytes(choice, node) {
          (choice, removed) = (.dense, spectrum.tails[rank])
        }
        let more = bytes(choice, node) - bytes(plan.choices[place], node)
        guard plan.cost + more <= size else { continue }
        let ratio = more > 0 ? removed * removed / Double(more) : .infinity
        if ratio > largestRatio { (best, largestRatio) = ((place, choice, more), ratio) }
      }
      guard let best else { break }
      plan.choices[best.node] = best.choice
      plan.cost += best.bytes
    }
    // The errors of all blocks anew, from the leaves up.
    return evaluated(plan.choices)
  }
}
