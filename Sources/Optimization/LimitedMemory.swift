public import BlockKernels
import KrylovMethods
public import MessagePassing

/// The quasi-Newton method L-BFGS (Nocedal 1980), with steps that are halved until the loss falls enough.
public final class LimitedMemory: GradientMethod {
  /// The pairs that are remembered.
  private static let memory = 10

  private typealias Vectors = AlignedBuffer<Double>

  private let gradient: Vectors
  private let start: Vectors
  private let direction: Vectors
  /// The steps of the parameters and the changes of the gradient, oldest first.
  private var steps: [Vectors]
  private var changes: [Vectors]
  private var factors = [Double](repeating: 0, count: memory)
  private var knowsGradient = false

  /// Creates the method.
  ///
  /// - Parameter count: The number of parameters.
  public init(count: Int) {
    func vectors() -> Vectors { Vectors(repeating: 0, count: count) }
    (gradient, start, direction) = (vectors(), vectors(), vectors())
    steps = (0..<Self.memory).map { _ in vectors() }
    changes = (0..<Self.memory).map { _ in vectors() }
  }

  /// Forgets the pairs.
  public func forget(_ progress: inout OptimizationProgress) {
    progress.pairs = 0
    knowsGradient = false
  }

  /// Returns the pairs.
  public func arrays(_ progress: OptimizationProgress) -> [String: [Double]] {
    [
      "lbfgs.steps": steps[..<progress.pairs].flatMap { $0.array() },
      "lbfgs.changes": changes[..<progress.pairs].flatMap { $0.array() },
    ]
  }

  /// Takes back the pairs.
  public func restore(
    _ arrays: [String: [Double]], _ progress: OptimizationProgress
  ) throws(RunError) {
    guard (0...Self.memory).contains(progress.pairs) else {
      throw .data("the state of training has \(progress.pairs) pairs of L-BFGS")
    }
    for (name, vectors) in [("lbfgs.steps", steps), ("lbfgs.changes", changes)] {
      let all = Vectors(repeating: 0, count: progress.pairs * gradient.count)
      try all.restore(name, of: arrays)
      for pair in 0..<progress.pairs {
        vectors[pair].copy(from: all, at: pair * gradient.count, to: 0..<gradient.count)
      }
    }
  }

  /// Goes one step along −H g, halved until the loss falls enough.
  public func advance(
    _ problem: any Objective, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep {
    let all = 0..<parameters.count
    if !knowsGradient {
      try problem.halfGradient(into: gradient)
      knowsGradient = true
    }
    // Of half of the loss, as is the gradient.
    let loss = problem.loss / 2
    findDirection(pairs: progress.pairs)
    let slope = OrderedSums.dot(direction, gradient)
    guard slope < 0 else {
      if progress.pairs > 0 {
        progress.pairs = 0
        return MethodStep(length: 0, gain: 1)
      }
      return MethodStep()
    }
    start.copy(from: parameters, at: 0, to: all)
    // Without a pair nothing says how long a step should be.
    var length = progress.pairs > 0 ? 1 : min(1, loss / -slope)
    while length > 1e-12 {
      VectorKernels.add(direction, times: length, to: parameters, in: all)
      try problem.update(parameters)
      if problem.loss / 2 <= loss + 1e-4 * length * slope {
        try remember(problem, parameters, &progress)
        return MethodStep(length: length, gain: (loss - problem.loss / 2) / loss)
      }
      parameters.copy(from: start, at: 0, to: all)
      length /= 2
    }
    try problem.update(parameters)
    return MethodStep()
  }

  /// Computes −H g by two sweeps over the pairs.
  private func findDirection(pairs: Int) {
    let all = 0..<gradient.count
    VectorKernels.multiply(gradient, by: -1, into: direction, in: all)
    for pair in (0..<pairs).reversed() {
      factors[pair] =
        OrderedSums.dot(steps[pair], direction) / OrderedSums.dot(steps[pair], changes[pair])
      VectorKernels.add(changes[pair], times: -factors[pair], to: direction, in: all)
    }
    guard pairs > 0 else { return }
    let last = pairs - 1
    let scale =
      OrderedSums.dot(steps[last], changes[last]) / OrderedSums.dot(changes[last], changes[last])
    VectorKernels.scale(direction, by: scale, in: all)
    for pair in 0..<pairs {
      let factor =
        OrderedSums.dot(changes[pair], direction) / OrderedSums.dot(steps[pair], changes[pair])
      VectorKernels.add(steps[pair], times: factors[pair] - factor, to: direction, in: all)
    }
  }

  /// Computes the new gradient and remembers a pair if its curvature is positive.
  private func remember(
    _ problem: any Objective, _ parameters: Vectors,
    _ progress: inout OptimizationProgress
  ) throws {
    let all = 0..<gradient.count
    if progress.pairs == Self.memory {
      steps.append(steps.removeFirst())
      changes.append(changes.removeFirst())
      progress.pairs -= 1
    }
    let (step, change) = (steps[progress.pairs], changes[progress.pairs])
    step.copy(from: parameters, at: 0, to: all)
    VectorKernels.add(start, times: -1, to: step, in: all)
    VectorKernels.multiply(gradient, by: -1, into: change, in: all)
    try problem.halfGradient(into: gradient)
    VectorKernels.add(gradient, times: 1, to: change, in: all)
    let curvature = OrderedSums.dot(step, change)
    if curvature > 1e-12 * OrderedSums.dot(change, change).squareRoot()
      * OrderedSums.dot(step, step).squareRoot()
    {
      progress.pairs += 1
    }
  }
}
