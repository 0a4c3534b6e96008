public import BlockKernels

/// The singular values of all blocks of a matrix, from which it is compressed to any error or size.
///
/// They are computed once; vectors only of the blocks that a compressed matrix consists of. Each block is a task of
/// its own, a function of its rows and columns alone.
public struct BlockSpectra: Sendable {
  /// The trees of rows and columns.
  public let partition: MatrixPartition
  /// What the error means.
  public let metric: CompressionMetric
  /// The norm of the matrix in the metric.
  public let norm: Double

  /// The matrix in the order of the trees.
  let matrix: DenseMatrix
  /// The blocks.
  let blocks: BlockTree
  /// The blocks with their singular values.
  let tree: PlanTree
  /// What the data of each cluster of columns do; empty in the metric of the entries.
  let dataParts: [DataPart]

  /// Computes the singular values of all blocks.
  ///
  /// - Parameters:
  ///   - matrix: The matrix A.
  ///   - partition: The trees of its rows and columns.
  ///   - metric: What the error means.
  /// - Throws: ``HierarchicalMatrixError`` if the trees or the metric do not fit, or a number is not finite.
  /// - Complexity: O(rows · columns · min(rows, columns)) operations, about twice those of the whole matrix alone.
  public init(
    _ matrix: DenseMatrix, partition: MatrixPartition, metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) {
    try self.init(matrix, partition: partition, metric: metric, root: nil)
  }

  /// Computes the singular values of all blocks but for those of the whole, if they are known.
  init(
    _ matrix: DenseMatrix, partition: MatrixPartition, metric: CompressionMetric,
    root: BlockSpectrum?
  ) throws(HierarchicalMatrixError) {
    guard matrix.rows == partition.rows.count && matrix.columns == partition.columns.count else {
      throw HierarchicalMatrixError(
        .input,
        "a matrix of \(matrix.rows)×\(matrix.columns) elements with trees of "
          + "\(partition.rows.count) rows and \(partition.columns.count) columns")
    }
    try matrix.checkRange("the matrix")
    if case .data(let data) = metric {
      guard data.inputs == matrix.columns else {
        throw HierarchicalMatrixError(
          .input, "data of \(data.inputs) inputs for a matrix of \(matrix.columns) columns")
      }
      try matrix.times(data.factor).checkRange("the outputs of the data")
    }
    self.partition = partition
    self.metric = metric
    self.matrix = matrix.ordered(partition.rows.order, partition.columns.order)
    blocks = BlockTree(partition)
    dataParts = try Self.dataParts(metric, columns: partition.columns)
    var nodes: [PlanTree.Node] = []
    nodes.reserveCapacity(blocks.nodes.count)
    for (place, node) in blocks.nodes.enumerated() {
      let spectrum: BlockSpectrum
      if let root, place == 0 {
        spectrum = root
      } else {
        spectrum = try Self.spectrum(of: node, matrix: self.matrix, dataParts: dataParts)
      }
      nodes.append(
        PlanTree.Node(
          rows: node.rows.count, columns: node.columns.count, spectrum: spectrum,
          parts: node.parts, columnParts: node.columnParts))
    }
    tree = PlanTree(nodes: nodes, addsAcross: metric.kind == .data)
    norm = metric.kind == .data ? nodes[0].spectrum?.tails[0] ?? 0 : matrix.frobeniusNorm
  }

  /// What a matrix compressed so would hold, without its vectors.
  ///
  /// - Parameter options: The error or size.
  /// - Returns: The counts, and the bound of the error.
  /// - Throws: ``HierarchicalMatrixError`` if the options cannot be used.
  public func counts(
    _ options: CompressionOptions
  ) throws(HierarchicalMatrixError) -> (storage: StorageCounts, error: Double) {
    let (plan, _) = try plan(options)
    var counts = StorageCounts()
    for (place, choice) in plan.blocks(of: tree) {
      let node = tree.nodes[place]
      switch choice {
      case .truncated(let rank): counts.addBlock(node.rows, node.columns, rank: rank)
      case .dense, .parts: counts.addBlock(node.rows, node.columns, rank: nil)
      }
    }
    return (counts, plan.error)
  }

  /// The data of the clusters of columns.
  private static func dataParts(
    _ metric: CompressionMetric, columns: IndexTree
  ) throws(HierarchicalMatrixError) -> [DataPart] {
    guard case .data(let data) = metric else { return [] }
    var parts: [DataPart] = []
    for range in columns.ranges { parts.append(try data.part(columns.order[range])) }
    return parts
  }

  /// The singular values of one block in the metric.
  private static func spectrum(
    of node: BlockTree.Node, matrix: DenseMatrix, dataParts: [DataPart]
  ) throws(HierarchicalMatrixError) -> BlockSpectrum {
    let block = matrix.block(rows: node.rows, columns: node.columns)
    return try BlockSpectrum(
      of: dataParts.isEmpty ? block : dataParts[node.columnCluster].weighted(block))
  }
}
