import BlockKernels
import ClusterTrees
import Foundation
import MessagePassing
import OperatorNetworks
import ParallelHDF5
import Training

/// What `evaluate` and `predict` share: a trained network, and a dataset that fits it.
struct TrainedNetwork {
  let header: CheckpointHeader
  let network: Network
  let dataset: Dataset

  /// Opens both.
  ///
  /// Collective.
  init(_ arguments: Arguments, needsOutputs: Bool, on world: borrowing Communicator) throws {
    let checkpoint = try arguments.required("checkpoint")
    let path = try world.agree { try Checkpoint.find(checkpoint) }
    let header = try Checkpoint.readHeader(path, on: world)
    var layout = header.configuration.layout
    layout.inputName = arguments.text("input-name") ?? layout.inputName
    layout.outputName = arguments.text("output-name") ?? layout.outputName
    if arguments.has("samples-last") { layout.samplesLast = true }
    dataset = try Dataset.load(
      try arguments.required("data"), layout: layout, needsOutputs: needsOutputs, on: world)
    self.header = header
    do {
      network = try header.network()
    } catch {
      throw TrainingError.data("\(path): \(error)")
    }
    guard dataset.points == header.points else {
      throw TrainingError.data(
        "\(dataset.path): the network was trained on \(PointDescription(header.points).text), "
          + "the dataset has \(PointDescription(dataset.points).text)")
    }
    let count = header.outputPoints?.count ?? header.points.count
    guard !needsOutputs || dataset.outputCount == count else {
      throw TrainingError.data(
        "\(dataset.path): the network has \(count) output points, the dataset "
          + "\(dataset.outputCount)")
    }
  }
}

/// `evaluate`: the errors of a trained network on a dataset.
struct EvaluateCommand {
  let arguments: Arguments
  let part: Part?

  init(_ arguments: Arguments) throws(TrainingError) {
    self.arguments = arguments
    _ = try arguments.required("checkpoint")
    _ = try arguments.required("data")
    part = try arguments.choice("part", Part.self)
  }

  /// Evaluates.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws {
    let trained = try TrainedNetwork(arguments, needsOutputs: true, on: world)
    let errors: ErrorStatistics? =
      switch trained.header.configuration.training.precision {
      case .float: try evaluate(trained, as: Float.self, on: world)
      case .double: try evaluate(trained, as: Double.self, on: world)
      }
    guard let errors else {
      throw TrainingError.usage(
        "--part \(part?.rawValue ?? ""): the split of the run leaves no sample there")
    }
    let rows: [(String, Double)] = [
      ("error mean", errors.mean), ("error max", errors.maximum), ("error std", errors.deviation),
      ("squared error mean", errors.squaredMean), ("mean predictor error", errors.meanPredictor),
    ]
    Voice.say("\("samples".padded(to: 24))\(errors.samples)")
    for (name, value) in rows { Voice.say("\(name.padded(to: 24))\(Voice.short(value))") }
    func value(_ number: Double) -> Any { number.isFinite ? number : NSNull() }
    try Voice.summarize(
      [
        "samples": errors.samples, "error_mean": value(errors.mean),
        "error_max": value(errors.maximum), "error_std": value(errors.deviation),
        "squared_error_mean": value(errors.squaredMean),
        "mean_predictor_error": value(errors.meanPredictor),
      ], to: arguments.text("summary"))
  }

  private func evaluate<Scalar: KernelScalar & HDF5Scalar & MPIScalar>(
    _ trained: TrainedNetwork, as scalar: Scalar.Type, on world: borrowing Communicator
  ) throws -> ErrorStatistics? {
    let options = trained.header.configuration.training
    let count = trained.dataset.sampleCount
    let samples = part.map { options.split.range(of: $0, count: count) } ?? 0..<count
    let parameters = try Checkpoint.readParameters(
      trained.header.path, trained.network, as: scalar, on: world)
    let evaluator = Evaluator<Scalar>(
      NetworkExecutor(trained.network, samples: options.shard, forTraining: false),
      normalization: trained.header.normalization)
    return try evaluator.errors(
      trained.dataset, samples: samples, parameters: parameters.span, on: world)
  }
}
