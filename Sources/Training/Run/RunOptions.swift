import Datasets

/// How a run proceeds; none of it changes the result.
public struct RunOptions: Sendable {
  /// The directory of checkpoints, metrics and summary.
  public var directory = "run"
  /// Whether to start over although the directory has checkpoints.
  public var restart = false
  /// The step after which to stop with a checkpoint.
  public var stopAfter: Int?
  /// The steps between two lines of progress.
  public var reportEvery = 100
  /// The steps between two evaluations of the validation part; none if 0.
  public var validateEvery = 500
  /// The steps between two checkpoints; only the last if 0.
  public var checkpointEvery = 1000

  /// The bytes that all samples may take on each rank; if they are more, they are read as they are needed.
  public var sampleMemory = SampleSource.defaultMemory
  /// The operators that a linear start can name.
  public var knownOperators: [KnownOperator] = []

  /// Creates the default options.
  public init() {}
}

/// A line of progress.
public struct Progress: Sendable {
  /// The number of steps made.
  public let step: Int
  /// The number of steps to be made.
  public let iterations: Int
  /// The loss of the last batch.
  public let loss: Double
  /// The mean error of the validation part, when it was last evaluated.
  public let validationError: Double?
  /// Whether the validation part was evaluated after this step.
  public let isValidated: Bool
  /// The seconds that a step took, the median since the last line.
  public let secondsPerStep: Double
  /// The seconds that the remaining steps will take.
  public let secondsLeft: Double
  /// Whether this is the last line of the call.
  public let isLast: Bool
}

/// How a run ended.
public enum TrainingOutcome: Sendable {
  /// All steps are made.
  case finished(TrainingSummary)
  /// The run had been finished before; this is its summary.
  case alreadyFinished(TrainingSummary)
  /// The run stopped early with a checkpoint; its summary has the validation error only.
  case stopped(TrainingSummary)
}
