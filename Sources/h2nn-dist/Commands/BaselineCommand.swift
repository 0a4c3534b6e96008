import Checkpoints
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import ParallelHDF5
import Regressions
import Training

/// `baseline`: the errors of regressions without a network, on the splits that `train` makes.
struct BaselineCommand: DistributedCommand {
  let arguments: Arguments
  let data: String
  let layout: DatasetLayout
  let options: BaselineOptions
  let part: Part
  let out: OutputFile?

  /// The part whose errors are computed, unless another one is asked for.
  static let standardPart = Part.test

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    data = try arguments.required("data")
    layout = try arguments.layout()
    var options = BaselineOptions()
    _ = try arguments.required("method")
    options.method = try arguments.choice("method", BaselineMethod.self) ?? options.method
    try arguments.read(Setting<BaselineOptions>.regression + [.split], into: &options)
    self.options = options
    part = try arguments.choice("part", Part.self) ?? Self.standardPart
    out = arguments.has("out") ? try OutputFile(arguments) : nil
    let foreign: [String] =
      switch options.method {
      case .mean:
        ["kernel", "length-scale", "regularization", "samples-limit", "search-samples"]
      case .ridge: ["kernel", "length-scale", "search-samples"]
      case .kernelRidge: []
      }
    if let name = foreign.first(where: { arguments.has($0) }) {
      throw .usage("--\(name) has no meaning with --method \(options.method.rawValue)")
    }
  }

  /// Fits and evaluates.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try out?.check(on: world)
    let start = ContinuousClock.now
    let dataset = try Dataset.load(data, layout: layout, on: world)
    let result = try Baseline.run(
      options, dataset, part: part, keepsOutputs: out != nil, on: world
    ) { Voice.note($0) }
    let duration = (ContinuousClock.now - start).components
    let seconds = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    try out?.write(on: world) { path in
      let points = dataset.outputPoints ?? dataset.points
      let samples = options.split.range(of: part, count: dataset.sampleCount)
      let file = try HDF5File.create(path, on: world)
      try file.setAttribute("program", "h2nn-dist \(Checkpoint.programVersion)")
      try file.setAttribute("method", options.method.rawValue)
      try file.setAttribute("first_sample", Int64(samples.lowerBound))
      let shape = [samples.count] + (points.gridShape ?? [points.count])
      try file.createDataset("/Output", shape: shape, as: Double.self)
      let rows = result.own.lowerBound - samples.lowerBound
      try file.write(
        "/Output", rows: rows..<rows + result.own.count, from: result.outputs.span)
      try file.close()
    }
    guard result.errors.samples > 0 else {
      throw RunError.data(
        "\(data): the outputs of all \(result.errors.zeroSamples.count) samples of the \(part.rawValue) part are "
          + "zero, so they have no relative error")
    }
    report(result, seconds)
    try Voice.summarize(summary(result, seconds), to: arguments.text("summary"))
    return 0
  }

  private var name: String {
    options.method == .kernelRidge
      ? "\(options.method.rawValue), \(options.kernel.rawValue)" : options.method.rawValue
  }

  private func report(_ result: BaselineResult, _ seconds: Double) {
    let errors = result.errors
    let isLimited = result.fittedSamples < result.trainingSamples
    let limit = isLimited ? " (--samples-limit; the first ones)" : ""
    func line(_ name: String, _ value: Double?, _ more: String = "") -> String? {
      value.map { "\(name.padded(to: 24))\(Voice.short($0))\(more)" }
    }
    let source = result.heldOut ? "samples held out of the training part" : "validation samples"
    let choice =
      result.candidates == 0
      ? "" : ", best of \(result.candidates) choices on \(result.comparedSamples) \(source)"
    let median = result.medianDistance.map { " × median distance \(Voice.short($0))" } ?? ""
    let lines: [String?] = [
      "\("method".padded(to: 24))\(name)",
      "\("fitted to".padded(to: 24))\(result.fittedSamples) of \(result.trainingSamples) training "
        + "samples\(limit)",
      line("length scale", result.lengthScale, median),
      line("regularization", result.regularization, " × mean of the diagonal\(choice)"),
      line("training error", result.trainError), line("validation error", result.validationError),
      "\("part".padded(to: 24))\(part.rawValue)", "\("samples".padded(to: 24))\(errors.samples)",
      errors.zeroSamples.isEmpty
        ? nil : "\("left out, zero".padded(to: 24))\(errors.zeroSamples.count)",
      line("error mean", errors.mean), line("error max", errors.maximum),
      line("error std", errors.deviation), line("squared error mean", errors.squaredMean),
      line("mean predictor error", errors.meanPredictor), line("seconds", seconds),
    ]
    Voice.say(lines.compactMap { $0 }.joined(separator: "\n"))
    if let out { Voice.say("\(out.path): \(errors.samples) predictions") }
  }

  private func summary(_ result: BaselineResult, _ seconds: Double) -> [String: Any] {
    let errors = result.errors
    return [
      "method": options.method.rawValue,
      "kernel": options.method == .kernelRidge ? options.kernel.rawValue : NSNull(),
      "part": part.rawValue, "training_samples": result.trainingSamples,
      "fitted_samples": result.fittedSamples,
      "regularization": jsonNumber(result.regularization),
      "length_scale": jsonNumber(result.lengthScale),
      "median_distance": jsonNumber(result.medianDistance), "choices": result.candidates,
      "compared_samples": result.comparedSamples, "held_out": result.heldOut,
      "train_error": jsonNumber(result.trainError),
      "validation_error": jsonNumber(result.validationError), "samples": errors.samples,
      "zero_samples": errors.zeroSamples.count, "notes": result.notes.map(OptionNames.spelled),
      "error_mean": jsonNumber(errors.mean), "error_max": jsonNumber(errors.maximum),
      "error_std": jsonNumber(errors.deviation),
      "squared_error_mean": jsonNumber(errors.squaredMean),
      "mean_predictor_error": jsonNumber(errors.meanPredictor), "seconds": seconds,
    ]
  }
}
