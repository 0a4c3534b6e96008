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
  /// The loss of the first line of the metrics.
  var firstLoss: Double?

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
  ///   - note: Receives remarks that the user should see.
  ///   - report: Receives the lines of progress, on rank 0.
  /// - Returns: How the run ended.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func train(
    _ configuration: RunConfiguration, options: RunOptions, data: Dataset, as scalar: Scalar.Type,
    on communicator: borrowing Communicator, isStopRequested: () -> Bool,
    note: (String) -> Void, report: (Progress) -> Void
  ) throws -> TrainingOutcome {
    var run = try TrainingRun(configuration, options, data, on: communicator)
    let wasFinished = try run.start(note: note, on: communicator)
    if wasFinished { return .alreadyFinished(try run.summarize(on: communicator)) }
    let isComplete = try run.steps(
      on: communicator, isStopRequested: isStopRequested, report: report)
    // A run that is stopped may have little time left, and its test part is nobody's business yet.
    return isComplete
      ? .finished(try run.summarize(on: communicator))
      : .stopped(try run.summarize(evaluates: false, on: communicator))
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
  private mutating func start(
    note: (String) -> Void, on communicator: borrowing Communicator
  ) throws -> Bool {
    try communicator.agree {
      if communicator.rank == 0 { try prepareDirectory() }
    }
    var damage: (any Error)?
    for path in try checkpoints(on: communicator) {
      do {
        let header = try Checkpoint.readHeader(path, on: communicator)
        try check(header)
        try resume(header, on: communicator)
        try communicator.agree { if communicator.rank == 0 { try writeMetrics() } }
        return trainer.step >= configuration.training.iterations
      } catch let mismatch as Mismatch {
        throw mismatch.error
      } catch let error where ExitStatus.status(of: error) == ExitStatus.wrongContent {
        note("\(ExitStatus.message(of: error)); trying the checkpoint before it")
        damage = error
      }
    }
    if let damage { throw damage }
    trainer.initialize()
    try communicator.agree { if communicator.rank == 0 { try writeMetrics() } }
    return false
  }

  /// Makes the directory of the run, and empties it to start over.
  private func prepareDirectory() throws(TrainingError) {
    let (files, directory) = (FileManager.default, options.directory)
    do {
      try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
      guard options.restart else { return }
      let results = ["metrics.jsonl", "summary.json"].map { "\(directory)/\($0)" }
      for path in Checkpoint.list(in: directory) + results where files.fileExists(atPath: path) {
        try files.removeItem(atPath: path)
      }
    } catch {
      let reason = (error as NSError).userInfo[NSUnderlyingErrorKey] ?? error
      throw TrainingError(
        exitStatus: ExitStatus.cannotCreate,
        "\(directory): cannot be made ready for a run; choose another --out (\(reason))")
    }
  }

  /// Returns the checkpoints that rank 0 finds, the newest first, so that all ranks try the same files.
  private func checkpoints(on communicator: borrowing Communicator) throws -> [String] {
    let found = communicator.rank == 0 ? Checkpoint.list(in: options.directory) : []
    let text = try communicator.broadcast(Array(found.joined(separator: "\n").utf8), from: 0)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// A checkpoint that is whole and belongs to another run.
  private struct Mismatch: Error {
    let error: TrainingError
  }

  /// Refuses a checkpoint of another run.
  private func check(_ header: CheckpointHeader) throws(Mismatch) {
    let differences = configuration.differences(from: header.configuration)
    guard differences.isEmpty else {
      throw Mismatch(
        error: .usage(
          "\(header.path) was trained with other settings: "
            + "\(differences.joined(separator: "; ")); use the same ones, another --out, or "
            + "--restart"))
    }
    guard header.normalization == normalization, header.points == data.points,
      header.outputPoints == data.outputPoints
    else {
      throw Mismatch(
        error: .data(
          "\(header.path) was trained on other data than \(data.path); use that file, another "
            + "--out, or --restart"))
    }
  }

  /// Continues from a checkpoint.
  private mutating func resume(
    _ header: CheckpointHeader, on communicator: borrowing Communicator
  ) throws {
    let path = header.path
    trainer.resume(
      after: header.step,
      parameters: try Checkpoint.read(.parameters, path, network, on: communicator),
      firstMoment: try Checkpoint.read(.firstMoment, path, network, on: communicator),
      secondMoment: try Checkpoint.read(.secondMoment, path, network, on: communicator))
    metrics = header.metrics
    firstLoss = MetricsLine.read(header.metrics).first?.loss
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
