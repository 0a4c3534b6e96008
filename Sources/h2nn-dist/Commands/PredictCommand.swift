import BlockKernels
import Checkpoints
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import OperatorNetworks
import ParallelHDF5
import Training

/// `predict`: the outputs of input fields.
struct PredictCommand: DistributedCommand {
  let arguments: Arguments
  let out: OutputFile

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    _ = try arguments.required("checkpoint")
    _ = try arguments.required("data")
    out = try OutputFile(arguments)
  }

  /// Predicts.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try out.check(on: world)
    let trained = try AppliedCheckpoint(arguments, needsOutputs: false, on: world)
    let (samples, outputs) = try trained.predict(nil, on: world)
    let receivers = trained.header.outputPoints ?? trained.header.points
    let shape = receivers.gridShape ?? [receivers.count]
    try out.write(on: world) { path in
      let file = try HDF5File.create(path, on: world)
      try file.setAttribute("program", "h2nn-dist \(Checkpoint.programVersion)")
      try file.setAttribute("checkpoint_step", Int64(trained.header.step))
      try file.createDataset(
        "/Output", shape: [trained.file.sampleCount] + shape, as: Double.self)
      try file.write("/Output", rows: samples, from: outputs.span)
      try file.close()
    }
    Voice.say("\(out.path): \(trained.file.sampleCount) predictions")
    try Voice.summarize(
      ["samples": trained.file.sampleCount], to: arguments.text("summary"))
    return 0
  }
}
