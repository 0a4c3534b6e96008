public import Optimization

/// What a step of training did.
public struct PhysicsInformedStep: Codable, Equatable, Sendable {
  /// The number of the step, from 1.
  public let step: Int
  /// The phase: 0 for the start by Adam, 1 for the method.
  public let phase: Int
  /// The sum of squares after the step, at the points of the step.
  public let loss: Double
  /// The root mean square of the residual at the fixed points; nil where it was not computed.
  public let validation: Double?
  /// The damping after the step.
  public let damping: Double
  /// The length of the step, 0 if none made the loss smaller.
  public let length: Double
}

/// All that training needs to go on with the same bits.
public struct PhysicsInformedState: Sendable, Equatable {
  /// The numbers that are no arrays.
  public struct Progress: Codable, Equatable, Sendable {
    /// How far the method is.
    public var method = OptimizationProgress()
    /// 0 for the start by Adam, 1 for the method, 2 after the end.
    public var phase = 0
    /// How many times points were chosen.
    public var round = 0
    /// The steps since points were chosen.
    public var roundStep = 0
    /// The least root mean square of the residual at the fixed points; nil before the first.
    public var bestValidation: Double?
    /// The step of the best parameters.
    public var bestStep = 0

    /// Creates the progress of a training that has not begun.
    public init() {}
  }

  /// The arrays by name: `parameters`, `best`, `points`, `boundary`, and what the method remembers.
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
