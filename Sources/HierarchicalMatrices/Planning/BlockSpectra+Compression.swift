import BlockKernels

extension BlockSpectra {
  /// Compresses the matrix.
  ///
  /// An error bound near rounding is not trusted: the matrix stays dense then. What is made is compared with the
  /// matrix, by ``HierarchicalMatrix/verify(against:metric:)``.
  ///
  /// - Parameter options: The error or size.
  /// - Returns: The compressed matrix with its certificate.
  /// - Throws: ``HierarchicalMatrixError`` if the options cannot be used, or the error or the size is missed.
  public func compressed(
    _ options: CompressionOptions
  ) throws(HierarchicalMatrixError) -> HierarchicalMatrix {
    let (plan, bound) = try plan(options)
    var chosen = plan.blocks(of: tree)
    chosen.sort { first, second in
      let (a, b) = (blocks.nodes[first.node], blocks.nodes[second.node])
      return (a.rows.lowerBound, a.columns.lowerBound) < (b.rows.lowerBound, b.columns.lowerBound)
    }
    var errors = [Double](repeating: 0, count: blocks.nodes.count)
    var assembly = BlockAssembly()
    for (place, choice) in chosen {
      let node = blocks.nodes[place]
      let block = matrix.block(rows: node.rows, columns: node.columns)
      guard case .truncated(let rank) = choice else {
        assembly.addDense(block, rows: node.rows, columns: node.columns)
        continue
      }
      let data = dataParts.isEmpty ? nil : dataParts[node.columnCluster]
      let (left, right, tail) = try Self.truncate(block, rank: rank, data: data)
      errors[place] = tail
      assembly.addTruncated(
        left: left, right: right, rows: node.rows, columns: node.columns, error: tail)
    }
    let result = HierarchicalMatrix(
      rowOrder: partition.rows.order, columnOrder: partition.columns.order, assembly: assembly,
      metric: metric.kind, norm: norm, steps: [combined(plan, errors)])
    try check(result, options: options, bound: bound)
    return result
  }

  /// Truncates a block to U Vᵀ, whose columns are of equal lengths.
  ///
  /// In the metric of the entries, √σ stands in both factors. In that of data, A P S ≈ U_k Σ_k V_kᵀ gives the right
  /// factor as U_kᵀ A P Pᵀ: its numbers are no larger than those of A, which dividing by S could not promise.
  static func truncate(
    _ block: DenseMatrix, rank: Int, data: DataPart?
  ) throws(HierarchicalMatrixError) -> (left: DenseMatrix, right: DenseMatrix, error: Double) {
    let weighted = data?.weighted(block) ?? block
    let decomposition = try factored { () throws(LAPACKError) in
      try weighted.singularValueDecomposition()
    }
    let spectrum = BlockSpectrum(decomposition.values)
    let kept = min(rank, spectrum.values.count)
    let basis = decomposition.left.leadingColumns(kept)
    guard let data else {
      let roots = spectrum.values.prefix(kept).map { $0.squareRoot() }
      let right = decomposition.rightTransposed.block(rows: 0..<kept, columns: 0..<block.columns)
      return (
        basis.scaledColumns(roots), right.transposed.scaledColumns(roots), spectrum.tails[kept]
      )
    }
    let right = data.projected(basis.times(block, transposesLeft: true)).transposed
    let roots = (0..<kept).map { column in
      let numbers = right.elements[column * right.rows..<(column + 1) * right.rows]
      return sumOfSquares(Array(numbers)).squareRoot().squareRoot()
    }
    return (
      basis.scaledColumns(roots), right.scaledColumns(roots.map { $0 > 0 ? 1 / $0 : 0 }),
      spectrum.tails[kept]
    )
  }

  /// The error of the whole, from those of its blocks.
  private func combined(_ plan: BlockPlan, _ errors: [Double]) -> Double {
    var errors = errors
    for place in tree.nodes.indices.reversed() where plan.choices[place] == .parts {
      errors[place] = tree.combined(tree.nodes[place], errors)
    }
    return errors[0]
  }

  /// What the rounding of a decomposition and of its product may add to the error.
  var rounding: Double {
    (10 + Double(max(matrix.rows, matrix.columns)).squareRoot()) * Double.ulpOfOne * norm
  }

  /// Chooses blocks.
  ///
  /// - Returns: The choices, and the bound of the error that they promise; nil if a size was asked for.
  func plan(
    _ options: CompressionOptions
  ) throws(HierarchicalMatrixError) -> (plan: BlockPlan, bound: Double?) {
    try options.validate()
    let planner = BlockPlanner(tree: tree, blockBytes: 0)
    let error: Double
    switch options.target {
    case .numbers(let count):
      return (planner.closest(bytes: PlanTree.numberBytes * count), nil)
    case .bytes(let bytes):
      let orders = StorageCounts.orderBytes(
        rows: partition.rows.isNatural ? 0 : matrix.rows,
        columns: partition.columns.isNatural ? 0 : matrix.columns)
      guard bytes >= orders + StorageCounts.blockBytes else {
        throw HierarchicalMatrixError(
          .input, "\(bytes) bytes do not hold one block and the order of rows and columns")
      }
      let sized = BlockPlanner(tree: tree, blockBytes: StorageCounts.blockBytes)
      return (sized.closest(bytes: bytes - orders), nil)
    case .absolute(let bound): error = bound
    case .relative(let bound): error = bound * norm
    }
    // A truncation is only as good as its rounding.
    guard error > 2 * rounding || norm == 0 else { return (planner.dense(), error) }
    let usable = error - rounding
    let tree = tree
    let allowed: (PlanTree.Node) -> Double =
      options.share == .local ? { _ in usable } : { usable * tree.share(of: $0) }
    let plan =
      switch (options.rule, options.share) {
      case (.paper(let cap), _): planner.subdividing(rankCap: cap, error: allowed)
      case (.cost, .optimal): planner.smallest(error: usable)
      case (.cost, _): planner.cheapest(weight: 0) { $1.rank(error: allowed($0)) }
      }
    guard options.share == .local else { return (plan, error) }
    // Each truncated block may have the whole error.
    var errors = [Double](repeating: 0, count: tree.nodes.count)
    for (place, choice) in plan.blocks(of: tree) {
      if case .truncated = choice { errors[place] = error }
    }
    return (plan, combined(plan, errors))
  }

  /// Compares what was made with what was asked for.
  private func check(
    _ result: HierarchicalMatrix, options: CompressionOptions, bound: Double?
  ) throws(HierarchicalMatrixError) {
    let recomputed = try result.verify(againstOrdered: matrix, metric: metric)
    if let bound {
      guard result.certificate <= bound && recomputed <= bound else {
        throw HierarchicalMatrixError(
          .boundMissed,
          "the error is \(recomputed), certified as \(result.certificate), "
            + "but at most \(bound) was asked for")
      }
    }
    let size: (found: Int, most: Int)? =
      switch options.target {
      case .numbers(let count): (result.storage.numbers, count)
      case .bytes(let bytes): (result.bytes, bytes)
      case .absolute, .relative: nil
      }
    if let size, size.found > size.most {
      throw HierarchicalMatrixError(
        .boundMissed, "the size is \(size.found), but at most \(size.most) was asked for")
    }
  }
}
