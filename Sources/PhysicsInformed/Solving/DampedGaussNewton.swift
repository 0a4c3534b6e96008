public import BlockKernels
import MessagePassing
public import Optimization

/// Damped Gauss–Newton steps (Levenberg and Marquardt) that are solved exactly, by Cholesky's factorization.
///
/// The damping is relative to the mean diagonal of JᵀJ. It falls to 0.3 of itself after a step that makes the loss smaller,
/// and grows sixfold before another try.
public final class DampedGaussNewton {
  private static let (fall, rise, tries) = (0.3, 6.0, 10)
  private static let (least, most) = (1e-15, 1e8)

  private let system: any DampedSystem
  private let step: AlignedBuffer<Double>
  private let start: AlignedBuffer<Double>

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - problem: The residuals; those of a step have as many points.
  ///   - solve: Which normal equations are solved.
  public init(_ problem: CollocationResiduals, solve: PhysicsInformedOptions.Solve) {
    let isPrimal =
      switch solve {
      case .primal: true
      case .dual: false
      case .automatic: problem.count <= problem.rowCount
      }
    system = isPrimal ? PrimalSystem(problem) : DualSystem(problem)
    step = AlignedBuffer(repeating: 0, count: problem.count)
    start = AlignedBuffer(repeating: 0, count: problem.count)
  }

  /// Goes one step.
  ///
  /// Collective over the ranks of the problem.
  ///
  /// - Parameters:
  ///   - problem: The residuals, at the parameters.
  ///   - parameters: The parameters; become the new ones.
  ///   - progress: How far the method is; the caller counts the steps.
  /// - Returns: What the step did; its length is 0 if no damping made the loss smaller.
  /// - Throws: `MPIError`.
  public func advance(
    _ problem: CollocationResiduals, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep {
    let all = 0..<parameters.count
    let loss = problem.loss
    start.copy(from: parameters, at: 0, to: all)
    try system.assemble(problem)
    for _ in 0..<Self.tries {
      // Ranks may run on processors of different kinds; the step is that of the first one.
      var isSolved = system.solve(damping: progress.damping, into: step) ? 1 : 0
      try share(&isSolved, problem)
      if isSolved == 1 {
        for place in all { parameters[place] = start[place] + step[place] }
        try problem.update(parameters)
        if problem.loss < loss {
          progress.damping = max(progress.damping * Self.fall, Self.least)
          return MethodStep(length: 1, gain: (loss - problem.loss) / loss)
        }
      }
      progress.damping = min(progress.damping * Self.rise, Self.most)
    }
    parameters.copy(from: start, at: 0, to: all)
    try problem.update(parameters)
    return MethodStep()
  }

  /// Takes the step of the first rank.
  private func share(_ isSolved: inout Int, _ problem: CollocationResiduals) throws {
    guard problem.ranks.size > 1 else { return }
    var found = [Double(isSolved)]
    var flag = found.mutableSpan
    try problem.ranks.broadcast(&flag, from: 0)
    isSolved = Int(found[0])
    guard isSolved == 1 else { return }
    let step = step
    var values = step.mutableSpan
    try problem.ranks.broadcast(&values, from: 0)
  }
}
