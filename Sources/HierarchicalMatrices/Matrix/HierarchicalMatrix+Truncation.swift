import BlockKernels

extension HierarchicalMatrix {
  /// Truncates the blocks of low rank anew, as after training has changed their factors.
  ///
  /// The blocks stay; their ranks follow from the singular values that they have now, √σ stands in both factors, and a
  /// block that is cheaper dense becomes dense. The error is added to the certificate.
  ///
  /// - Parameter options: The error of this step alone, in parts of the norm of H if it is relative, or the size.
  /// - Returns: The truncated matrix; this one if the error is near rounding.
  /// - Throws: ``HierarchicalMatrixError`` if the certificate is in the metric of data, of which nothing is kept, the
  ///   options cannot be used, or the size cannot be met.
  public func truncated(
    _ options: CompressionOptions
  ) throws(HierarchicalMatrixError) -> HierarchicalMatrix {
    try options.validate()
    guard metric == .entries else {
      throw HierarchicalMatrixError(
        .input, "a certificate in the metric of data cannot be continued: compress the matrix anew")
    }
    guard options.rule == .cost else {
      throw HierarchicalMatrixError(
        .input, "the blocks stay as they are: only their costs can choose ranks")
    }
    var factored: [FactoredBlock?] = []
    for block in blocks {
      guard let rank = block.rank else {
        factored.append(nil)
        continue
      }
      let (left, right) = factors(block, rank: rank)
      factored.append(try FactoredBlock(left, right))
    }
    let norm = norm(of: factored)
    guard let (plan, bound) = try plan(options, factored, norm: norm) else { return self }
    var assembly = BlockAssembly()
    for (place, block) in blocks.enumerated() {
      guard case .truncated(let rank) = plan.choices[place + 1], let factors = factored[place]
      else {
        assembly.addDense(expanded(block), rows: block.rows, columns: block.columns)
        continue
      }
      let (left, right) = factors.truncated(rank)
      assembly.addTruncated(
        left: left, right: right, rows: block.rows, columns: block.columns,
        error: factors.spectrum.tails[rank])
    }
    let error = assembly.blocks.reduce(0) { $0 + $1.squaredError }.squareRoot()
    let result = HierarchicalMatrix(
      rowOrder: rowOrder, columnOrder: columnOrder, assembly: assembly, metric: metric,
      norm: norm, steps: steps + [error])
    if let bound, error > bound {
      throw HierarchicalMatrixError(
        .boundMissed, "the truncation has the error \(error), but at most \(bound) was asked for")
    }
    return result
  }

  /// ‖H‖_F, of the blocks.
  private func norm(of factored: [FactoredBlock?]) -> Double {
    var sum = 0.0
    for (block, factors) in zip(blocks, factored) {
      let norm = factors?.spectrum.tails[0] ?? dense(block).frobeniusNorm
      sum += norm * norm
    }
    return sum.squareRoot()
  }

  /// Chooses ranks.
  ///
  /// - Returns: The choices, the whole before the blocks, and the bound that they promise; nil if the error asked for
  ///   is near rounding.
  private func plan(
    _ options: CompressionOptions, _ factored: [FactoredBlock?], norm: Double
  ) throws(HierarchicalMatrixError) -> (plan: BlockPlan, bound: Double?)? {
    var nodes = [
      PlanTree.Node(
        rows: rows, columns: columns, spectrum: nil, parts: 1..<blocks.count + 1,
        allowsDense: false)
    ]
    for (block, factors) in zip(blocks, factored) {
      nodes.append(
        PlanTree.Node(
          rows: block.rows.count, columns: block.columns.count, spectrum: factors?.spectrum))
    }
    let tree = PlanTree(nodes: nodes, addsAcross: false)
    let planner = BlockPlanner(tree: tree, blockBytes: 0)
    let error: Double
    switch options.target {
    case .numbers, .bytes:
      var size = 0
      if case .numbers(let count) = options.target { size = PlanTree.numberBytes * count }
      if case .bytes(let count) = options.target {
        size = count - (bytes - PlanTree.numberBytes * numbers)
      }
      let plan = planner.closest(bytes: size)
      guard plan.cost <= size else {
        throw HierarchicalMatrixError(
          .boundMissed, "the blocks need \(plan.cost) bytes for their numbers, of \(max(size, 0))")
      }
      return (plan, nil)
    case .absolute(let bound): error = bound
    case .relative(let bound): error = bound * norm
    }
    let rounding =
      (10 + Double(max(rows, columns)).squareRoot()) * Double.ulpOfOne * norm
    guard error > 2 * rounding || norm == 0 else { return nil }
    switch options.share {
    case .optimal: return (planner.smallest(error: error), error)
    case .share:
      return (planner.cheapest(weight: 0) { $1.rank(error: error * tree.share(of: $0)) }, error)
    case .local:
      let plan = planner.cheapest(weight: 0) { $1.rank(error: error) }
      let count = plan.choices.dropFirst().count { $0 != .dense }
      return (plan, error * Double(count).squareRoot())
    }
  }
}
