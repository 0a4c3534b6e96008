import BlockKernels
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

  let arguments: Arguments
  let data: String
  let network: NetworkOptions
  let training: TrainingOptions
  let options: RunOptions
  let epochs: Int?
  let repeats: Int?
  let layout: DatasetLayout
  let grid: GridOptions

  init(_ arguments: Arguments) throws(TrainingError) {
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
    options.directory = try arguments.required("out")
    options.restart = arguments.has("restart")
    options.stopAfter = try arguments.integer("stop-after")
    options.reportEvery = try arguments.integer("report-every") ?? options.reportEvery
    options.validateEvery =
      try arguments.integer("validate-every", atLeast: 0) ?? options.validateEvery
    options.checkpointEvery =
      try arguments.integer("checkpoint-every", atLeast: 0) ?? options.checkpointEvery
    let memory = try arguments.integer("sample-memory", atLeast: 0)
    options.sampleMemory = memory.map { $0 * 1_000_000 } ?? options.sampleMemory
    let stall = try arguments.integer("stall-timeout", atLeast: 0) ?? 600
    options.stallTimeout = stall == 0 ? nil : .seconds(stall)
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
      try report(outcome.summary, in: options.directory)
      try Voice.summarize(outcome.summary.jsonObject, to: arguments.text("summary"))
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
    let outcome = try TrainingRun.train(
      configuration, options: options, data: dataset, as: scalar, gridOptions: grid, on: world,
      isStopRequested: { StopSignals.isRequested }, note: { Voice.note($0) }
    ) { progress in
      let validation = progress.validationError.map { "  error \(Voice.short($0))" } ?? ""
      Voice.progress(
        "\(String(progress.step).aligned(to: 7))/\(progress.iterations)  "
          + "loss \(Voice.short(progress.loss))\(validation)  "
          + "\(Voice.short(progress.secondsPerStep * 1000)) ms/step  "
          + "\(Voice.duration(progress.secondsLeft)) left",
        isLast: progress.isLast)
    }
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
  func report(_ summary: TrainingSummary, in directory: String) throws(TrainingError) {
    func line(_ name: String, _ value: Double?) -> String? {
      value.map { "\(name.padded(to: 24))\(Voice.short($0))" }
    }
    let lines =
      [
        "\("parameters".padded(to: 24))\(summary.parameters)",
        line("training error", summary.trainError),
        line("validation error", summary.validationError), line("test error", summary.testError),
        line("mean predictor, test", summary.meanPredictorError),
        line("ms per step", summary.secondsPerStep.map { $0 * 1000 }),
        "\("digest".padded(to: 24))\(summary.digest)",
      ] + counts(summary)
    Voice.say(lines.compactMap { $0 }.joined(separator: "\n"))
    try Voice.summarize(summary.jsonObject, to: "\(directory)/summary.json")
  }
}
