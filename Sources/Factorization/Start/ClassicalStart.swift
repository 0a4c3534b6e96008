import BlockKernels
import ClusterTrees
import OperatorNetworks

/// A triangular matrix in the structure of a factor, by nested singular value decompositions.
///
/// Leaf by leaf, then level by level, the far parts of block rows and of block columns are replaced by their best bases;
/// those of a parent are sought within what its children kept.
struct ClassicalStart {
  private let blocks: FactorBlocks
  private let triangle: BlockTriangle
  /// For each leaf a matrix from the left by which rows are divided before their bases are sought; nil for none.
  private let scaling: [DenseMatrix]?

  /// Truncates a triangular matrix.
  ///
  /// - Parameters:
  ///   - triangle: The matrix.
  ///   - blocks: The blocks of the factor.
  ///   - isScaled: Whether bases of rows are sought for L_ii⁻¹ L_ij instead of L_ij.
  ///   - parameters: Those of the factor are set.
  /// - Throws: `LAPACKError` if singular values do not converge, or a diagonal block is singular.
  static func truncate(
    _ triangle: BlockTriangle, _ blocks: FactorBlocks, isScaled: Bool,
    into parameters: AlignedBuffer<Double>
  ) throws(LAPACKError) {
    var scaling: [DenseMatrix]?
    if isScaled {
      scaling = []
      for leaf in 0..<triangle.structure.leafCount { scaling?.append(triangle.diagonal(leaf)) }
    }
    let start = ClassicalStart(blocks: blocks, triangle: triangle, scaling: scaling)
    var span = parameters.mutableSpan
    start.setDense(&span)
    try start.setBases(&span)
  }

  private var structure: FactorStructure { blocks.structure }
  private var tree: ClusterTree { structure.tree }

  /// Copies the blocks that stand by themselves.
  private func setDense(_ parameters: inout MutableSpan<Double>) {
    for leaf in 0..<triangle.structure.leafCount {
      blocks.diagonal.set(leaf, 0, triangle.diagonal(leaf), &parameters)
    }
    guard let near = blocks.near else { return }
    let lists = structure.near
    triangle.visit(where: { lists.entry($0, $1) != nil }) { row, column, block in
      guard let entry = lists.entry(row, column) else { return }
      near.set(row, entry, block, &parameters)
    }
  }

  /// Finds the bases and what is between them.
  private func setBases(_ parameters: inout MutableSpan<Double>) throws(LAPACKError) {
    guard let coarsest = structure.coarsest else { return }
    let (leaves, count) = (tree.levels, tree.boxCount(level: tree.levels))
    var (rows, columns) = try farBlocks()
    let sizes = (0..<count).map { triangle.structure.size($0) }
    // The basis of V for each leaf, on the way up that of the box above it.
    var columnBases = try columns.compress(to: structure.channels[leaves], sizes: sizes)
    var rowBases = try rows.compress(to: structure.channels[leaves], sizes: sizes)
    for leaf in 0..<count {
      blocks.leafRestriction?.set(leaf, 0, columnBases[leaf].transposed, &parameters)
      let basis = scaling.map { $0[leaf].times(rowBases[leaf]) } ?? rowBases[leaf]
      blocks.leafInterpolation?.set(leaf, 0, basis, &parameters)
    }
    for level in stride(from: leaves, through: coarsest, by: -1) {
      setBridges(level, rows, columnBases, &parameters)
      guard level > coarsest else { break }
      let channels = (structure.channels[level], structure.channels[level - 1])
      rows = rows.joined(arity: tree.arity, level: level, count: channels.0)
      columns = columns.joined(arity: tree.arity, level: level, count: channels.0)
      let stacked = [Int](
        repeating: tree.arity * channels.0, count: tree.boxCount(level: level - 1))
      rowBases = try rows.compress(to: channels.1, sizes: stacked)
      let transfers = try columns.compress(to: channels.1, sizes: stacked)
      for parent in 0..<tree.boxCount(level: level - 1) {
        for child in 0..<tree.arity {
          let part = child * channels.0..<(child + 1) * channels.0
          blocks.interpolations[level - 1]?.set(
            parent * tree.arity + child, 0, rowBases[parent].block(part, 0..<channels.1),
            &parameters)
          blocks.restrictions[level - 1]?.set(
            parent, child, transfers[parent].block(part, 0..<channels.1).transposed, &parameters)
        }
      }
      // The basis of a leaf's part of a box.
      var power = 1
      for _ in level..<leaves { power *= tree.arity }
      for leaf in 0..<count {
        let box = leaf / power
        let part = box % tree.arity * channels.0
        columnBases[leaf] = columnBases[leaf].times(
          transfers[box / tree.arity].block(part..<part + channels.0, 0..<channels.1))
      }
    }
  }

  /// Sets S_ab = U_aᵀ L_ab V_b on a level.
  private func setBridges(
    _ level: Int, _ rows: FarBlocks, _ columnBases: [DenseMatrix],
    _ parameters: inout MutableSpan<Double>
  ) {
    guard let bridge = blocks.bridges[level] else { return }
    let leavesOfBox = tree.boxCount(level: tree.levels - level)
    let channels = structure.channels[level]
    for box in rows.boxes.indices {
      var sums: [Int: DenseMatrix] = [:]
      for block in rows.boxes[box] where Int(block.level) == level {
        let source = Int(block.leaf) / leavesOfBox
        var sum = sums[source] ?? DenseMatrix(rows: channels, columns: channels)
        sum.add(block.matrix, times: columnBases[Int(block.leaf)])
        sums[source] = sum
      }
      for (source, sum) in sums {
        guard let entry = structure.far[level].entry(box, source) else { continue }
        bridge.set(box, entry, sum, &parameters)
      }
    }
  }

  /// Returns the far blocks of the leaves: their rows, and their columns transposed.
  private func farBlocks() throws(LAPACKError) -> (rows: FarBlocks, columns: FarBlocks) {
    let count = triangle.structure.leafCount
    var (rows, columns) = (
      [[FarBlocks.Block]](repeating: [], count: count),
      [[FarBlocks.Block]](repeating: [], count: count)
    )
    let inverses = try scaling?.map { (block) throws(LAPACKError) in try block.inverse() }
    triangle.visit { row, column, block in
      guard let level = structure.coveringLevel(row, column) else { return }
      let scaled = inverses.map { $0[row].times(block) } ?? block
      rows[row].append(
        FarBlocks.Block(leaf: Int32(column), level: Int8(level), matrix: scaled))
      columns[column].append(
        FarBlocks.Block(leaf: Int32(row), level: Int8(level), matrix: scaled.transposed))
    }
    return (FarBlocks(boxes: rows), FarBlocks(boxes: columns))
  }
}

extension BoxLists {
  /// Returns the place of a source in the ascending list of a target; nil if it is not there.
  func entry(_ target: Int, _ source: Int) -> Int? {
    var (low, high) = (offsets[target], offsets[target + 1])
    while low < high {
      let middle = (low + high) / 2
      if indices[middle] < Int32(source) { low = middle + 1 } else { high = middle }
    }
    let isThere = low < offsets[target + 1] && indices[low] == Int32(source)
    return isThere ? low - offsets[target] : nil
  }
}
