/// Chooses blocks for an error or a size.
struct BlockPlanner {
  /// What there is to choose from.
  let tree: PlanTree
  /// The bytes that the description of a block counts.
  let blockBytes: Int

  /// Chooses the cheapest of truncated block, dense block and parts, from the leaves up.
  ///
  /// - Parameters:
  ///   - weight: The bytes that a squared error of one is worth.
  ///   - rank: The rank to which a block would be truncated.
  /// - Returns: The choices.
  func cheapest(weight: Double, rank: (PlanTree.Node, BlockSpectrum) -> Int) -> BlockPlan {
    plan { node, partCost, partSquares, _ in
      var best = (choice: BlockChoice.parts, value: Double.infinity)
      if let spectrum = node.spectrum {
        let kept = rank(node, spectrum)
        let error = spectrum.tails[kept]
        best = (
          .truncated(kept), Double(bytes(.truncated(kept), node)) + weight * error * error
        )
      }
      let dense = Double(bytes(.dense, node))
      if node.allowsDense && dense <= best.value { best = (.dense, dense) }
      guard !node.parts.isEmpty, Double(partCost) + weight * partSquares < best.value else {
        return best.choice
      }
      return .parts
    }
  }

  /// Cuts blocks while the rank for an error exceeds a bound; a leaf is dense then.
  func subdividing(rankCap: Int, error: (PlanTree.Node) -> Double) -> BlockPlan {
    plan { node, _, _, _ in
      if let spectrum = node.spectrum {
        let rank = spectrum.rank(error: error(node))
        if rank <= rankCap { return .truncated(rank) }
      }
      return node.parts.isEmpty ? .dense : .parts
    }
  }

  /// The whole as one dense block, or as dense as its blocks can be.
  func dense() -> BlockPlan {
    plan { node, _, _, _ in
      if node.allowsDense { return .dense }
      return .parts
    }
  }

  /// The whole as one block, truncated or dense; nil if it cannot be one.
  func single(_ rank: (BlockSpectrum) -> Int) -> BlockPlan? {
    guard let spectrum = tree.nodes[0].spectrum else { return nil }
    let kept = rank(spectrum)
    return plan { node, _, _, _ in
      bytes(.dense, node) <= bytes(.truncated(kept), node)
        ? .dense : .truncated(min(kept, node.spectrum?.values.count ?? 0))
    }
  }

  /// The bytes of a block that is not cut.
  func bytes(_ choice: BlockChoice, _ node: PlanTree.Node) -> Int {
    switch choice {
    case .truncated(let rank): rank * rankBytes(node) + blockBytes
    case .dense: PlanTree.numberBytes * node.rows * node.columns + blockBytes
    case .parts: 0
    }
  }

  /// The bytes of one more rank.
  func rankBytes(_ node: PlanTree.Node) -> Int {
    PlanTree.numberBytes * (node.rows + node.columns)
  }

  /// The bytes and the error of some choices.
  func evaluated(_ choices: [BlockChoice]) -> BlockPlan { plan(choices) { $3 } }

  /// Goes through the blocks from the leaves up.
  private func plan(
    _ given: [BlockChoice]? = nil,
    _ choose: (PlanTree.Node, _ partCost: Int, _ partSquares: Double, BlockChoice) -> BlockChoice
  ) -> BlockPlan {
    let count = tree.nodes.count
    var choices = given ?? [BlockChoice](repeating: .dense, count: count)
    var costs = [Int](repeating: 0, count: count)
    var squares = [Double](repeating: 0, count: count)
    var errors = [Double](repeating: 0, count: count)
    for place in (0..<count).reversed() {
      let node = tree.nodes[place]
      var (partCost, partSquares) = (0, 0.0)
      for part in node.parts {
        partCost += costs[part]
        partSquares += squares[part]
      }
      choices[place] = choose(node, partCost, partSquares, choices[place])
      switch choices[place] {
      case .truncated(let rank):
        errors[place] = node.spectrum?.tails[rank] ?? 0
        squares[place] = errors[place] * errors[place]
        costs[place] = bytes(choices[place], node)
      case .dense:
        costs[place] = bytes(.dense, node)
      case .parts:
        costs[place] = partCost
        squares[place] = partSquares
        errors[place] = tree.combined(node, errors)
      }
    }
    return BlockPlan(choices: choices, cost: costs[0], error: errors[0])
  }
}
