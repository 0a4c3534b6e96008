import BlockKernels
import KrylovMethods
import MessagePassing

/// What one step of a method did.
struct MethodStep {
  var innerIterations = 0
  /// The length of the step, 0 if the loss did not fall.
  var length = 0.0
  /// By which part the loss fell.
  var gain = 0.0
}

/// A method of minimization.
///
/// Parameters and least squares problem agree before each step and after it.
protocol RefinementMethod: AnyObject {
  typealias Vectors = AlignedBuffer<Double>

  /// Goes one step.
  ///
  /// Collective.
  func advance(
    _ problem: LeastSquares, _ parameters: Vectors, _ progress: inout RefinementState.Progress,
    on ranks: borrowing Communicator
  ) throws -> MethodStep

  /// Forgets what was remembered of another problem.
  func forget(_ progress: inout RefinementState.Progress)

  /// What it remembers, by name.
  func arrays(_ progress: RefinementState.Progress) -> [String: [Double]]

  /// Takes back what it remembered.
  func restore(_ arrays: [String: [Double]], _ progress: RefinementState.Progress) throws(RunError)
}

extension RefinementMethod {
  func forget(_ progress: inout RefinementState.Progress) {}
  func arrays(_ progress: RefinementState.Progress) -> [String: [Double]] { [:] }
  func restore(
    _ arrays: [String: [Double]], _ progress: RefinementState.Progress
  ) throws(RunError) {}
}

/// Gauss–Newton steps, with a line search that looks at the new residuals.
final class GaussNewton: RefinementMethod {
  private let equations: NormalEquations
  private let start: Vectors
  private let limit: Int
  private let tolerance: Double
  private let seed: Int

  init(count: Int, options: RefinementOptions) {
    equations = NormalEquations(count: count, isScaled: true)
    start = Vectors(repeating: 0, count: count)
    (limit, tolerance) = (options.innerIterations ?? 60, options.innerTolerance)
    seed = options.seed
  }

  func advance(
    _ problem: LeastSquares, _ parameters: Vectors, _ progress: inout RefinementState.Progress,
    on ranks: borrowing Communicator
  ) throws -> MethodStep {
    let all = 0..<parameters.count
    let loss = problem.loss
    try equations.solve(
      problem, damping: 0, limit: limit, tolerance: tolerance, seed: seed &+ progress.step,
      on: ranks)
    start.copy(from: parameters, at: 0, to: all)
    var length = 1.0
    while length > 1e-4 {
      VectorKernels.add(equations.solution, times: length, to: parameters, in: all)
      try problem.update(parameters, on: ranks)
      if problem.loss < loss {
        if length == 1 { length = try lengthen(problem, parameters, loss, on: ranks) }
        return MethodStep(
          innerIterations: equations.iterations, length: length,
          gain: (loss - problem.loss) / loss)
      }
      parameters.copy(from: start, at: 0, to: all)
      length /= 2
    }
    try problem.update(parameters, on: ranks)
    return MethodStep(innerIterations: equations.iterations)
  }

  /// Doubles the length of a step that gained much, as long as that gains more.
  ///
  /// Far from the solution full steps are too short: an eigenvalue λ ≫ 1 of K falls by a factor only.
  private func lengthen(
    _ problem: LeastSquares, _ parameters: Vectors, _ loss: Double,
    on ranks: borrowing Communicator
  ) throws -> Double {
    let all = 0..<parameters.count
    var (length, best) = (1.0, problem.loss)
    guard best < loss / 2 else { return length }
    while length < 1e6 {
      VectorKernels.add(equations.solution, times: length, to: parameters, in: all)
      try problem.update(parameters, on: ranks)
      guard problem.loss < best else { break }
      best = problem.loss
      length *= 2
    }
    // The parameters of the best length, by the same operations as before.
    parameters.copy(from: start, at: 0, to: all)
    VectorKernels.add(equations.solution, times: length, to: parameters, in: all)
    try problem.update(parameters, on: ranks)
    return length
  }
}

