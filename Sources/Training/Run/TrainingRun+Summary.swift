import BlockKernels
import Checkpoints
public import Datasets
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks

/// The results of a training run: the object that `train --summary` writes.
public struct TrainingSummary: Sendable {
  /// What the run worked with.
  public let facts: RunFacts
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
  /// The samples of the last step made, of the first one before it.
  public let batch: Int
  /// The floating-point operations of the products of that step, on all ranks together.
  public let flopsPerStep: Int
  /// What each rank holds, and what it sent and computed in the last step of this call, by the names of the
  /// summary; empty if no step was made.
  public let ranks: [[String: Int]]
  /// The process grid: data groups × tree ranks.
  public let grid: String
  /// The digest of the parameters in canonical order.
  public let digest: String
  /// How many samples of each part are left out of its error, since their outputs are zero.
  public let zeroSamples: [Part: Int]
  /// What the first rank read, before the first step, of a file whose samples are not kept in memory.
  public let bytesReadAtStart: Int
  /// Remarks on data and result for the user.
  public let notes: [String]

  /// Whether the network predicts the test part no better than the mean of the training outputs does.
  public var isNoBetterThanMean: Bool {
    guard let testError, let meanPredictorError else { return false }
    return !(testError < meanPredictorError)
  }

  /// The numbers of ``jsonObject`` and their names; what is missing is null.
  private static let numbers: [(name: String, value: @Sendable (TrainingSummary) -> Any)] = [
    ("test_error", { jsonNumber($0.testError) }),
    ("validation_error", { jsonNumber($0.validationError) }),
    ("train_error", { jsonNumber($0.trainError) }),
    ("mean_predictor_error", { jsonNumber($0.meanPredictorError) }),
    ("parameters", { $0.parameters }), ("active_parameters", { $0.activeParameters }),
    ("iterations", { $0.iterations }), ("seconds_per_step", { jsonNumber($0.secondsPerStep) }),
    ("batch", { $0.batch }), ("flops_per_step", { $0.flopsPerStep }),
    ("bytes_read_at_start", { $0.bytesReadAtStart }),
  ]

  /// The names of the numbers in ``jsonObject``, the test error first.
  public static var numberNames: [String] { numbers.map(\.name) }

  /// The summary as a JSON object; missing numbers are null.
  public var jsonObject: [String: Any] {
    var object: [String: Any] = [
      "digest": digest, "grid": grid, "ranks": ranks, "notes": notes,
      "zero_samples": Dictionary(
        uniqueKeysWithValues: Part.allCases.map { ($0.rawValue, zeroSamples[$0] ?? 0) }),
    ]
    for (name, value) in Self.numbers { object[name] = value(self) }
    return object.merging(facts.jsonObject) { number, _ in number }
  }
}

extension TrainingRun {
  /// Describes the run, and evaluates all parts with the present parameters.
  ///
  /// Collective.
  func summarize(
    evaluates: Bool = true, on grid: borrowing ProcessGrid
  ) throws -> TrainingSummary {
    let evaluator = Evaluator(trainer.executor, source, normalization: normalization)
    let parameters = trainer.parameters
    func errors(_ part: Part) throws -> ErrorStatistics? {
      guard evaluates else { return nil }
      return try evaluator.errors(
        configuration.training.split.range(of: part, count: source.file.sampleCount),
        parameters: parameters, on: grid)
    }
    let (training, validation, test) = (
      try errors(.training), try errors(.validation), try errors(.test)
    )
    return TrainingSummary(
      facts: facts,
      parameters: network.parameterCount, activeParameters: network.activeParameterCount,
      iterations: trainer.step, trainError: training?.knownMean,
      validationError: validation?.knownMean ?? validationError,
      testError: test?.knownMean,
      meanPredictorError: test.flatMap { $0.samples > 0 ? $0.meanPredictor : nil },
      secondsPerStep: try medianDuration(on: grid.world),
      batch: configuration.training.batch(at: max(trainer.step - 1, 0)), flopsPerStep: flopsPerStep,
      ranks: try countedRanks(on: grid), grid: "\(grid.dataGroups)x\(grid.treeRanks)",
      digest: try parameterDigest(on: grid),
      zeroSamples: [.training: training, .validation: validation, .test: test].compactMapValues {
        $0?.zeroSamples.count
      }, bytesReadAtStart: bytesReadAtStart, notes: notes
    )
  }

  /// Returns what every rank holds, sent and computed.
  ///
  /// Collective.
  private func countedRanks(on grid: borrowing ProcessGrid) throws -> [[String: Int]] {
    guard let counts else { return [] }
    let own =
      [grid.group, grid.treeRank, trainer.parameters.count, ProcessMemory.peak()]
      + counts.numbers
    let names = ["group", "tree_rank", "parameters", "peak_memory"] + StepCounts.names
    var all = [Int](repeating: 0, count: own.count * grid.world.size)
    var span = all.mutableSpan
    try grid.world.allGather(
      own.span, counts: [Int](repeating: own.count, count: grid.world.size), into: &span)
    return (0..<grid.world.size).map { rank in
      Dictionary(
        uniqueKeysWithValues: names.enumerated().map { ($1, all[rank * own.count + $0]) })
    }
  }

  /// The floating-point operations of the products of the last step, on any grid.
  private var flopsPerStep: Int {
    let load = RankLoad.all(network, TreePartition(network, ranks: 1))[0]
    let (options, step) = (configuration.training, max(trainer.step - 1, 0))
    let shards = (options.batch(at: step) + options.shard - 1) / options.shard
    return load.flopsPerSample * shards * options.shard
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
    var nanoseconds = timed.map { Int($0 * 1e9) }
    var span = nanoseconds.mutableSpan
    try communicator.allReduce(.max, &span)
    return Double(nanoseconds.sorted()[nanoseconds.count / 2]) * 1e-9
  }
}
