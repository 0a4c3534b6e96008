import BlockKernels
import Checkpoints
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import OperatorNetworks
import ParallelHDF5
import Training

/// `plot`: the losses of runs, and predictions against the truth, as an SVG picture.
struct PlotCommand: DistributedCommand {
  let arguments: Arguments
  let runs: [String]
  let out: OutputFile
  let sample: Int?

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    runs = try arguments.required("run").split(separator: ",").map(String.init)
    out = try OutputFile(arguments)
    sample = try arguments.integer("sample", atLeast: 0)
  }

  /// Draws.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try out.check(on: world)
    var losses = Chart(
      title: "Training", xTitle: "step", yTitle: "loss", isLogarithmic: true)
    var fields: Chart?
    var last: AppliedCheckpoint?
    for (index, path) in runs.enumerated() {
      let checkpoint = try RunCheckpoint.find(path, on: world, note: { Voice.note($0) })
      let name = (path as NSString).lastPathComponent
      let points = lossPoints(of: checkpoint.header)
      losses.series.append(Series(name: name, points: points, colour: index + 1))
      guard arguments.has("data") else { continue }
      let trained = try AppliedCheckpoint(
        arguments, checkpoint, needsOutputs: true, sharing: last, on: world)
      last = trained
      try add(trained, name, index + 1, to: &fields, on: world)
    }
    let charts = [losses] + (fields.map { [$0] } ?? [])
    try out.write(on: world) { path in
      // The other ranks wait for the first one.
      try world.stallWatch.resting {
        try world.agree {
          guard world.rank == 0 else { return }
          do {
            try Chart.svg(charts).write(toFile: path, atomically: false, encoding: .utf8)
          } catch {
            throw RunError(
              exitStatus: ExitStatus.cannotCreate,
              "\(path): cannot be written: \(ExitStatus.reason(of: error))")
          }
        }
      }
    }
    Voice.say("\(out.path): \(charts.count) chart\(charts.count == 1 ? "" : "s")")
    try Voice.summarize(["charts": charts.count], to: arguments.text("summary"))
    return 0
  }

  private struct Line: Decodable {
    let step: Int
    let loss: Double
  }

  private func lossPoints(of header: CheckpointHeader) -> [(x: Double, y: Double)] {
    header.metrics.split(separator: "\n").compactMap { line in
      let decoded = try? JSONDecoder().decode(Line.self, from: Data(line.utf8))
      return decoded.map { (Double($0.step), $0.loss) }
    }
  }

  /// Adds the prediction of one network; the truth is added with the first.
  private func add(
    _ trained: AppliedCheckpoint, _ name: String, _ colour: Int, to chart: inout Chart?,
    on world: borrowing Communicator
  ) throws {
    let data = trained.file
    let receivers = data.outputPoints ?? data.points
    let sample = sample ?? data.sampleCount - 1
    guard sample < data.sampleCount else {
      throw RunError.usage(
        "--sample \(sample): the dataset has the samples 0 to \(data.sampleCount - 1)")
    }
    guard receivers.dimension == 1 else {
      if colour == 1 {
        Voice.note(
          "predictions are drawn in one dimension only, these have \(receivers.dimension); predict writes them "
            + "into a file")
      }
      return
    }
    func line(_ values: [Double]) -> [(x: Double, y: Double)] {
      zip(receivers.coordinates, values).map { ($0, $1) }.sorted { $0.x < $1.x }
    }
    if chart == nil {
      let truth = try trained.source.output(of: sample)
      chart = Chart(
        title: "Sample \(sample)", xTitle: "x", yTitle: "u",
        series: [Series(name: "truth", points: line(truth), colour: 0)])
    }
    let output = try trained.predict(sample..<sample + 1, on: world).outputs
    chart?.series.append(
      Series(name: name, points: line(output), colour: colour, isDashed: true))
  }
}
