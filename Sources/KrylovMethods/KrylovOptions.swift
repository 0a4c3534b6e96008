public import MessagePassing

/// When an iteration stops and where it starts.
public struct KrylovOptions: Equatable, Sendable {
  /// A column has converged where ‖r‖ ≤ tolerance · ‖b‖.
  public var tolerance: Double
  /// The largest number of iterations.
  public var iterationLimit: Int
  /// Whether the iteration starts from what the solution holds; else from zero.
  public var startsFromSolution: Bool

  /// Creates options.
  ///
  /// - Parameters:
  ///   - tolerance: Where ‖r‖/‖b‖ may stop.
  ///   - iterationLimit: The largest number of iterations.
  ///   - startsFromSolution: Whether the iteration starts from what the solution holds.
  public init(
    tolerance: Double = 1e-8, iterationLimit: Int = 1000, startsFromSolution: Bool = false
  ) {
    self.tolerance = tolerance
    self.iterationLimit = iterationLimit
    self.startsFromSolution = startsFromSolution
  }

  /// Checks the numbers.
  ///
  /// - Throws: `RunError` (64) if a number makes no sense.
  public func validate() throws(RunError) {
    guard tolerance >= 0, tolerance < 1 else {
      throw .usage("`tolerance` is \(tolerance); it has to be at least 0 and below 1")
    }
    guard iterationLimit >= 0 else {
      throw .usage("`iterationLimit` is \(iterationLimit); it cannot be negative")
    }
  }
}
