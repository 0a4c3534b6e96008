import Foundation

extension TrainingOptions {
  /// Returns the learning rate of a step.
  ///
  /// - Parameter step: The number of steps made before.
  /// - Returns: The learning rate.
  public func learningRate(at step: Int) -> Double {
    let rise = step < warmup ? Double(step + 1) / Double(warmup + 1) : 1
    switch schedule {
    case .constant: return rise * learningRate
    case .cosine:
      let done = Double(step) / Double(max(iterations, 1))
      return rise * learningRate * 0.5 * (1 + cos(.pi * done))
    case .step: return rise * learningRate * pow(stepFactor, Double(step / stepEvery))
    }
  }
}
