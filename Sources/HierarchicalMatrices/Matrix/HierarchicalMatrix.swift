public import BlockKernels

/// A dense matrix as a partition into dense blocks and blocks of low rank, with a certificate of its error.
///
/// The blocks cover every element exactly once, in orders of the rows and columns of their own. Products are those of
/// the matrix in its original order.
public struct HierarchicalMatrix: CompressedMatrix, Equatable {
  /// A block: all of its numbers, or U Vᵀ.
  public struct Block: Sendable, Equatable {
    /// The places of its rows in the order of rows.
    public let rows: Range<Int>
    /// The places of its columns in the order of columns.
    public let columns: Range<Int>
    /// The columns of U and V; nil if the block is dense.
    public let rank: Int?
    /// Where its numbers begin in the values: rows × columns of them, or U (rows × rank) and V (columns × rank), all
    /// column-major.
    public let start: Int
    /// The sum of the squares of the singular values that were dropped when it was truncated last.
    public let squaredError: Double

    /// The number of its numbers.
    public var count: Int {
      rank.map { $0 * (rows.count + columns.count) } ?? rows.count * columns.count
    }
  }

  /// The original row at each place.
  public let rowOrder: [Int]
  /// The original column at each place.
  public let columnOrder: [Int]
  /// The blocks, by their first row, then by their first column.
  public let blocks: [Block]
  /// The numbers of all blocks, one block behind the other.
  public private(set) var values: [Double]
  /// What the certificate means.
  public let metric: CompressionMetric.Kind
  /// The norm of the matrix that was compressed, in the metric.
  public let norm: Double
  /// The error of the construction, and that of each truncation since.
  public let steps: [Double]

  /// The number of rows.
  public var rows: Int { rowOrder.count }
  /// The number of columns.
  public var columns: Int { columnOrder.count }
  /// The stored numbers.
  public var numbers: Int { values.count }

  /// The largest distance of the matrix A that it was made of.
  ///
  /// After the construction ‖A − H‖_F² is the sum of the squares of all dropped singular values, and this is the root
  /// of it. In the metric of data it is a bound: errors of blocks side by side are added. Every later truncation adds
  /// its error, as the triangle inequality asks for.
  public var certificate: Double { steps.reduce(0, +) }

  /// What is stored.
  public var storage: StorageCounts {
    var counts = StorageCounts()
    for block in blocks { counts.addBlock(block.rows.count, block.columns.count, rank: block.rank) }
    return counts
  }

  /// The bytes of the numbers, the description of the blocks and orders that are not natural.
  public var bytes: Int {
    PlanTree.numberBytes * numbers + StorageCounts.blockBytes * blocks.count
      + StorageCounts.orderBytes(
        rows: Self.isNatural(rowOrder) ? 0 : rows,
        columns: Self.isNatural(columnOrder) ? 0 : columns)
  }

  /// Compresses a matrix.
  ///
  /// To compress one matrix several times, keep its ``BlockSpectra``.
  ///
  /// - Parameters:
  ///   - matrix: The matrix.
  ///   - partition: The trees of its rows and columns.
  ///   - options: The error or size.
  ///   - metric: What the error means.
  /// - Throws: ``HierarchicalMatrixError`` if the input cannot be used, or the error or the size is missed.
  public init(
    compressing matrix: DenseMatrix, partition: MatrixPartition, _ options: CompressionOptions,
    metric: CompressionMetric = .entries
  ) throws(HierarchicalMatrixError) {
    self = try BlockSpectra(matrix, partition: partition, metric: metric).compressed(options)
  }

  /// Makes a matrix of blocks that cover it.
  init(
    rowOrder: [Int], columnOrder: [Int], assembly: BlockAssembly,
    metric: CompressionMetric.Kind, norm: Double, steps: [Double]
  ) {
    (self.rowOrder, self.columnOrder) = (rowOrder, columnOrder)
    (blocks, values) = (assembly.blocks, assembly.values)
    (self.metric, self.norm, self.steps) = (metric, norm, steps)
    let fault = Coverage.firstFault(of: blocks, rows: rows, columns: columns)
    precondition(fault == nil, fault ?? "")
  }

  /// Makes the matrix that other numbers in the same blocks give, as training changes them.
  ///
  /// The certificate stays: H + δ is as far from A + δ as H is from A.
  ///
  /// - Parameter values: The numbers, as many as there are.
  /// - Returns: The changed matrix.
  /// - Throws: ``HierarchicalMatrixError`` if their number is another one, or one is not finite.
  public func replacing(values: [Double]) throws(HierarchicalMatrixError) -> HierarchicalMatrix {
    guard values.count == self.values.count else {
      throw HierarchicalMatrixError(
        .input, "\(values.count) numbers for blocks of \(self.values.count)")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw HierarchicalMatrixError(.input, "a number of the changed matrix is not finite")
    }
    var result = self
    result.values = values
    return result
  }

  static func isNatural(_ order: [Int]) -> Bool { order.indices.allSatisfy { order[$0] == $0 } }

  /// The numbers of a dense block.
  func dense(_ block: Block) -> DenseMatrix {
    DenseMatrix(
      rows: block.rows.count, columns: block.columns.count,
      elements: Array(values[block.start..<block.start + block.count]))
  }

  /// The factors of a block of low rank.
  func factors(_ block: Block, rank: Int) -> (left: DenseMatrix, right: DenseMatrix) {
    let middle = block.start + block.rows.count * rank
    return (
      DenseMatrix(
        rows: block.rows.count, columns: rank, elements: Array(values[block.start..<middle])),
      DenseMatrix(
        rows: block.columns.count, columns: rank,
        elements: Array(values[middle..<block.start + block.count]))
    )
  }

  /// All numbers of a block.
  func expanded(_ block: Block) -> DenseMatrix {
    guard let rank = block.rank else { return dense(block) }
    let (left, right) = factors(block, rank: rank)
    return left.times(right, transposesRight: true)
  }
}
