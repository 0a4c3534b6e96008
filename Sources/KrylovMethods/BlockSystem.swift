internal import BlockKernels
internal import MessagePassing

/// What all methods share about the system A X = B of one solve: sizes, norms, applications, and reports.
///
/// Residuals are held multiplied by a power of two, one for each column, so that the squares of the elements of b
/// neither overflow nor vanish.
final class BlockSystem {
  /// The rows of this rank.
  let rows: Int
  /// The rows of all ranks.
  let total: Int
  /// The rows of the rank that holds most.
  let largestRows: Int
  /// The number of columns.
  let columns: Int
  /// Where ‖r‖/‖b‖ may stop.
  let tolerance: Double
  /// For each column: the power of two by which residuals are multiplied.
  private(set) var scales: [Double]
  /// For each column: the norm of b, scaled.
  private(set) var norms: [Double]
  /// For each column: whether the iteration goes on.
  private(set) var isActive: [Bool]
  /// What will be returned.
  var report: KrylovReport
  /// The inner products.
  var products: BlockProducts
  private let operation: any BlockOperator
  private let preconditioner: (any BlockOperator)?

  /// Agrees on the sizes.
  ///
  /// Collective.
  ///
  /// - Throws: `RunError` (64) if ranks have other numbers of columns or there are too many unknowns, `MPIError`.
  init(
    _ operation: any BlockOperator, preconditioner: (any BlockOperator)?, columns: Int,
    rightHandSides: Int, solution: Int, options: KrylovOptions, on ranks: borrowing Communicator
  ) throws {
    try options.validate()
    rows = operation.rowCount
    precondition(
      rows >= 0 && columns >= 0 && rightHandSides == rows * columns && solution == rows * columns
        && (preconditioner?.rowCount ?? rows) == rows,
      "\(columns) columns of \(rows) rows: right-hand sides \(rightHandSides), solution \(solution), "
        + "preconditioner \(preconditioner?.rowCount ?? rows)")
    (self.operation, self.preconditioner) = (operation, preconditioner)
    self.columns = columns
    tolerance = options.tolerance
    var sizes = [rows, columns, -columns]
    var span = sizes.mutableSpan
    try ranks.allReduce(.max, &span)
    largestRows = sizes[0]
    guard sizes[1] == -sizes[2] else {
      throw RunError.usage("some ranks have \(-sizes[2]) right-hand sides, others \(sizes[1])")
    }
    total = try ranks.allReduce(.sum, rows)
    guard total < 1 << 30 else {
      throw RunError.usage("\(total) unknowns; inner products are exact below \(1 << 30)")
    }
    products = BlockProducts(total: total, capacity: columns)
    scales = [Double](repeating: 1, count: columns)
    norms = [Double](repeating: 0, count: columns)
    isActive = [Bool](repeating: true, count: columns)
    var column = ColumnReport()
    column.history.reserveCapacity(min(options.iterationLimit, 1000) + 1)
    report = KrylovReport(columns: [ColumnReport](repeating: column, count: columns))
    for c in 0..<columns {
      report.columns[c].history.reserveCapacity(min(options.iterationLimit, 1000) + 1)
    }
  }

  /// Whether there is a preconditioner.
  var isPreconditioned: Bool { preconditioner != nil }
  /// Whether any column goes on.
  var hasActive: Bool { isActive.contains(true) }
  /// The place of a column in a block.
  func range(_ column: Int) -> Range<Int> { column * rows..<(column + 1) * rows }

  // MARK: Applications

  /// Applies A; an error of one rank fails all.
  ///
  /// Collective.
  func apply(
    _ vectors: AlignedBuffer<Double>, into results: AlignedBuffer<Double>,
    on ranks: borrowing Communicator
  ) throws {
    let vectors = vectors.span
    try apply(vectors, into: results, on: ranks)
  }

  /// Applies A; an error of one rank fails all.
  ///
  /// Collective.
  func apply(
    _ vectors: Span<Double>, into results: AlignedBuffer<Double>,
    on ranks: borrowing Communicator
  ) throws {
    report.operatorApplications += 1
    try Self.apply(operation, vectors, into: results, columns: columns, on: ranks)
  }

  /// Applies M⁻¹, which without a preconditioner is a copy; an error of one rank fails all.
  ///
  /// Collective.
  func applyPreconditioner(
    _ vectors: AlignedBuffer<Double>, into results: AlignedBuffer<Double>,
    on ranks: borrowing Communicator
  ) throws {
    guard let preconditioner else {
      results.copy(from: vectors, at: 0, to: 0..<rows * columns)
      return
    }
    report.preconditionerApplications += 1
    let vectors = vectors.span
    try Self.apply(preconditioner, vectors, into: results, columns: columns, on: ranks)
  }

  private static func apply(
    _ operation: any BlockOperator, _ vectors: Span<Double>, into results: AlignedBuffer<Double>,
    columns: Int, on ranks: borrowing Communicator
  ) throws {
    var failure: (any Error)?
    do {
      var results = results.mutableSpan
      try operation.apply(vectors, into: &results, columns: columns, on: ranks)
    } catch {
      failure = error
    }
    // A rank that has failed would leave the others in the next reduction.
    try ranks.agree { if let failure { throw failure } }
  }

  // MARK: Residuals

