public import BlockKernels
import KrylovMethods
public import MessagePassing

/// The method of Kingma and Ba, over all of the problem in each step.
public final class Adam: GradientMethod {
  /// The length of the steps.
  public var rate: Double
  private let gradient: AlignedBuffer<Double>
  private let mean: AlignedBuffer<Double>
  private let square: AlignedBuffer<Double>

  /// Creates the method.
  ///
  /// - Parameters:
  ///   - count: The number of parameters.
  ///   - rate: The length of the steps.
  public init(count: Int, rate: Double) {
    self.rate = rate
    gradient = AlignedBuffer<Double>(repeating: 0, count: count)
    mean = AlignedBuffer<Double>(repeating: 0, count: count)
    square = AlignedBuffer<Double>(repeating: 0, count: count)
  }

  /// Clears the means.
  public func forget(_ progress: inout OptimizationProgress) {
    mean.fill(0)
    square.fill(0)
  }

  /// Returns the means of the gradient and of its square.
  public func arrays(_ progress: OptimizationProgress) -> [String: [Double]] {
    ["adam.mean": mean.array(), "adam.square": square.array()]
  }

  /// Takes back the means.
  public func restore(
    _ arrays: [String: [Double]], _ progress: OptimizationProgress
  ) throws(RunError) {
    try mean.restore("adam.mean", of: arrays)
    try square.restore("adam.square", of: arrays)
  }

  /// Goes one step of about the length ``rate`` for each parameter.
  public func advance(
    _ problem: any Objective, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep {
    let (first, second) = (0.9, 0.999)
    try problem.halfGradient(into: gradient)
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
    try problem.update(parameters)
    // Single steps may go up.
    return MethodStep(length: rate, gain: 1)
  }
}
