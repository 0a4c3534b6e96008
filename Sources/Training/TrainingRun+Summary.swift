import BlockKernels
import Foundation
import MessagePassing
import OperatorNetworks

/// What a training run came to; the object that `train --summary` writes.
public struct TrainingSummary: Sendable {
  /// The parameters as the papers count.
  public let parameters: Int
  /// The stored parameters.
  public let activeParameters: Int
  /// The number of steps made.
  public let iterations: Int
  /// The mean error of the training part.
  public let trainError: Double?
  /// The mean error of the validation part.
  public let validationError: Double?
  /// The mean error of the test part.
  public let testError: Double?
  /// The mean error of the mean predictor on the test part.
  public let meanPredictorError: Double?
  /// The median over the steps of the time of the slowest rank.
  public let secondsPerStep: Double?
  /// The floating-point operations of the products of a step, on all ranks together.
  public let flopsPerStep: Int
  /// The digest of the parameters in canonical order.
  public let digest: String

  /// The summary as a JSON object; what is missing is null.
  public var jsonObject: [String: Any] {
    func value(_ number: Double?) -> Any { jsonNumber(number) }
    return [
      "parameters": parameters, "active_parameters": activeParameters, "iterations": iterations,
      "train_error": value(trainError), "validation_error": value(validationError),
      "test_error": value(testError), "mean_predictor_error": value(meanPredictorError),
      "seconds_per_step": value(secondsPerStep), "flops_per_step": flopsPerStep, "digest": digest,
    ]
  }
}

/// Returns a number for a JSON object: null for what is missing or not finite.
///
/// - Parameter number: The number.
/// - Returns: The number, or `NSNull`.
public func jsonNumber(_ number: Double?) -> Any {
  guard let number, number.isFinite else { return NSNull() }
  return number
}

extension TrainingRun {
  /// Describes the run, and evaluates all parts with the present parameters.
  ///
  /// Collective.
  func summarize(
    evaluates: Bool = true, on communicator: borrowing Communicator
  ) throws -> TrainingSummary {
    let evaluator = Evaluator(trainer.executor, normalization: normalization)
    let parameters = trainer.parameters
    func errors(_ part: Part) throws -> ErrorStatistics? {
      guard evaluates else { return nil }
      return try evaluator.errors(
        data, samples: configuration.training.split.range(of: part, count: data.sampleCount),
        parameters: parameters.span, on: communicator)
    }
    let (training, validation, test) = (
      try errors(.training), try errors(.validation), try errors(.test)
    )
    return TrainingSummary(
      parameters: network.parameterCount, activeParameters: network.activeParameterCount,
      iterations: trainer.step, trainError: training?.mean,
      validationError: validation?.mean ?? validationError,
      testError: test?.mean, meanPredictorError: test?.meanPredictor,
      secondsPerStep: try medianDuration(on: communicator), flopsPerStep: trainer.flopsPerStep,
      digest: Digest.of(parameters.span))
  }

  /// Returns the median over the steps after warm-up of the slowest rank's time.
  ///
  /// Collective.
  private func medianDuration(on communicator: borrowing Communicator) throws -> Double? {
    let timed = durations.dropFirst(min(10, durations.count / 2))
    guard !timed.isEmpty else {
      // No step was made in this call: the metrics know how long the steps took.
      let medians = MetricsLine.read(metrics).map(\.secondsPerStep)
      return medians.isEmpty ? nil : medians.sorted()[medians.count / 2]
    }
    let own = Array(timed)
    var all = [Double](repeating: 0, count: own.count * communicator.size)
    var span = all.mutableSpan
    try communicator.allGather(
      own.span, counts: [Int](repeating: own.count, count: communicator.size), into: &span)
    let slowest = own.indices.map { step in
      (0..<communicator.size).map { all[$0 * own.count + step] }.max() ?? 0
    }
    return slowest.sorted()[slowest.count / 2]
  }
}
