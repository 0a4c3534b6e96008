public import BlockKernels

/// What is minimized: a loss of parameters, and its gradient.
///
/// All ranks hold all parameters, and do the same with them; how the loss is shared among ranks is the objective's business.
/// Its results are the same on all of them, bit for bit, on any number of ranks.
public protocol Objective: AnyObject {
  /// The number of parameters.
  var count: Int { get }
  /// The loss at the last parameters; infinite if there is none.
  var loss: Double { get }

  /// Computes the loss of new parameters.
  ///
  /// Collective over the ranks of the objective.
  ///
  /// - Parameter parameters: The parameters.
  /// - Throws: What the objective throws, the same on all ranks.
  func update(_ parameters: AlignedBuffer<Double>) throws

  /// Computes half of the gradient of the loss at the last parameters; zero for frozen parameters.
  ///
  /// Collective over the ranks of the objective.
  ///
  /// - Parameter result: Half of the gradient.
  /// - Throws: What the objective throws, the same on all ranks.
  func halfGradient(into result: AlignedBuffer<Double>) throws
}

/// A sum of squares ‖r‖² of residuals with the Jacobian J.
public protocol SquaredResiduals: Objective {
  /// One for parameters that may change, zero for frozen ones.
  var mask: AlignedBuffer<Double> { get }

  /// Computes JᵀJ δ and ‖J δ‖².
  ///
  /// Collective over the ranks of the objective.
  ///
  /// - Parameters:
  ///   - direction: δ; zero for frozen parameters.
  ///   - result: JᵀJ δ, zero for frozen parameters.
  /// - Returns: ‖J δ‖².
  /// - Throws: What the objective throws, the same on all ranks.
  func normalProduct(
    _ direction: AlignedBuffer<Double>, into result: AlignedBuffer<Double>
  ) throws -> Double

  /// Estimates the diagonal of JᵀJ, by random signs in place of residuals.
  ///
  /// Collective over the ranks of the objective.
  ///
  /// - Parameters:
  ///   - result: The diagonal, zero for frozen parameters.
  ///   - scratch: As many numbers.
  ///   - samples: The number of random vectors.
  ///   - seed: Their seed.
  /// - Throws: What the objective throws, the same on all ranks.
  func diagonal(
    into result: AlignedBuffer<Double>, scratch: AlignedBuffer<Double>, samples: Int, seed: Int
  ) throws
}
