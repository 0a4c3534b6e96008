import Datasets
import MessagePassing
import Regressions
import Training

extension Setting<RunOptions> {
  /// The options that say how a run proceeds.
  static let run: [Setting] = [
    Setting(
      "out", "DIR", "directory of checkpoints, metrics and summary", \.directory,
      shown: { _ in nil }
    ) { $0.text("out") },
    .flag("restart", "start over although DIR has checkpoints", \.restart),
    .integer(
      "stop-after", "n", "stop after step n with a checkpoint and status 75", \.stopAfter),
    .integer("report-every", "n", "steps between two lines of progress", \.reportEvery),
    .integer(
      "validate-every", "n", "steps between two validations, 0 for none", \.validateEvery,
      atLeast: 0),
    .integer(
      "checkpoint-every", "n", "steps between two checkpoints, 0 for the last only",
      \.checkpointEvery, atLeast: 0),
    Setting(
      "sample-memory", "MB",
      "hold the samples in memory if no rank needs more, else read them step by step",
      \.sampleMemory, shown: { "\(($0 + 500_000) / 1_000_000)" }
    ) { (arguments) throws(RunError) in
      try arguments.integer("sample-memory", atLeast: 0).map { $0 * 1_000_000 }
    },
  ]

  /// Returns some of the options of a run, by their names, with their defaults.
  static func specs(_ names: String...) -> [OptionSpec] {
    let all = [OptionSpec](run, of: RunOptions())
    return names.compactMap { name in all.first { $0.name == name } }
  }
}

/// How the ranks of a verb watch over each other.
struct WatchOptions: Sendable {
  /// The longest time that a rank may wait for another one; for ever if nil.
  var stallTimeout: Duration? = .seconds(600)
}

extension Setting<WatchOptions> {
  static let stallTimeout = Setting(
    "stall-timeout", "s", "end all ranks when one waits longer for another, 0 for never",
    \.stallTimeout, shown: { "\($0?.components.seconds ?? 0)" }
  ) { (arguments) throws(RunError) in
    guard let seconds = try arguments.integer("stall-timeout", atLeast: 0) else { return nil }
    let timeout: Duration? = seconds == 0 ? nil : .seconds(seconds)
    return .some(timeout)
  }
}

extension Setting<DatasetLayout> {
  /// The options that say where the fields stand in a dataset.
  static let layout: [Setting] = [
    .text("input-name", "NAME", "dataset of the input fields", \.inputName),
    .text("output-name", "NAME", "dataset of the output fields", \.outputName),
    .flag("samples-last", "the samples are the last dimension, not the first", \.samplesLast),
  ]
}

extension Setting<BaselineOptions> {
  /// The options of a regression.
  static let regression: [Setting] = [
    .real(
      "regularization", "x", "λ, as a multiple of the mean of the diagonal of the matrix",
      \.regularization, 0...1e300,
      standard: "the best on the validation part, or on a fifth held out of the training"),
    .choice(
      "kernel", "NAME", "kernel-ridge: gaussian, or matern of the order 5/2", \.kernel),
    .real(
      "length-scale", "x", "kernel-ridge: as a multiple of the median distance of inputs",
      \.lengthScale, 1e-6...1e6, standard: "the best, as λ"),
    .integer(
      "samples-limit", "n", "use the first n training samples; kernel-ridge needs 8n² bytes",
      \.samplesLimit, standard: "all; \(BaselineOptions.kernelSamples) for kernel-ridge"),
    .integer(
      "search-samples", "n", "kernel-ridge: fit to the first n while choosing", \.searchLimit),
  ]

  static let split = Setting(
    "split", "a,b,c", "fractions for training, validation and test", \.split, shown: \.text
  ) { (arguments) throws(RunError) in try arguments.split() }
}

extension Arguments {
  /// Returns how long a rank may wait for another one; nil for ever.
  func stallTimeout() throws(RunError) -> Duration? {
    var options = WatchOptions()
    try read([.stallTimeout], into: &options)
    return options.stallTimeout
  }

  /// Returns where the fields stand in a dataset.
  func layout() throws(RunError) -> DatasetLayout {
    var layout = DatasetLayout()
    try read(Setting<DatasetLayout>.layout, into: &layout)
    return layout
  }
}
