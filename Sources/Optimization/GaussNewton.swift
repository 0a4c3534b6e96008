public import BlockKernels
import KrylovMethods

/// Gauss–Newton steps, with a line search that looks at the new residuals.
public final class GaussNewton: OptimizationMethod {
  private typealias Vectors = AlignedBuffer<Double>

  private let equations: NormalEquations
  private let start: Vectors
  private let limit: Int
  private let tolerance: Double
  private let seed: Int

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - count: The number of parameters.
  ///   - iterations: The most iterations of conjugate gradients in a step.
  ///   - tolerance: The relative residual of the normal equations at which a step is exact enough.
  ///   - seed: The seed of the estimate of the diagonal.
  public init(count: Int, iterations: Int, tolerance: Double, seed: Int) {
    equations = NormalEquations(count: count)
    start = Vectors(repeating: 0, count: count)
    (limit, self.tolerance, self.seed) = (iterations, tolerance, seed)
  }

  /// Goes one step: the solution of the normal equations, shortened or lengthened by the new loss.
  public func advance(
    _ problem: any SquaredResiduals, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep {
    let all = 0..<parameters.count
    let loss = problem.loss
    try equations.solve(
      problem, damping: 0, limit: limit, tolerance: tolerance, seed: seed &+ progress.step)
    start.copy(from: parameters, at: 0, to: all)
    var length = 1.0
    while length > 1e-4 {
      VectorKernels.add(equations.solution, times: length, to: parameters, in: all)
      try problem.update(parameters)
      if problem.loss < loss {
        if length == 1 { length = try lengthen(problem, parameters, loss) }
        return MethodStep(
          innerIterations: equations.iterations, length: length,
          gain: (loss - problem.loss) / loss)
      }
      parameters.copy(from: start, at: 0, to: all)
      length /= 2
    }
    try problem.update(parameters)
    return MethodStep(innerIterations: equations.iterations)
  }

  /// Doubles the length of a step that gained much, as long as that gains more.
  ///
  /// Far from the solution full steps are too short: an eigenvalue λ ≫ 1 of K falls by a factor only.
  private func lengthen(
    _ problem: any SquaredResiduals, _ parameters: Vectors, _ loss: Double
  ) throws -> Double {
    let all = 0..<parameters.count
    var (length, best) = (1.0, problem.loss)
    guard best < loss / 2 else { return length }
    while length < 1e6 {
      VectorKernels.add(equations.solution, times: length, to: parameters, in: all)
      try problem.update(parameters)
      guard problem.loss < best else { break }
      best = problem.loss
      length *= 2
    }
    // The parameters of the best length, by the same operations as before.
    parameters.copy(from: start, at: 0, to: all)
    VectorKernels.add(equations.solution, times: length, to: parameters, in: all)
    try problem.update(parameters)
    return length
  }
}

/// Damped Gauss–Newton steps; the damping falls after steps that do what was expected, and grows after others.
public final class LevenbergMarquardt: OptimizationMethod {
  private typealias Vectors = AlignedBuffer<Double>

  private let equations: NormalEquations
  private let start: Vectors
  private let limit: Int
  private let tolerance: Double
  private let seed: Int

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - count: The number of parameters.
  ///   - iterations: The most iterations of conjugate gradients in a step.
  ///   - tolerance: The relative residual of the normal equations at which a step is exact enough.
  ///   - seed: The seed of the estimate of the diagonal.
  public init(count: Int, iterations: Int, tolerance: Double, seed: Int) {
    equations = NormalEquations(count: count)
    start = Vectors(repeating: 0, count: count)
    (limit, self.tolerance, self.seed) = (iterations, tolerance, seed)
  }

  /// Resets the damping.
  public func forget(_ progress: inout OptimizationProgress) {
    progress.damping = OptimizationProgress().damping
  }

  /// Goes one step; tries up to eight times with growing damping.
  public func advance(
    _ problem: any SquaredResiduals, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep {
    let all = 0..<parameters.count
    let loss = problem.loss
    var step = MethodStep()
    start.copy(from: parameters, at: 0, to: all)
    for _ in 0..<8 {
      try equations.solve(
        problem, damping: progress.damping, limit: limit, tolerance: tolerance,
        seed: seed &+ progress.step)
      step.innerIterations += equations.iterations
      VectorKernels.add(equations.solution, times: 1, to: parameters, in: all)
      try problem.update(parameters)
      let gain = loss - problem.loss
      let ratio = gain / equations.expectedGain
      if gain > 0 {
        if ratio > 0.75 { progress.damping = max(progress.damping / 5, 1e-12) }
        if ratio < 0.25 { progress.damping = min(progress.damping * 2, 1e12) }
        (step.length, step.gain) = (1, gain / loss)
        return step
      }
      progress.damping = min(progress.damping * 8, 1e12)
      parameters.copy(from: start, at: 0, to: all)
      try problem.update(parameters)
    }
    return step
  }
}
