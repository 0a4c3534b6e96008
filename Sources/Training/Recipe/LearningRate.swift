import Foundation
import OperatorNetworks

extension TrainingOptions {
  /// The largest learning rate that follows from a network.
  static let largestRate = 0.025

  /// Returns the learning rate of a network in which a value sums at most n numbers.
  ///
  /// A step of Adam moves each weight by about the learning rate, and a sum of n numbers by up to n times as
  /// much: a rate of 1/n moves all sums alike. Measured from n = 18 to 320, in one and two dimensions: twice that
  /// is often better by a tenth, but where a potential reaches several hundred it fails.
  static func learningRate(forSumsOf n: Int) -> Double {
    min(largestRate, 1 / Double(max(n, 1)))
  }

  /// Returns the options with the settings that follow from the network and the number of steps.
  ///
  /// - Parameter network: The network.
  /// - Returns: The options, whose learning rate and warm-up are numbers.
  func settled(for network: Network) -> TrainingOptions {
    var options = self
    options.learningRate = learningRate ?? Self.learningRate(forSumsOf: network.widestSum)
    options.warmup = warmupSteps
    return options
  }

  /// The steps over which the learning rate rises.
  var warmupSteps: Int { warmup ?? iterations / 20 }

  /// Returns the learning rate of a step, without the factor of the `plateau` schedule.
  ///
  /// - Parameter step: The number of steps made before.
  /// - Returns: The learning rate.
  public func learningRate(at step: Int) -> Double {
    let warmup = warmupSteps
    var rise = step < warmup ? Double(step + 1) / Double(warmup + 1) : 1
    let learningRate = learningRate ?? Self.largestRate
    let drops = dropAt.count { step >= milestone($0) }
    if drops > 0 { rise *= pow(0.1, Double(drops) / 2) }
    switch schedule {
    case .constant, .plateau: return rise * learningRate
    case .cosine:
      let done = Double(step) / Double(max(iterations, 1))
      return rise * learningRate * 0.5 * (1 + cos(.pi * done))
    case .step: return rise * learningRate * pow(stepFactor, Double(step / stepEvery))
    }
  }

  /// Returns the steps made before a fraction of all is over.
  private func milestone(_ fraction: Double) -> Int {
    Int((fraction * Double(iterations)).rounded())
  }

  /// Returns the samples of a step's batch.
  ///
  /// - Parameter step: The number of steps made before.
  /// - Returns: The samples.
  public func batch(at step: Int) -> Int {
    batch << batchGrowth.count { step >= milestone($0) }
  }

  /// Returns the samples of all steps before one.
  ///
  /// - Parameter step: The number of steps.
  /// - Returns: The samples, counted as often as they occur.
  public func samples(before step: Int) -> Int {
    // Each growth adds to every later step as much as the batch had before it. No allocation.
    var sum = step * batch
    for growth in batchGrowth.indices {
      sum += max(0, step - milestone(batchGrowth[growth])) * (batch << growth)
    }
    return sum
  }

  /// The samples of the largest batch.
  public var largestBatch: Int { batch << batchGrowth.count }

  /// Sets the number of steps to the least that sees a number of samples.
  ///
  /// - Parameter samples: The samples, counted as often as they occur.
  public mutating func setIterations(forSamples samples: Int) {
    // One more step adds the largest batch, and delays each growth by one step at most: the sum rises.
    var (low, high) = (0, max(1, (samples + batch - 1) / batch))
    while high - low > 1 {
      iterations = (low + high) / 2
      if self.samples(before: iterations) < samples { low = iterations } else { high = iterations }
    }
    iterations = high
  }
}
