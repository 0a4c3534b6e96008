public import BlockKernels
import KrylovMethods
public import MessagePassing

/// How far a method is, beside its arrays.
public struct OptimizationProgress: Codable, Equatable, Sendable {
  /// The steps done.
  public var step = 0
  /// The steps done on the problem at hand.
  public var phaseStep = 0
  /// The damping of Levenberg–Marquardt steps.
  public var damping = 1e-3
  /// The pairs that L-BFGS remembers.
  public var pairs = 0

  /// Creates the progress of a method that has not begun.
  public init() {}

  /// Counts a step.
  public mutating func countStep() {
    step += 1
    phaseStep += 1
  }
}

/// What one step of a method did.
public struct MethodStep: Sendable, Equatable {
  /// The iterations of conjugate gradients.
  public var innerIterations = 0
  /// The length of the step, 0 if the loss did not fall.
  public var length = 0.0
  /// By which part the loss fell.
  public var gain = 0.0

  /// Creates what a step did.
  ///
  /// - Parameters:
  ///   - innerIterations: The iterations of conjugate gradients.
  ///   - length: The length of the step.
  ///   - gain: By which part the loss fell.
  public init(innerIterations: Int = 0, length: Double = 0, gain: Double = 0) {
    (self.innerIterations, self.length, self.gain) = (innerIterations, length, gain)
  }
}

/// A method of minimization of a sum of squares.
///
/// Parameters and problem agree before each step and after it. A method with the same arrays, progress and problem goes on
/// with the same bits.
public protocol OptimizationMethod: AnyObject {
  /// Goes one step.
  ///
  /// Collective over the ranks of the problem.
  ///
  /// - Parameters:
  ///   - problem: What is minimized.
  ///   - parameters: The parameters; become the new ones.
  ///   - progress: How far the method is; the caller counts the steps.
  /// - Returns: What the step did.
  /// - Throws: What the problem throws.
  func advance(
    _ problem: any SquaredResiduals, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep

  /// Forgets what was remembered of another problem.
  ///
  /// - Parameter progress: How far the method is; what belongs to the other problem is reset.
  func forget(_ progress: inout OptimizationProgress)

  /// Returns what the method remembers.
  ///
  /// - Parameter progress: How far it is.
  /// - Returns: The arrays by name.
  func arrays(_ progress: OptimizationProgress) -> [String: [Double]]

  /// Takes back what the method remembered.
  ///
  /// - Parameters:
  ///   - arrays: The arrays by name.
  ///   - progress: How far it was.
  /// - Throws: `RunError` (65) if arrays are missing or have other sizes.
  func restore(
    _ arrays: [String: [Double]], _ progress: OptimizationProgress
  ) throws(RunError)
}

extension OptimizationMethod {
  /// Resets nothing.
  public func forget(_ progress: inout OptimizationProgress) {}
  /// Returns no arrays.
  public func arrays(_ progress: OptimizationProgress) -> [String: [Double]] { [:] }
  /// Takes nothing.
  public func restore(
    _ arrays: [String: [Double]], _ progress: OptimizationProgress
  ) throws(RunError) {}
}

/// A method that needs the loss and its gradient only.
public protocol GradientMethod: OptimizationMethod {
  /// Goes one step.
  ///
  /// Collective over the ranks of the problem.
  ///
  /// - Parameters:
  ///   - problem: What is minimized.
  ///   - parameters: The parameters; become the new ones.
  ///   - progress: How far the method is; the caller counts the steps.
  /// - Returns: What the step did.
  /// - Throws: What the problem throws.
  func advance(
    _ problem: any Objective, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep
}

extension GradientMethod {
  /// Goes one step on a sum of squares.
  public func advance(
    _ problem: any SquaredResiduals, _ parameters: AlignedBuffer<Double>,
    _ progress: inout OptimizationProgress
  ) throws -> MethodStep {
    try advance(problem as any Objective, parameters, &progress)
  }
}