  /// Sets the start, computes its residuals, and ends the columns that need no iteration.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - solution: X; zero afterwards unless it is the start.
  ///   - rightHandSides: B.
  ///   - residual: Becomes the scaled residuals.
  ///   - startsFromSolution: Whether X is the start.
  ///   - ranks: The ranks.
  /// - Returns: The norms of the scaled residuals.
  /// - Throws: What A throws, `MPIError`.
  func start(
    _ solution: inout MutableSpan<Double>, _ rightHandSides: Span<Double>,
    residual: AlignedBuffer<Double>, startsFromSolution: Bool, on ranks: borrowing Communicator
  ) throws -> [Double] {
    try scale(rightHandSides, on: ranks)
    for c in 0..<columns {
      VectorKernels.multiply(rightHandSides, by: scales[c], into: residual, in: range(c))
    }
    norms = try residualNorms(residual, on: ranks)
    for c in 0..<columns where norms[c] == 0 || !norms[c].isFinite || !startsFromSolution {
      VectorKernels.clear(&solution, in: range(c))
    }
    var found = norms
    if startsFromSolution {
      found = try trueResiduals(solution.span, rightHandSides, into: residual, on: ranks)
    }
    for c in 0..<columns {
      let relative = norms[c] == 0 ? 0 : found[c] / norms[c]
      report.columns[c].history.append(relative)
      report.columns[c].estimatedResidual = relative
      if !relative.isFinite {
        end(c, .breakdown(.notFinite))
      } else if relative <= tolerance {
        end(c, .converged)
      }
      if !isActive[c] { clear(c, of: residual) }
    }
    return found
  }

  /// Computes the scaled residuals of a solution and their norms.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - solution: X.
  ///   - rightHandSides: B.
  ///   - residual: Becomes the residuals.
  ///   - ranks: The ranks.
  /// - Returns: The norms.
  /// - Throws: What A throws, `MPIError`.
  func trueResiduals(
    _ solution: Span<Double>, _ rightHandSides: Span<Double>, into residual: AlignedBuffer<Double>,
    on ranks: borrowing Communicator
  ) throws -> [Double] {
    try apply(solution, into: residual, on: ranks)
    for c in 0..<columns {
      VectorKernels.subtract(
        from: rightHandSides, times: scales[c], residual, in: range(c))
    }
    return try residualNorms(residual, on: ranks)
  }

  /// Recomputes the residuals in the end and completes the reports.
  ///
  /// Collective.
  func finish(
    _ solution: Span<Double>, _ rightHandSides: Span<Double>, scratch: AlignedBuffer<Double>,
    on ranks: borrowing Communicator
  ) throws -> KrylovReport {
    let needsProduct = (0..<columns).contains { norms[$0] > 0 }
    guard needsProduct else {
      for c in 0..<columns { report.columns[c].trueResidual = norms[c] }
      return report
    }
    complete(try trueResiduals(solution, rightHandSides, into: scratch, on: ranks))
    return report
  }

  /// Completes the reports with the norms of the true residuals.
  func complete(_ residuals: [Double]) {
    for c in 0..<columns {
      let relative = norms[c] == 0 ? 0 : residuals[c] / norms[c]
      report.columns[c].trueResidual = relative
      guard report.columns[c].ending == .converged else { continue }
      if !relative.isFinite {
        report.columns[c].ending = .breakdown(.notFinite)
      } else if !isReached(relative) {
        report.columns[c].ending = .stagnation
      }
    }
  }

  /// Whether a true residual, relative, confirms what the method estimates.
  func isReached(_ relative: Double) -> Bool { relative <= 10 * tolerance }

  // MARK: Columns

  /// Notes an iteration of a column.
  ///
  /// - Parameters:
  ///   - column: The column.
  ///   - residual: The norm of its scaled residual.
  func note(_ column: Int, residual: Double) {
    let relative = residual / norms[column]
    report.columns[column].iterations += 1
    report.columns[column].estimatedResidual = relative
    report.columns[column].history.append(relative)
  }

  /// Reports the residual of some iterations ago, of which nothing was taken.
  func retreat(_ column: Int, by iterations: Int) {
    let history = report.columns[column].history
    report.columns[column].estimatedResidual = history[history.count - 1 - iterations]
  }

  /// Ends the iteration of a column.
  func end(_ column: Int, _ ending: KrylovEnding) {
    isActive[column] = false
    report.columns[column].ending = ending
  }

  /// Lets a column go on whose true residual is too large.
  func resume(_ column: Int) { isActive[column] = true }

  /// Ends all columns that are left at the limit of iterations.
  func endActive() {
    for c in 0..<columns where isActive[c] { end(c, .iterationLimit) }
  }

  /// Sets a column of a block to zero.
  func clear(_ column: Int, of block: AlignedBuffer<Double>) {
    var block = block.mutableSpan
    VectorKernels.clear(&block, in: range(column))
  }

  /// Finds the powers of two that bring the largest element of each b near one.
  private func scale(_ rightHandSides: Span<Double>, on ranks: borrowing Communicator) throws {
    var bits = [Int](repeating: 0, count: columns)
    for c in 0..<columns {
      for i in range(c) {
        // Bits of numbers that are not negative are ordered like the numbers, NaN above infinity.
        let own = rightHandSides[i].magnitude.bitPattern
        bits[c] = max(bits[c], Int(bitPattern: UInt(own)))
      }
    }
    guard columns > 0 else { return }
    var span = bits.mutableSpan
    try ranks.allReduce(.max, &span)
    for c in 0..<columns {
      let largest = Double(bitPattern: UInt64(UInt(bitPattern: bits[c])))
      guard largest > 0, largest.isFinite else { continue }
      let exponent = min(max(-Int(largest.exponent), -1000), 1000)
      scales[c] = Double(sign: .plus, exponent: exponent, significand: 1)
    }
  }

  /// Computes the norms of all columns of a block.
  private func residualNorms(
    _ block: AlignedBuffer<Double>, on ranks: borrowing Communicator
  ) throws(MPIError) -> [Double] {
    products.removeAll()
    for c in 0..<columns {
      products.append(block, block, in: range(c))
    }
    try products.reduce(on: ranks)
    return products.values.map { $0.squareRoot() }
  }
}
