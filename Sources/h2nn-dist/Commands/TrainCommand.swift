import BlockKernels
import Checkpoints
import Datasets
import Foundation
import MessagePassing
import OperatorNetworks
import OperatorProblems
import ParallelHDF5
import Training

/// `train`: trains a network, or continues its training.
struct TrainCommand: DistributedCommand {
  static let stopsAtSignals = true
  /// The name of what the command adds to the numbers of a summary.
  static let ridgeKey = "ridge_error"

  let arguments: Arguments
  let data: String
  let network: NetworkOptions
  let training: TrainingOptions
  let options: RunOptions
  let epochs: Int?
  let repeats: Int?
  let layout: DatasetLayout
  let grid: GridOptions

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    data = try arguments.required("data")
    network = try arguments.networkOptions()
    training = try arguments.trainingOptions()
    layout = try arguments.layout()
    grid = try arguments.gridOptions()
    epochs = try arguments.integer("epochs")
    repeats = try arguments.integer("repeat")
    if let repeats, training.seed > .max - Int64(repeats) {
      throw .usage("--repeat \(repeats): --seed \(training.seed) leaves fewer seeds above it")
    }
    var options = RunOptions()
    _ = try arguments.required("out")
    try arguments.read(Setting<RunOptions>.run, into: &options)
    _ = try arguments.stallTimeout()
    options.knownOperators = [CustomOperator.known]
    self.options = options
  }

  /// Trains.
  ///
  /// Collective.
  ///
  /// - Returns: The exit status: 0, or 75 if the run stopped early.
  func run(on world: borrowing Communicator) throws -> Int32 {
    let dataset = try DatasetFile.open(data, layout: layout, on: world)
    var training = training
    if let epochs {
      let samples = training.split.range(of: .training, count: dataset.sampleCount).count
      training.setIterations(forSamples: epochs * samples)
    }
    let configuration = RunConfiguration(network: network, training: training, layout: layout)
    guard let repeats else {
      let outcome = try train(configuration, options, dataset, on: world)
      let ridge = outcome.isStopped ? nil : try ridgeError(dataset, training.split, on: world)
      let summary = try report(outcome.summary, ridge: ridge, in: options.directory)
      try Voice.summarize(summary, to: arguments.text("summary"))
      return outcome.isStopped ? ExitStatus.stoppedEarly : 0
    }
    return try train(repeats, configuration, dataset, on: world)
  }

  /// Trains one network, or continues its training.
  ///
  /// Collective.
  func train(
    _ configuration: RunConfiguration, _ options: RunOptions, _ dataset: DatasetFile,
    on world: borrowing Communicator
  ) throws -> (summary: TrainingSummary, isStopped: Bool) {
    switch configuration.training.precision {
    case .float: try train(configuration, options, dataset, as: Float.self, on: world)
    case .double: try train(configuration, options, dataset, as: Double.self, on: world)
    }
  }

  private func train<Scalar: KernelScalar & HDF5Scalar & MPIScalar>(
    _ configuration: RunConfiguration, _ options: RunOptions, _ dataset: DatasetFile,
    as scalar: Scalar.Type, on world: borrowing Communicator
  ) throws -> (summary: TrainingSummary, isStopped: Bool) {
    var table = ProgressTable()
    let outcome = try TrainingRun.train(
      configuration, options: options, data: dataset, as: scalar, gridOptions: grid, on: world,
      isStopRequested: { StopSignals.isRequested },
      begin: { RunReport(facts: $0).lines.forEach(Voice.note) }, note: { Voice.note($0) }
    ) { table.print($0) }
    switch outcome {
    case .finished(let summary): return (summary, false)
    case .alreadyFinished(let summary):
      Voice.note(
        "\(options.directory): all \(summary.iterations) steps are made; nothing to do "
          + "(--restart starts over)")
      return (summary, false)
    case .stopped(let summary):
      Voice.note(
        "\(options.directory): stopped after step \(summary.iterations) with a checkpoint; "
          + "run the same command again to continue")
      return (summary, true)
    }
  }

  /// Describes what the ranks sent and computed in a step: the sum over ranks, and the largest.
  private func counts(_ summary: TrainingSummary) -> [String] {
    guard !summary.ranks.isEmpty else { return [] }
    func row(_ title: String, _ keys: [String], _ unit: Double) -> String {
      let values = summary.ranks.map { rank in keys.reduce(0) { $0 + (rank[$1] ?? 0) } }
      let (sum, most) = (Double(values.reduce(0, +)), Double(values.max() ?? 0))
      let text =
        values.count == 1
        ? Voice.short(sum / unit)
        : "\(Voice.short(sum / unit)) (largest of a rank \(Voice.short(most / unit)))"
      return title.padded(to: 24) + text
    }
    return [
      "\("grid".padded(to: 24))\(summary.grid)",
      row("messages per step", ["messages", "collectives"], 1),
      row("MB sent per step", ["message_bytes", "collective_bytes"], 1e6),
      row("Gflop per step", ["flops"], 1e9), row("peak memory MB", ["peak_memory"], 1e6),
    ]
  }

  /// Prints the summary of one training and writes it into its directory.
  ///
  /// - Parameters:
  ///   - summary: The results of the training.
  ///   - ridge: The test error of ridge regression, where it is known.
  ///   - directory: The directory of the run.
  /// - Returns: The object that was written.
  /// - Throws: `RunError` (73) if the summary cannot be written.
  @discardableResult
  func report(
    _ summary: TrainingSummary, ridge: Double?, in directory: String
  ) throws(RunError) -> [String: Any] {
    func line(_ name: String, _ value: Double?) -> String? {
      value.map { "\(name.padded(to: 24))\(Voice.short($0))" }
    }
    let lines =
      [
        "\("parameters".padded(to: 24))\(summary.parameters)",
        line("training error", summary.trainError),
        line("validation error", summary.validationError), line("test error", summary.testError),
        line("mean predictor, test", summary.meanPredictorError),
        line("ridge regression, test", ridge),
        line("ms per step", summary.secondsPerStep.map { $0 * 1000 }),
        "\("digest".padded(to: 24))\(summary.digest)",
      ] + counts(summary)
    Voice.say(lines.compactMap { $0 }.joined(separator: "\n"))
    var object = summary.jsonObject
    object[Self.ridgeKey] = jsonNumber(ridge)
    if let verdict = verdict(summary, ridge) {
      Voice.note(verdict)
      object["notes"] = summary.notes + [verdict]
    }
    object["notes"] = (object["notes"] as? [String])?.map(OptionNames.spelled)
    try Voice.summarize(object, to: "\(directory)/summary.json")
    return object
  }

  /// Returns a remark if the network is not better than the mean, or worse than the regression.
  private func verdict(_ summary: TrainingSummary, _ ridge: Double?) -> String? {
    if summary.isNoBetterThanMean {
      return
        "the network is not better than predicting the mean of the training outputs; more steps, more "
        + "samples, or another --learning-rate or --model may help"
    }
    guard let ridge, let error = summary.testError, !(error < ridge) else { return nil }
    return "ridge regression is more accurate on the test part than the network "
      + "(\(Voice.short(ridge)) against \(Voice.short(error))): more steps, more channels, or "
      + "--linear-path with --initialize ridge may help"
  }
}
