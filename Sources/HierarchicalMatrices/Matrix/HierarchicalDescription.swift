/// A hierarchical matrix as flat arrays, as files hold it.
public struct HierarchicalDescription: Codable, Sendable, Equatable {
  /// The original row at each place.
  public var rowOrder: [Int32]
  /// The original column at each place.
  public var columnOrder: [Int32]
  /// Five numbers a block: first row, rows, first column, columns, rank; the rank of a dense block is −1.
  public var structure: [Int32]
  /// The sum of the squares of the dropped singular values of each block.
  public var squaredErrors: [Double]
  /// The numbers of all blocks.
  ///
  /// Dense: rows × columns, column-major. Of low rank: U, rows × rank, then V, columns × rank, column-major.
  public var values: [Double]
  /// The error of the construction, and that of each truncation since.
  public var steps: [Double]
  /// The norm of the matrix that was compressed.
  public var norm: Double
  /// What the certificate means.
  public var metric: CompressionMetric.Kind

  /// Describes a matrix.
  ///
  /// - Parameter matrix: The matrix.
  public init(_ matrix: HierarchicalMatrix) {
    rowOrder = matrix.rowOrder.map { Int32($0) }
    columnOrder = matrix.columnOrder.map { Int32($0) }
    structure = matrix.blocks.flatMap { block in
      [
        block.rows.lowerBound, block.rows.count, block.columns.lowerBound, block.columns.count,
        block.rank ?? -1,
      ].map { Int32($0) }
    }
    squaredErrors = matrix.blocks.map(\.squaredError)
    (values, steps, norm, metric) = (matrix.values, matrix.steps, matrix.norm, matrix.metric)
  }
}

extension HierarchicalMatrix {
  /// Takes over flat arrays.
  ///
  /// - Parameter description: The arrays.
  /// - Throws: ``HierarchicalMatrixError`` if an order is no permutation, the blocks do not cover every element exactly
  ///   once, there are more or fewer numbers than they need, or the certificate does not follow from the errors.
  public init(_ description: HierarchicalDescription) throws(HierarchicalMatrixError) {
    let rowOrder = try Self.permutation(description.rowOrder, "rows")
    let columnOrder = try Self.permutation(description.columnOrder, "columns")
    let structure = description.structure.map { Int($0) }
    guard structure.count == 5 * description.squaredErrors.count else {
      throw HierarchicalMatrixError(
        .description, "\(structure.count) numbers for \(description.squaredErrors.count) blocks")
    }
    var assembly = BlockAssembly(values: description.values)
    for (place, error) in description.squaredErrors.enumerated() {
      let numbers = structure[5 * place..<5 * place + 5].map { $0 }
      try assembly.addBlock(numbers, squaredError: error)
    }
    guard assembly.end == description.values.count else {
      throw HierarchicalMatrixError(
        .description, "\(description.values.count) numbers for blocks of \(assembly.end)")
    }
    guard description.values.allSatisfy(\.isFinite) else {
      throw HierarchicalMatrixError(.description, "a number of a block is not finite")
    }
    let (rows, columns) = (rowOrder.count, columnOrder.count)
    if let fault = Coverage.firstFault(of: assembly.blocks, rows: rows, columns: columns) {
      throw HierarchicalMatrixError(.description, fault)
    }
    try Self.checkCertificate(description)
    self.init(
      rowOrder: rowOrder, columnOrder: columnOrder, assembly: assembly,
      metric: description.metric, norm: description.norm, steps: description.steps)
  }

  private static func permutation(
    _ order: [Int32], _ name: String
  ) throws(HierarchicalMatrixError) -> [Int] {
    guard !order.isEmpty else {
      throw HierarchicalMatrixError(.description, "the order of \(name) is empty")
    }
    var isSeen = [Bool](repeating: false, count: order.count)
    for index in order {
      guard order.indices.contains(Int(index)), !isSeen[Int(index)] else {
        throw HierarchicalMatrixError(
          .description, "\(index) stands twice in the order of \(order.count) \(name), or is none")
      }
      isSeen[Int(index)] = true
    }
    return order.map { Int($0) }
  }

  /// Checks that the last step is what the blocks say that they dropped.
  private static func checkCertificate(
    _ description: HierarchicalDescription
  ) throws(HierarchicalMatrixError) {
    let numbers = description.steps + description.squaredErrors + [description.norm]
    guard let last = description.steps.last, numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw HierarchicalMatrixError(
        .description, "an error or the norm is missing, negative or not finite")
    }
    let dropped = description.squaredErrors.reduce(0, +).squareRoot()
    let rounding = 1e-12 * max(dropped, last)
    // In the metric of data errors of blocks side by side add, which is never less.
    guard last >= dropped - rounding, description.metric == .data || last <= dropped + rounding
    else {
      throw HierarchicalMatrixError(
        .description, "the blocks dropped \(dropped), but the certificate says \(last)")
    }
  }
}

extension BlockAssembly {
  /// Starts with numbers, of which blocks will take their parts.
  init(values: [Double]) { self.values = values }

  /// Adds a block that lies in the numbers behind the last one.
  ///
  /// - Parameters:
  ///   - numbers: First row, rows, first column, columns, rank.
  ///   - squaredError: The square of its error.
  /// - Throws: ``HierarchicalMatrixError`` if there is no such block.
  mutating func addBlock(
    _ numbers: [Int], squaredError: Double
  ) throws(HierarchicalMatrixError) {
    let (rows, columns, rank) = (numbers[1], numbers[3], numbers[4])
    guard rows > 0, columns > 0, numbers[0] >= 0, numbers[2] >= 0,
      (-1...min(rows, columns)).contains(rank)
    else {
      throw HierarchicalMatrixError(
        .description, "a block with first row, rows, first column, columns, rank \(numbers)")
    }
    guard rank >= 0 || squaredError == 0 else {
      throw HierarchicalMatrixError(.description, "a dense block with an error")
    }
    add(
      HierarchicalMatrix.Block(
        rows: numbers[0]..<numbers[0] + rows, columns: numbers[2]..<numbers[2] + columns,
        rank: rank < 0 ? nil : rank, start: end, squaredError: squaredError))
  }
}
