import BlockKernels
import ClusterTrees
import Foundation
import MessagePassing
import OperatorNetworks
import ParallelHDF5
import Training

/// `predict`: the outputs of input fields.
struct PredictCommand {
  let arguments: Arguments
  let out: OutputFile

  init(_ arguments: Arguments) throws(TrainingError) {
    self.arguments = arguments
    _ = try arguments.required("checkpoint")
    _ = try arguments.required("data")
    out = try OutputFile(arguments)
  }

  /// Predicts.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws {
    try out.check(on: world)
    let trained = try TrainedNetwork(arguments, needsOutputs: false, on: world)
    switch trained.header.configuration.training.precision {
    case .float: try predict(trained, as: Float.self, on: world)
    case .double: try predict(trained, as: Double.self, on: world)
    }
    Voice.say("\(out.path): \(trained.dataset.sampleCount) predictions")
    try Voice.summarize(
      ["samples": trained.dataset.sampleCount], to: arguments.text("summary"))
  }

  private func predict<Scalar: KernelScalar & HDF5Scalar & MPIScalar>(
    _ trained: TrainedNetwork, as scalar: Scalar.Type, on world: borrowing Communicator
  ) throws {
    let header = trained.header
    let parameters = try Checkpoint.readParameters(
      header.path, trained.network, as: scalar, on: world)
    let evaluator = Evaluator<Scalar>(
      NetworkExecutor(
        trained.network, samples: header.configuration.training.shard, forTraining: false),
      normalization: header.normalization)
    let count = trained.dataset.sampleCount
    let samples = count * world.rank / world.size..<count * (world.rank + 1) / world.size
    var outputs: [Double] = []
    evaluator.predict(trained.dataset, samples: samples, parameters: parameters.span) {
      outputs += $1
    }
    let receivers = header.outputPoints ?? header.points
    let shape = receivers.gridShape ?? [receivers.count]
    try out.write(on: world) { path in
      let file = try HDF5File.create(path, on: world)
      try file.setAttribute("program", "h2nn-dist \(Checkpoint.programVersion)")
      try file.setAttribute("checkpoint_step", Int64(header.step))
      try file.createDataset("/Output", shape: [count] + shape, as: Double.self)
      try file.write("/Output", rows: samples, from: outputs.span)
      try file.close()
    }
  }
}

/// Points in words, for messages.
struct PointDescription {
  let text: String

  init(_ points: PointSet) {
    if let shape = points.gridShape {
      text = "a grid of \(shape.map(String.init).joined(separator: "x")) points"
    } else {
      text = "\(points.count) points in \(points.dimension) dimensions"
    }
  }
}
