public import Optimization

/// What a step of training did.
public struct RefinementStep: Codable, Equatable, Sendable {
  /// The number of the step, from 1.
  public let step: Int
  /// What is minimized, after the step.
  public let loss: Double
  /// ‖K − I‖² after the step, or ‖A − L U‖²/‖A‖² if that is the loss; 0 while it is not looked at.
  public let directLoss: Double
  /// ‖K⁻¹ − I‖² after the step, or that of the transposed product; 0 while it is not looked at.
  public let inverseLoss: Double
  /// The iterations of conjugate gradients.
  public let innerIterations: Int
  /// The length of the step, as a multiple of the direction; 0 if none made the loss smaller.
  public let stepLength: Double
}

/// All that training needs to go on with the same bits.
public struct RefinementState: Sendable, Equatable {
  /// The numbers that are no arrays.
  public struct Progress: Equatable, Sendable {
    /// How far the method is.
    public var method = OptimizationProgress()
    /// Whether training has ended.
    public var isFinished = false
    /// The phase: of the loss, or the block row that is trained.
    public var phase = 0

    /// Creates the progress of a training that has not begun.
    public init() {}
  }

  /// The arrays by name: `parameters`, and what the method remembers.
  public var arrays: [String: [Double]]
  /// The numbers that are no arrays.
  public var progress: Progress

  /// Creates a state from what was saved.
  ///
  /// - Parameters:
  ///   - arrays: The arrays by name.
  ///   - progress: The numbers that are no arrays.
  public init(arrays: [String: [Double]], progress: Progress) {
    (self.arrays, self.progress) = (arrays, progress)
  }
}

/// All numbers stand beside each other in one object.
extension RefinementState.Progress: Codable {
  private enum Key: String, CodingKey { case isFinished, phase }

  /// Reads the progress.
  public init(from decoder: any Decoder) throws {
    method = try OptimizationProgress(from: decoder)
    let values = try decoder.container(keyedBy: Key.self)
    isFinished = try values.decode(Bool.self, forKey: .isFinished)
    phase = try values.decode(Int.self, forKey: .phase)
  }

  /// Writes the progress.
  public func encode(to encoder: any Encoder) throws {
    try method.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(isFinished, forKey: .isFinished)
    try values.encode(phase, forKey: .phase)
  }
}
