import BlockKernels
import Checkpoints
import Datasets
import Foundation
import MessagePassing
import OperatorNetworks
import Training

/// `compare`: the errors of several trained networks on one dataset, as a table.
struct CompareCommand: DistributedCommand {
  let arguments: Arguments
  let runs: [String]
  let part: Part?

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    runs = try arguments.required("run").split(separator: ",").map(String.init)
    guard !runs.isEmpty else { throw .usage("compare: --run names no directory") }
    _ = try arguments.required("data")
    part = try arguments.choice("part", Part.self)
  }

  /// Evaluates the networks and prints a Markdown table.
  ///
  /// Collective. All runs are evaluated before anything is printed, so that a wrong one leaves no half of a table.
  /// The last row is the mean predictor of the last run.
  func run(on world: borrowing Communicator) throws -> Int32 {
    var table = [
      "| network | parameters | steps | error mean | error max | error std |",
      "|---|---|---|---|---|---|",
    ]
    var rows: [[String: Any]] = []
    var meanPredictor = Double.nan
    var last: AppliedCheckpoint?
    var notes: [String] = []
    for run in runs {
      let checkpoint = try RunCheckpoint.find(run, on: world, note: { Voice.note($0) })
      let trained = try AppliedCheckpoint(
        arguments, checkpoint, needsOutputs: true, sharing: last, on: world)
      last = trained
      guard let errors = try trained.errors(part, on: world) else {
        throw RunError.usage(
          "--part \(part?.rawValue ?? ""): the split of \(run) leaves no sample there")
      }
      guard errors.samples > 0 else {
        throw RunError.data(
          "\(trained.file.path): the outputs of all \(errors.zeroSamples.count) samples are zero, so they "
            + "have no relative error")
      }
      notes += [errors.remark(on: part.map { "\(run), \($0.rawValue) part" } ?? run)]
        .compactMap { $0 }
      let name = (run as NSString).lastPathComponent
      let cells = [
        name, "\(trained.network.parameterCount)", "\(trained.header.step)",
        Voice.short(errors.mean), Voice.short(errors.maximum), Voice.short(errors.deviation),
      ]
      table.append("| \(cells.joined(separator: " | ")) |")
      rows.append([
        "network": name, "parameters": trained.network.parameterCount,
        "iterations": trained.header.step, "samples": errors.samples,
        "error_mean": jsonNumber(errors.mean), "error_max": jsonNumber(errors.maximum),
        "error_std": jsonNumber(errors.deviation), "zero_samples": errors.zeroSamples.count,
      ])
      meanPredictor = errors.meanPredictor
    }
    table.append("| mean of the training outputs | | | \(Voice.short(meanPredictor)) | | |")
    Voice.say(table.joined(separator: "\n"))
    for text in notes { Voice.note(text) }
    try Voice.summarize(
      ["networks": rows, "notes": notes, "mean_predictor_error": jsonNumber(meanPredictor)],
      to: arguments.text("summary"))
    return 0
  }
}
