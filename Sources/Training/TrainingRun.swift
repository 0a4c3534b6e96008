public import BlockKernels
import Foundation
public import MessagePassing
import OperatorNetworks
public import ParallelHDF5

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
  /// The seconds that a step took, the median since the last line.
  public let secondsPerStep: Double
  /// The seconds that the remaining steps will take.
  public let secondsLeft: Double
}

/// How a run ended.
public enum TrainingOutcome: Sendable {
  /// All steps are made.
  case finished(TrainingSummary)
  /// The run had been finished before; this is its summary.
  case alreadyFinished(TrainingSummary)
  /// The run stopped early with a checkpoint.
  case stopped(TrainingSummary)
}

/// Trains a network from a dataset, with checkpoints and metrics.
public struct TrainingRun<Scalar: KernelScalar & HDF5Scalar & MPIScalar> {
  let configuration: RunConfiguration
  let options: RunOptions
  let data: Dataset
  let network: Network
  let normalization: Normalization
  let trainer: Trainer<Scalar>
  var metrics = ""
  var validationError: Double?
  var durations: [Double] = []

  /// Trains a network, or continues its training.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - configuration: All that determines the result.
  ///   - options: How the run proceeds.
  ///   - data: The dataset.
  ///   - scalar: The scalar type.
  ///   - communicator: The data groups.
  ///   - isStopRequested: Whether this rank was asked to stop.
  ///   - report: Receives the lines of progress, on rank 0.
  /// - Returns: How the run ended.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func train(
    _ configuration: RunConfiguration, options: RunOptions, data: Dataset, as scalar: Scalar.Type,
    on communicator: borrowing Communicator, isStopRequested: () -> Bool,
    report: (Progress) -> Void
  ) throws -> TrainingOutcome {
    var run = try TrainingRun(configuration, options, data, on: communicator)
    let wasFinished = try run.start(on: communicator)
    if wasFinished { return .alreadyFinished(try run.summarize(on: communicator)) }
    let isComplete = try run.steps(
      on: communicator, isStopRequested: isStopRequested, report: report)
    let summary = try run.summarize(on: communicator)
    return isComplete ? .finished(summary) : .stopped(summary)
  }

  private init(
    _ configuration: RunConfiguration, _ options: RunOptions, _ data: Dataset,
    on communicator: borrowing Communicator
  ) throws {
    self.configuration = configuration
    self.options = options
    self.data = data
    let training = configuration.training.split.range(of: .training, count: data.sampleCount)
    guard !training.isEmpty else {
      throw TrainingError.usage(
        "--split leaves no training sample of the \(data.sampleCount) in \(data.path)")
    }
    do {
      network = try Network.build(
        configuration.network, sources: data.points, receivers: data.outputPoints)
    } catch {
      throw TrainingError.usage(error.description)
    }
    normalization = Normalization(data, training: training, options: configuration.training)
    if configuration.training.loss == .relative {
      let count = data.outputCount
      for sample in training {
        let field = data.outputs[sample * count..<(sample + 1) * count]
        guard squaredNorm(field, scale: normalization.outputScale) > 0 else {
          throw TrainingError.data(
            "\(data.path): the output of sample \(sample) is zero, so its relative error is not "
              + "defined; remove it or use --loss mse")
        }
      }
    }
    trainer = Trainer(
      network, options: configuration.training, data: data, normalization: normalization,
      rank: communicator.rank, rankCount: communicator.size)
  }

  /// Draws the parameters, or reads the newest checkpoint; returns whether all steps are made.
  private mutating func start(on communicator: borrowing Communicator) throws -> Bool {
    let directory = options.directory
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      do {
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true)
      } catch {
        throw TrainingError(exitStatus: 73, "\(directory): cannot be created: \(error)")
      }
      guard options.restart else { return }
      for path in Checkpoint.list(in: directory) {
        try FileManager.default.removeItem(atPath: path)
      }
    }
    let newest = try newestCheckpoint(on: communicator)
    guard let newest else {
      trainer.initialize()
      return false
    }
    let header = try Checkpoint.readHeader(newest, on: communicator)
    let differences = configuration.differences(from: header.configuration)
    guard differences.isEmpty else {
      throw TrainingError.usage(
        "\(newest) was trained otherwise: \(differences.joined(separator: "; ")); "
          + "use the same settings, another --out, or --restart")
    }
    guard header.normalization == normalization && header.points == data.points else {
      throw TrainingError.data(
        "\(newest) was trained on other data than \(data.path); use that file, another --out, "
          + "or --restart")
    }
    trainer.resume(
      after: header.step,
      parameters: try Checkpoint.read(.parameters, newest, network, on: communicator),
      firstMoment: try Checkpoint.read(.firstMoment, newest, network, on: communicator),
      secondMoment: try Checkpoint.read(.secondMoment, newest, network, on: communicator))
    metrics = header.metrics
    return header.step >= configuration.training.iterations
  }

  /// Returns what rank 0 finds, so that all ranks go on from the same file.
  private func newestCheckpoint(on communicator: borrowing Communicator) throws -> String? {
    let found = communicator.rank == 0 ? Checkpoint.list(in: options.directory).first ?? "" : ""
    let path = String(
      decoding: try communicator.broadcast(Array(found.utf8), from: 0), as: UTF8.self)
    return path.isEmpty ? nil : path
  }

  /// Writes a checkpoint of the present state.
  ///
  /// Collective.
  func writeCheckpoint(on communicator: borrowing Communicator) throws {
    // Rank 0 keeps the metrics; datasets are written with equal contents on all ranks.
    let lines = try communicator.broadcast(Array(metrics.utf8), from: 0)
    let content = CheckpointContent(
      configuration: configuration, network: network, points: data.points,
      outputPoints: data.outputPoints, normalization: normalization, step: trainer.step,
      metrics: String(decoding: lines, as: UTF8.self), parameters: trainer.parameters,
      moments: [trainer.optimizer.firstMoment, trainer.optimizer.secondMoment],
      owned: (0..<communicator.size).map { trainer.reduction.owned(by: $0) })
    try Checkpoint.write(content, in: options.directory, on: communicator)
  }
}
