public import MessagePassing

/// The method of generalized minimal residuals, preconditioned from the right, for any regular A.
///
/// Saad and Schultz, "GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear systems", 1986;
/// preconditioned from the right as in Saad, "Iterative methods for sparse linear systems", 2003, algorithm 9.5, so the
/// residuals are those of A x = b. The flexible form (FGMRES, algorithm 9.6) keeps M⁻¹ v of each basis vector v, so M⁻¹
/// may be another map in each iteration.
///
/// Columns are independent of each other, they only share the products with A and M⁻¹ and the reductions. The basis is
/// made orthogonal by classical Gram–Schmidt, twice: its products with all vectors are reduced together, so an
/// iteration has six reductions however large the basis is, where the modified form has two for each vector; and the
/// basis is orthogonal to working precision, which the modified form does not reach (Giraud, Langou, Rozložník and van
/// den Eshof, "Rounding error analysis of the classical Gram–Schmidt orthogonalization process", 2005).
public struct GeneralizedMinimalResiduals: Equatable, Sendable {
  /// When it stops and where it starts.
  public var options: KrylovOptions
  /// The number of iterations after which the basis is given up and the iteration starts from the solution so far; nil
  /// to keep the whole basis.
  public var restart: Int?
  /// Whether M⁻¹ may be another map in each iteration, at the price of a second basis.
  public var isFlexible: Bool
  /// The largest number of bytes of the basis on any rank.
  public var basisBytes: Int

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - options: When it stops and where it starts.
  ///   - restart: The number of iterations between restarts, nil for none.
  ///   - isFlexible: Whether M⁻¹ may change.
  ///   - basisBytes: The largest number of bytes of the basis on any rank.
  public init(
    _ options: KrylovOptions = KrylovOptions(), restart: Int? = nil, isFlexible: Bool = false,
    basisBytes: Int = 4 << 30
  ) {
    self.options = options
    self.restart = restart
    self.isFlexible = isFlexible
    self.basisBytes = basisBytes
  }

  /// Solves A X = B.
  ///
  /// A cycle ends at the restart, and with as many iterations as there are unknowns. Where the true residual after a
  /// cycle does not confirm the estimate, another cycle begins.
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
  /// - Throws: What an operator throws on any rank, `RunError` (64) for options or sizes that make no sense and where
  ///   the basis would exceed ``basisBytes``, `MPIError`.
  /// - Complexity: three blocks of memory, and one block for each iteration between restarts (two if flexible), of
  ///   which each is allocated when it is needed first.
  public func solve(
    _ operation: any BlockOperator, preconditioner: (any BlockOperator)? = nil,
    rightHandSides: Span<Double>, solution: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws -> KrylovReport {
    guard (restart ?? 1) >= 1 else {
      throw RunError.usage("`restart` is \(restart ?? 0); it has to be positive")
    }
    let system = try BlockSystem(
      operation, preconditioner: preconditioner, columns: columns,
      rightHandSides: rightHandSides.count, solution: solution.count, options: options, on: ranks)
    let cycle = try ArnoldiCycle(
      system, isFlexible: isFlexible && preconditioner != nil, basisBytes: basisBytes,
      certainSteps: restart.map { min($0, options.iterationLimit, system.total) })
    var norms = try system.start(
      &solution, rightHandSides, residual: cycle.residual,
      startsFromSolution: options.startsFromSolution, on: ranks)
    var iterations = 0
    while system.hasActive && iterations < options.iterationLimit {
      let limit = min(restart ?? .max, options.iterationLimit - iterations, system.total)
      iterations += try cycle.run(residualNorms: norms, limit: limit, on: ranks)
      try cycle.addCorrections(to: &solution, on: ranks)
      let next = try system.trueResiduals(
        solution.span, rightHandSides, into: cycle.residual, on: ranks)
      for c in 0..<columns where cycle.takesPart(c) {
        judge(
          c, of: system, before: norms[c], after: next[c],
          isLast: iterations == options.iterationLimit)
      }
      norms = next
      for c in 0..<columns where !system.isActive[c] { system.clear(c, of: cycle.residual) }
    }
    system.endActive()
    if iterations > 0 {
      system.complete(norms)
      return system.report
    }
    return try system.finish(solution.span, rightHandSides, scratch: cycle.residual, on: ranks)
  }

  /// Decides after a cycle whether a column goes on.
  private func judge(
    _ column: Int, of system: BlockSystem, before: Double, after: Double, isLast: Bool
  ) {
    let isActive = system.isActive[column]
    if !isActive, case .breakdown = system.report.columns[column].ending { return }
    guard after.isFinite else {
      system.end(column, .breakdown(.notFinite))
      return
    }
    if isActive ? isLast : isLast || system.isReached(after / system.norms[column]) { return }
    // A cycle that gains less than this would repeat itself for ever.
    if after < before * (1 - 1e-6) {
      system.resume(column)
    } else {
      system.end(column, .stagnation)
    }
  }
}
