internal import BlockKernels
public import MessagePassing

/// Refinement of solutions: x ← x + M⁻¹ (b − A x).
///
/// For an M⁻¹ that almost solves, such as factors of A. From zero the first step is the direct solve x = M⁻¹ b, so two
/// steps are a solve with one refinement.
public struct StationaryRefinement: Equatable, Sendable {
  /// When it stops and where it starts; the limit of iterations is the number of steps.
  public var options: KrylovOptions

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - steps: The largest number of steps.
  ///   - tolerance: A column takes no further step where ‖b − A x‖/‖b‖ is below; 0 for all steps.
  ///   - startsFromSolution: Whether it starts from what the solution holds; else from zero.
  public init(steps: Int, tolerance: Double = 0, startsFromSolution: Bool = false) {
    options = KrylovOptions(
      tolerance: tolerance, iterationLimit: steps, startsFromSolution: startsFromSolution)
  }

  /// Solves A X = B.
  ///
  /// A column ends early where the tolerance is reached, where a step did not lower its residual (stagnation; the step
  /// is taken back) or made it not finite (breakdown; likewise).
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - operation: A.
  ///   - preconditioner: M⁻¹.
  ///   - rightHandSides: B, a block `[columns][rows of this rank]`.
  ///   - solution: X, as large; the start if the options say so.
  ///   - columns: The number of right-hand sides.
  ///   - ranks: The ranks over which the rows are spread.
  /// - Returns: How each column ended, the same on all ranks; estimated residuals are true ones.
  /// - Precondition: The sizes fit together.
  /// - Throws: What an operator throws on any rank, `RunError` (64) for options or sizes that make no sense,
  ///   `MPIError`.
  /// - Complexity: three blocks of memory, allocated before the first step.
  public func solve(
    _ operation: any BlockOperator, preconditioner: any BlockOperator,
    rightHandSides: Span<Double>, solution: inout MutableSpan<Double>, columns: Int,
    on ranks: borrowing Communicator
  ) throws -> KrylovReport {
    let system = try BlockSystem(
      operation, preconditioner: preconditioner, columns: columns,
      rightHandSides: rightHandSides.count, solution: solution.count, options: options, on: ranks)
    let count = system.rows * columns
    let residual = AlignedBuffer<Double>(repeating: 0, count: count)
    let correction = AlignedBuffer<Double>(repeating: 0, count: count)
    let before = AlignedBuffer<Double>(repeating: 0, count: count)
    var norms = try system.start(
      &solution, rightHandSides, residual: residual,
      startsFromSolution: options.startsFromSolution, on: ranks)
    for _ in 0..<options.iterationLimit where system.hasActive {
      try system.applyPreconditioner(residual, into: correction, on: ranks)
      for c in 0..<columns where system.isActive[c] {
        let range = system.range(c)
        VectorKernels.multiply(solution.span, by: 1, into: before, in: range)
        VectorKernels.add(correction, times: 1 / system.scales[c], to: &solution, in: range)
      }
      let next = try system.trueResiduals(solution.span, rightHandSides, into: residual, on: ranks)
      for c in 0..<columns {
        if system.isActive[c] {
          if next[c] < norms[c] {
            norms[c] = next[c]
            system.note(c, residual: next[c])
            if next[c] <= options.tolerance * system.norms[c] { system.end(c, .converged) }
          } else {
            VectorKernels.multiply(
              before.span, by: 1, into: &solution, in: system.range(c))
            system.end(c, next[c].isFinite ? .stagnation : .breakdown(.notFinite))
          }
        }
        if !system.isActive[c] { system.clear(c, of: residual) }
      }
    }
    system.endActive()
    system.complete(norms)
    return system.report
  }
}