/// Damped Gauss–Newton steps; the damping falls after steps that do what was expected, and grows after others.
final class LevenbergMarquardt: RefinementMethod {
  private let equations: NormalEquations
  private let start: Vectors
  private let limit: Int
  private let tolerance: Double
  private let seed: Int

  init(count: Int, options: RefinementOptions) {
    equations = NormalEquations(count: count, isScaled: true)
    start = Vectors(repeating: 0, count: count)
    (limit, tolerance) = (options.innerIterations ?? 60, options.innerTolerance)
    seed = options.seed
  }

  func forget(_ progress: inout RefinementState.Progress) {
    progress.damping = RefinementState.Progress().damping
  }

  func advance(
    _ problem: LeastSquares, _ parameters: Vectors, _ progress: inout RefinementState.Progress,
    on ranks: borrowing Communicator
  ) throws -> MethodStep {
    let all = 0..<parameters.count
    let loss = problem.loss
    var step = MethodStep()
    start.copy(from: parameters, at: 0, to: all)
    for _ in 0..<8 {
      try equations.solve(
        problem, damping: progress.damping, limit: limit, tolerance: tolerance,
        seed: seed &+ progress.step, on: ranks)
      step.innerIterations += equations.iterations
      VectorKernels.add(equations.solution, times: 1, to: parameters, in: all)
      try problem.update(parameters, on: ranks)
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
      try problem.update(parameters, on: ranks)
    }
    return step
  }
}

/// The method of Kingma and Ba, over all probes in each step.
final class AdamMethod: RefinementMethod {
  private let rate: Double
  private let gradient: Vectors
  private let mean: Vectors
  private let square: Vectors

  init(count: Int, options: RefinementOptions) {
    rate = options.learningRate ?? 1e-3
    gradient = Vectors(repeating: 0, count: count)
    mean = Vectors(repeating: 0, count: count)
    square = Vectors(repeating: 0, count: count)
  }

  func forget(_ progress: inout RefinementState.Progress) {
    mean.fill(0)
    square.fill(0)
  }

  func arrays(_ progress: RefinementState.Progress) -> [String: [Double]] {
    ["adam.mean": mean.array(), "adam.square": square.array()]
  }

  func restore(
    _ arrays: [String: [Double]], _ progress: RefinementState.Progress
  ) throws(RunError) {
    try mean.restore("adam.mean", of: arrays)
    try square.restore("adam.square", of: arrays)
  }

  func advance(
    _ problem: LeastSquares, _ parameters: Vectors, _ progress: inout RefinementState.Progress,
    on ranks: borrowing Communicator
  ) throws -> MethodStep {
    let (first, second) = (0.9, 0.999)
    try problem.halfGradient(into: gradient, on: ranks)
    var (firstPower, secondPower) = (1.0, 1.0)
    for _ in 0...progress.phaseStep {
      firstPower *= first
      secondPower *= second
    }
    do {
      let (slopes, mean, square) = (gradient, mean, square)
      let gradient = slopes.span
      var m = mean.mutableSpan
      var v = square.mutableSpan
      var x = parameters.mutableSpan
      for place in gradient.indices {
        let slope = 2 * gradient[place]
        m[place] = first * m[place] + (1 - first) * slope
        v[place] = second * v[place] + (1 - second) * slope * slope
        x[place] -=
          rate * (m[place] / (1 - firstPower))
          / ((v[place] / (1 - secondPower)).squareRoot() + 1e-12)
      }
    }
    try problem.update(parameters, on: ranks)
    // Single steps may go up.
    return MethodStep(length: rate, gain: 1)
  }
}

extension AlignedBuffer<Double> {
  /// Takes an array of a saved state.
  func restore(_ name: String, of arrays: [String: [Double]], count: Int? = nil) throws(RunError) {
    let wanted = count ?? self.count
    guard let array = arrays[name], array.count == wanted else {
      throw .data(
        "the state of training has \(arrays[name]?.count ?? 0) numbers in `\(name)`, needed are \(wanted)"
      )
    }
    for place in array.indices { self[place] = array[place] }
  }
}
