import Datasets
import MessagePassing
import OperatorNetworks
import OperatorProblems
import Training

extension Setting<TrainingOptions> {
  private static var finite: ClosedRange<Double> { 0...Double.greatestFiniteMagnitude }

  static let batch = integer("batch", "B", "samples of a step", \.batch)
  static let shard = Setting(
    "shard", "S", "samples of a shard, a multiple of 16", \.shard,
    standard: "\(TrainingOptions().shard), or what a smaller batch fills"
  ) { (arguments) throws(RunError) in try arguments.integer("shard") }
  static let precision = choice("precision", "NAME", "float or double", \.precision)
  static let seed = Setting("seed", "n", "seed of parameters and batches", \.seed) {
    (arguments) throws(RunError) in try arguments.seed()
  }

  /// The options that say how a network is trained.
  static let training: [Setting] = [
    .choice("loss", "NAME", "relative (squared relative residual) or mse", \.loss),
    .choice("optimizer", "NAME", "adam or nadam", \.optimizer),
    .real(
      "learning-rate", "η", "learning rate at first", \.learningRate,
      // Subnormal numbers are zero in this program.
      Double.leastNormalMagnitude...Double.greatestFiniteMagnitude,
      standard: "1/n, at most 0.025; n is the largest fan-in"),
    .choice("schedule", "NAME", "constant, cosine, step or plateau", \.schedule),
    .integer(
      "warmup", "n", "steps over which the rate rises at first", \.warmup, atLeast: 0,
      standard: "a twentieth of all"),
    .integer("step-every", "n", "schedule step: steps between two changes", \.stepEvery),
    .real(
      "step-factor", "x", "schedule step, plateau: the factor of a change", \.stepFactor, 0...1),
    .integer(
      "plateau-every", "n", "schedule plateau: steps between two validations that count",
      \.plateauEvery),
    .integer(
      "plateau-patience", "n", "schedule plateau: validations without improvement that change",
      \.plateauPatience),
    .real(
      "plateau-threshold", "x", "schedule plateau: the least relative improvement",
      \.plateauThreshold, 0...0.999),
    .fractions(
      "drop-at", "a,b,…", "fractions of the steps after which the rate is multiplied by √0.1",
      \.dropAt),
    .real("beta1", "x", "decay of the first moment", \.beta1, 0...0.999999),
    .real("beta2", "x", "decay of the second moment", \.beta2, 0...0.999999999),
    .real(
      "epsilon", "x", "Adam's ε, added to √v; suits gradients of order one", \.epsilon,
      finite),
    .choice(
      "nadam-momentum", "NAME", "constant, or keras for the schedule of Keras 2",
      \.nadamMomentum),
    .choice("initializer", "NAME", "glorot, normal or keras", \.initializer),
    Setting(
      "initialize", "NAME",
      "what a linear path is at first: random, ridge, ridge:λ or operator:custom-operator",
      \.initialize, standard: "random"
    ) { (arguments) throws(RunError) in try arguments.linearStart() },
    batch, shard,
    .fractions(
      "batch-growth", "a,b,…", "fractions of the steps after which the batch is doubled",
      \.batchGrowth),
    .integer("iterations", "n", "number of steps", \.iterations, atLeast: 0),
    // How many steps that is follows from the number of samples.
    Setting(
      "epochs", "n", "passes over the training part, instead of --iterations", \.iterations,
      shown: { _ in nil }, parse: { _ in nil }),
    Setting(
      "split", "a,b,c", "fractions for training, validation and test", \.split, shown: \.text
    ) { (arguments) throws(RunError) in try arguments.split() },
    precision, seed,
    .shift(
      "input-shift", "subtracted from inputs: none, mean, pointwise or a number", \.inputShift),
    .scale("input-scale", "inputs divided by: none, deviation or a number", \.inputScale),
    .shift(
      "output-shift", "subtracted from outputs: none, mean, pointwise or a number", \.outputShift,
      standard: "\(TrainingOptions().outputShift.rawValue); mean for networks that are the same "
        + "everywhere: periodic, shared weights"),
    .scale("output-scale", "outputs divided by: none, deviation or a number", \.outputScale),
  ]

  private static func shift(
    _ name: String, _ help: String, _ path: Path<ShiftKind>, standard: String? = nil
  ) -> Setting {
    Setting(name, "s", help, path, standard: standard, shown: { $0.rawValue }) {
      (arguments) throws(RunError) in try arguments.shift(name)
    }
  }

  private static func scale(_ name: String, _ help: String, _ path: Path<ScaleKind>) -> Setting {
    Setting(name, "s", help, path, shown: { $0.rawValue }) {
      (arguments) throws(RunError) in try arguments.scale(name)
    }
  }
}

extension Split {
  /// The fractions as the command line has them.
  var text: String { [training, validation, test].map(Voice.exact).joined(separator: ",") }
}

extension Arguments {
  /// Returns how a network is trained; the number of steps may follow from the number of samples.
  func trainingOptions() throws(RunError) -> TrainingOptions {
    var options = TrainingOptions()
    // A translation-equivariant network cannot represent the point-to-point noise of a sample mean that was subtracted.
    if try networkOptions().isTheSameEverywhere { options.outputShift = .mean }
    try read(Setting<TrainingOptions>.training, into: &options)
    // A small batch does not fill a usual shard.
    if text("shard") == nil { options.shard = min(options.shard, (options.batch + 15) / 16 * 16) }
    guard options.shard % 16 == 0 else {
      throw .usage("--shard \(options.shard): needed is a multiple of 16, such as 32, 48 or 64")
    }
    guard options.batchGrowth.count <= 16, options.largestBatch <= Int(Int32.max) else {
      throw .usage(
        "--batch-growth: a batch of \(options.batch) doubled \(options.batchGrowth.count) times is too "
          + "large; at most 16 times, to at most \(Int32.max) samples")
    }
    if has("epochs") && has("iterations") {
      throw .usage("give one of --epochs and --iterations")
    }
    return options
  }

  fileprivate func linearStart() throws(RunError) -> LinearStart?? {
    guard let text = text("initialize"), text != "random" else { return nil }
    let known = LinearStart.known(CustomOperator.name)
    switch LinearStart(rawValue: text) {
    case .ridge(let lambda): return .some(.ridge(lambda))
    case known: return .some(known)
    default:
      throw .usage(
        "--initialize \(text): needed is random, ridge, ridge:λ with a positive number, or "
          + known.rawValue)
    }
  }

  fileprivate func shift(_ name: String) throws(RunError) -> ShiftKind? {
    guard let text = text(name) else { return nil }
    guard let kind = ShiftKind(rawValue: text) else {
      throw .usage("--\(name) \(text): needed is none, mean, pointwise or a number")
    }
    return kind
  }

  fileprivate func scale(_ name: String) throws(RunError) -> ScaleKind? {
    guard let text = text(name) else { return nil }
    guard let kind = ScaleKind(rawValue: text) else {
      throw .usage("--\(name) \(text): needed is none, deviation or a positive number")
    }
    return kind
  }
}
