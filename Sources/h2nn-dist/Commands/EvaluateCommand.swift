import BlockKernels
import Checkpoints
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5
import Training

/// `evaluate`: the errors of a trained network on a dataset.
struct EvaluateCommand: DistributedCommand {
  let arguments: Arguments
  let part: Part?

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    _ = try arguments.required("checkpoint")
    _ = try arguments.required("data")
    part = try arguments.choice("part", Part.self)
  }

  /// Evaluates.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    let trained = try AppliedCheckpoint(arguments, needsOutputs: true, on: world)
    let errors = try trained.errors(part, on: world)
    guard let errors else {
      throw RunError.usage(
        "--part \(part?.rawValue ?? ""): the split of the run leaves no sample there")
    }
    guard errors.samples > 0 else {
      throw RunError.data(
        "\(trained.file.path): the outputs of all \(errors.zeroSamples.count) samples are zero, so they have "
          + "no relative error")
    }
    let notes = [errors.remark(on: part.map { "\($0.rawValue) part" } ?? trained.file.path)]
      .compactMap { $0 }
    if part == nil {
      Voice.note(
        "all \(trained.file.sampleCount) samples; if the network was trained on some of them, --part test has the others"
      )
    }
    for text in notes { Voice.note(text) }
    let rows: [(String, Double)] = [
      ("error mean", errors.mean), ("error max", errors.maximum), ("error std", errors.deviation),
      ("squared error mean", errors.squaredMean), ("mean predictor error", errors.meanPredictor),
    ]
    Voice.say("\("samples".padded(to: 24))\(errors.samples)")
    if !errors.zeroSamples.isEmpty {
      Voice.say("\("left out, zero".padded(to: 24))\(errors.zeroSamples.count)")
    }
    for (name, value) in rows { Voice.say("\(name.padded(to: 24))\(Voice.short(value))") }
    try Voice.summarize(
      [
        "samples": errors.samples, "zero_samples": errors.zeroSamples.count, "notes": notes,
        "error_mean": jsonNumber(errors.mean),
        "error_max": jsonNumber(errors.maximum), "error_std": jsonNumber(errors.deviation),
        "squared_error_mean": jsonNumber(errors.squaredMean),
        "mean_predictor_error": jsonNumber(errors.meanPredictor),
      ], to: arguments.text("summary"))
    return 0
  }
}
