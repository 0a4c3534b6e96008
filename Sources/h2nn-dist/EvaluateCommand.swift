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
  private let layout: DatasetLayout

  /// Opens the checkpoint that `--checkpoint` names, and the dataset.
  ///
  /// Collective.
  init(_ arguments: Arguments, needsOutputs: Bool, on world: borrowing Communicator) throws {
    let path = try arguments.required("checkpoint")
    let file = try world.agree { try Checkpoint.find(path) }
    try self.init(
      arguments, try Checkpoint.readHeader(file, on: world), needsOutputs: needsOutputs, on: world)
  }

  /// Builds the network of a checkpoint, and reads the dataset that `--data` names, or takes that of another
  /// network if it was read alike.
  ///
  /// Collective.
  init(
    _ arguments: Arguments, _ header: CheckpointHeader, needsOutputs: Bool,
    sharing other: TrainedNetwork? = nil, on world: borrowing Communicator
  ) throws {
    var layout = header.configuration.layout
    layout.inputName = arguments.text("input-name") ?? layout.inputName
    layout.outputName = arguments.text("output-name") ?? layout.outputName
    if arguments.has("samples-last") { layout.samplesLast = true }
    if let other, other.layout == layout {
      dataset = other.dataset
    } else {
      dataset = try Dataset.load(
        try arguments.required("data"), layout: layout, needsOutputs: needsOutputs, on: world)
    }
    self.layout = layout
    self.header = header
    do {
      network = try header.network()
    } catch {
      throw TrainingError.data("\(header.path): \(error)")
    }
    guard dataset.points == header.points,
      !needsOutputs || dataset.outputPoints == header.outputPoints
    else {
      throw TrainingError.data(
        "\(dataset.path): the network was trained on "
          + "\(PointDescription(header.points, header.outputPoints).text), the dataset has "
          + PointDescription(dataset.points, dataset.outputPoints).text)
    }
  }
}

extension TrainedNetwork {
  /// Computes the errors on a part of the dataset, or on all of it.
  ///
  /// Collective.
  func errors(
    _ part: Part?, on world: borrowing Communicator
  ) throws -> ErrorStatistics? {
    switch header.configuration.training.precision {
    case .float: try errors(part, as: Float.self, on: world)
    case .double: try errors(part, as: Double.self, on: world)
    }
  }

  private func errors<Scalar: KernelScalar & HDF5Scalar & MPIScalar>(
    _ part: Part?, as scalar: Scalar.Type, on world: borrowing Communicator
  ) throws -> ErrorStatistics? {
    let options = header.configuration.training
    let count = dataset.sampleCount
    let samples = part.map { options.split.range(of: $0, count: count) } ?? 0..<count
    let parameters = try Checkpoint.readParameters(header.path, network, as: scalar, on: world)
    return try evaluator(as: scalar).errors(
      dataset, samples: samples, parameters: parameters.span, on: world)
  }

  /// Predicts the outputs of samples, or of this rank's share of all samples.
  ///
  /// Collective.
  ///
  /// - Returns: The samples, and their outputs one after the other.
  func predict(
    _ samples: Range<Int>?, on world: borrowing Communicator
  ) throws -> (samples: Range<Int>, outputs: [Double]) {
    switch header.configuration.training.precision {
    case .float: try predict(samples, as: Float.self, on: world)
    case .double: try predict(samples, as: Double.self, on: world)
    }
  }

  private func predict<Scalar: KernelScalar & HDF5Scalar & MPIScalar>(
    _ samples: Range<Int>?, as scalar: Scalar.Type, on world: borrowing Communicator
  ) throws -> (samples: Range<Int>, outputs: [Double]) {
    let parameters = try Checkpoint.readParameters(header.path, network, as: scalar, on: world)
    let evaluator = evaluator(as: scalar)
    let chosen =
      samples
      ?? evaluator.share(of: dataset.sampleCount, pieces: world.size, piece: world.rank)
    var outputs: [Double] = []
    evaluator.predict(dataset, samples: chosen, parameters: parameters.span) { outputs += $1 }
    return (chosen, outputs)
  }

  private func evaluator<Scalar: KernelScalar & HDF5Scalar & MPIScalar>(
    as scalar: Scalar.Type
  ) -> Evaluator<Scalar> {
    Evaluator(
      NetworkExecutor(
        network, samples: header.configuration.training.shard, forTraining: false),
      normalization: header.normalization)
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
    let errors = try trained.errors(part, on: world)
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
    try Voice.summarize(
      [
        "samples": errors.samples, "error_mean": jsonNumber(errors.mean),
        "error_max": jsonNumber(errors.maximum), "error_std": jsonNumber(errors.deviation),
        "squared_error_mean": jsonNumber(errors.squaredMean),
        "mean_predictor_error": jsonNumber(errors.meanPredictor),
      ], to: arguments.text("summary"))
  }
}
