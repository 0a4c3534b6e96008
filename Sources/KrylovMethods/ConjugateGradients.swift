internal import BlockKernels
public import MessagePassing

/// The preconditioned method of conjugate gradients, for symmetric positive definite A and M.
///
/// Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952; in the form of Saad,
/// "Iterative methods for sparse linear systems", 2003, algorithm 9.1. Columns are independent of each other, they
/// only share the products with A and M⁻¹ and the reductions: six of a few integers in an iteration (four without a
/// preconditioner), and one more after each product.
public struct ConjugateGradients: Equatable, Sendable {
  /// When it stops and where it starts.
  public var options: KrylovOptions
  /// Whether the eigenvalues of M⁻¹A are estimated, from the coefficients of the iteration.
  public var estimatesEigenvalues: Bool

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - options: When it stops and where it starts.
  ///   - estimatesEigenvalues: Whether the eigenvalues of M⁻¹A are estimated.
  public init(_ options: KrylovOptions = KrylovOptions(), estimatesEigenvalues: Bool = false) {
    self.options = options
    self.estimatesEigenvalues = estimatesEigenvalues
  }

  /// Solves A X = B.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - operation: A.
  ///   - preconditioner: M⁻¹; nil for the identity.
  ///   - rightHandSides: B, a block `[columns][rows of this rank]`.
  ///   - solution: X, as large; the start if the options say so.
  ///   - columns: The number of right-hand sides.
  ///   - ranks: The ranks over which the rows are spread.
  /// - Returns: How each column ended; the same on all ranks.
  /// - Precondition: The sizes fit together.
  /// - Throws: What an operator throws on any rank, `RunError` (64) for options or sizes that make no sense,
  ///   `MPIError`.
  /// - Complexity: three blocks of memory, allocated before the first iteration.
  public func solve(
    _ operation: any BlockOperator, preconditioner: (any BlockOperator)? = nil,
    rightHandSides: Span<Double>, solution: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws -> KrylovReport {
    let system = try BlockSystem(
      operation, preconditioner: preconditioner, columns: columns,
      rightHandSides: rightHandSides.count, solution: solution.count, options: options, on: ranks)
    let iteration = ConjugateGradientIteration(system, limit: options.iterationLimit)
    let start = try system.start(
      &solution, rightHandSides, residual: iteration.residual,
      startsFromSolution: options.startsFromSolution, on: ranks)
    try iteration.run(&solution, residualNorms: start, on: ranks)
    var report = try system.finish(
      solution.span, rightHandSides, scratch: iteration.residual, on: ranks)
    if estimatesEigenvalues {
      for c in 0..<columns {
        report.columns[c].eigenvalues = try iteration.coefficients[c].eigenvalues()
      }
    }
    return report
  }
}

/// The vectors and numbers of one solve by conjugate gradients.
private final class ConjugateGradientIteration {
  /// The scaled residuals r.
  let residual: AlignedBuffer<Double>
  /// The coefficients of each column.
  private(set) var coefficients: [LanczosCoefficients]
  private let system: BlockSystem
  private let limit: Int
  /// The directions p.
  private let direction: AlignedBuffer<Double>
  /// A p, then M⁻¹ r.
  private let product: AlignedBuffer<Double>
  /// For each column: r·M⁻¹r, r·r, and α.
  private var energies: [Double]
  private var squares: [Double]
  private var steps: [Double]

  init(_ system: BlockSystem, limit: Int) {
    (self.system, self.limit) = (system, limit)
    let count = system.rows * system.columns
    residual = AlignedBuffer(repeating: 0, count: count)
    direction = AlignedBuffer(repeating: 0, count: count)
    product = AlignedBuffer(repeating: 0, count: count)
    energies = [Double](repeating: 0, count: system.columns)
    squares = energies
    steps = [Double](repeating: 0, count: system.columns)
    coefficients = (0..<system.columns).map { _ in LanczosCoefficients(capacity: min(limit, 1000)) }
  }

  /// Iterates until no column is active.
  func run(
    _ solution: inout MutableSpan<Double>, residualNorms: [Double],
    on ranks: borrowing Communicator
  ) throws {
    guard system.hasActive else { return }
    for c in squares.indices { squares[c] = residualNorms[c] * residualNorms[c] }
    try turn(isFirst: true, on: ranks)
    var iteration = 0
    while iteration < limit && system.hasActive {
      iteration += 1
      try system.apply(direction, into: product, on: ranks)
      try step(&solution, on: ranks)
      guard system.hasActive, iteration < limit else { break }
      try turn(isFirst: false, on: ranks)
    }
    system.endActive()
  }

  /// Goes along the directions: x += α p, r −= α A p.
  private func step(
    _ solution: inout MutableSpan<Double>, on ranks: borrowing Communicator
  ) throws {
    try reduce(direction, product, on: ranks)
    var place = 0
    for c in steps.indices where system.isActive[c] {
      let curvature = system.products.values[place]
      place += 1
      steps[c] = energies[c] / curvature
      guard curvature.isFinite else {
        end(c, .breakdown(.notFinite))
        continue
      }
      guard curvature > 0 else {
        end(c, .breakdown(.operatorNotPositive))
        continue
      }
      guard steps[c].isFinite else {
        end(c, .breakdown(.notFinite))
        continue
      }
      VectorKernels.add(product, times: -steps[c], to: residual, in: system.range(c))
    }
    try reduce(residual, residual, on: ranks)
    place = 0
    for c in steps.indices where system.isActive[c] {
      let square = system.products.values[place]
      place += 1
      // The solution is left as it was where the new residual is not finite.
      guard square.isFinite else {
        end(c, .breakdown(.notFinite))
        continue
      }
      VectorKernels.add(
        direction, times: steps[c] / system.scales[c], to: &solution, in: system.range(c))
      let norm = square.squareRoot()
      system.note(c, residual: norm)
      coefficients[c].appendStep(steps[c])
      squares[c] = square
      if norm <= system.tolerance * system.norms[c] {
        end(c, .converged)
      }
    }
  }

  /// Turns the directions: p = M⁻¹ r + β p, at first p = M⁻¹ r.
  private func turn(isFirst: Bool, on ranks: borrowing Communicator) throws {
    if system.isPreconditioned {
      try system.applyPreconditioner(residual, into: product, on: ranks)
      try reduce(residual, product, on: ranks)
    }
    var place = 0
    for c in energies.indices where system.isActive[c] {
      let energy = system.isPreconditioned ? system.products.values[place] : squares[c]
      place += 1
      guard energy.isFinite else {
        end(c, .breakdown(.notFinite))
        continue
      }
      guard energy > 0 else {
        end(c, .breakdown(.preconditionerNotPositive))
        continue
      }
      let factor = isFirst ? 0 : energy / energies[c]
      energies[c] = energy
      if !isFirst { coefficients[c].appendTurn(factor) }
      let source = system.isPreconditioned ? product : residual
      VectorKernels.add(source, toMultiple: factor, of: direction, in: system.range(c))
    }
  }

  /// Computes the products of two blocks, of the columns that are active.
  private func reduce(
    _ a: AlignedBuffer<Double>, _ b: AlignedBuffer<Double>, on ranks: borrowing Communicator
  ) throws(MPIError) {
    system.products.removeAll()
    for c in steps.indices where system.isActive[c] {
      system.products.append(a, b, in: system.range(c))
    }
    try system.products.reduce(on: ranks)
  }

  /// Ends a column; the operators get zeros for it from now on.
  private func end(_ column: Int, _ ending: KrylovEnding) {
    system.end(column, ending)
    system.clear(column, of: residual)
    system.clear(column, of: direction)
  }
}
