import BlockKernels

/// Blocks and their numbers, put one behind the other.
struct BlockAssembly {
  /// The blocks.
  private(set) var blocks: [HierarchicalMatrix.Block] = []
  /// The numbers.
  var values: [Double] = []

  /// Where the numbers of the next block begin.
  var end: Int { blocks.last.map { $0.start + $0.count } ?? 0 }

  /// Adds a block whose numbers are there, or will be.
  mutating func add(_ block: HierarchicalMatrix.Block) { blocks.append(block) }

  /// Adds a dense block.
  mutating func addDense(_ block: DenseMatrix, rows: Range<Int>, columns: Range<Int>) {
    add(
      HierarchicalMatrix.Block(
        rows: rows, columns: columns, rank: nil, start: values.count, squaredError: 0))
    values += block.elements
  }

  /// Adds a block U Vᵀ with the error of its truncation.
  mutating func addTruncated(
    left: DenseMatrix, right: DenseMatrix, rows: Range<Int>, columns: Range<Int>, error: Double
  ) {
    add(
      HierarchicalMatrix.Block(
        rows: rows, columns: columns, rank: left.columns, start: values.count,
        squaredError: error * error))
    values += left.elements
    values += right.elements
  }
}
