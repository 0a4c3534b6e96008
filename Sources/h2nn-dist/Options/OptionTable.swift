import OperatorNetworks

/// An option of the command line, which is also a key of the configuration file.
struct OptionSpec {
  /// The name without dashes; in a configuration file underscores replace the dashes.
  let name: String
  /// What stands for the value in the help; nil for a switch.
  let value: String?
  let help: String
  /// The default as the help shows it.
  let standard: String?

  init(_ name: String, _ value: String?, _ help: String, standard: String? = nil) {
    self.name = name
    self.value = value
    self.help = help
    self.standard = standard
  }
}

/// A verb of the program.
struct Verb {
  let name: String
  let summary: String
  /// What stands without an option name, such as the problem of `generate`.
  let positional: String?
  let required: [String]
  let groups: [(title: String, options: [OptionSpec])]
  /// Reads the options of a call.
  let make: @Sendable (Arguments) throws -> any Command

  var options: [OptionSpec] { groups.flatMap(\.options) }
}

/// The groups of options that several verbs share.
enum OptionGroups {
  static let wholeGrid = OptionSpec(
    "grid", "DxT", "data groups × tree ranks, for networks that one rank cannot hold",
    standard: "as many groups as ranks")
  static let replication = OptionSpec(
    "replicate-below", "n", "values with fewer boxes are computed on every tree rank",
    standard: "chosen by the cost model")
  static let wave = OptionSpec(
    "wave", "W", "shards that tree ranks compute between two exchanges",
    standard: "as many as a cache holds")

  static let batch = OptionSpec("batch", "B", "samples of a step", standard: "256")
  static let shard = OptionSpec(
    "shard", "S", "samples of a shard, a multiple of 16",
    standard: "64, or what a smaller batch fills")
  static let split = OptionSpec(
    "split", "a,b,c", "fractions for training, validation and test", standard: "0.6,0.1,0.3")
  static let precision = OptionSpec("precision", "NAME", "float or double", standard: "float")

  static let common: (title: String, options: [OptionSpec]) = (
    "Common",
    [
      OptionSpec("config", "FILE", "JSON5 file whose keys are option names with underscores"),
      OptionSpec("summary", "FILE", "write a JSON object with the results there"),
      OptionSpec("help", nil, "print this text"),
    ]
  )

  static let layout: (title: String, options: [OptionSpec]) = (
    "Layout of the dataset",
    [
      OptionSpec("input-name", "NAME", "dataset of the input fields", standard: "/Input"),
      OptionSpec("output-name", "NAME", "dataset of the output fields", standard: "/Output"),
      OptionSpec("samples-last", nil, "the samples are the last dimension, not the first"),
    ]
  )

  static let network: (title: String, options: [OptionSpec]) = (
    "Network",
    [
      OptionSpec("model", "NAME", "h2nn, mnn-h2, mnn-h, conv or dense", standard: "h2nn"),
      OptionSpec(
        "sharing", "NAME", "mnn-h2, mnn-h: own (LC), offset (CNN) or mix weights",
        standard: "own"),
      OptionSpec("channels", "r", "channels of a box, or of a point for conv", standard: "6"),
      OptionSpec(
        "coarse-channels", "a,b,…",
        "channels above the leaves, level by level upwards, the last for all further",
        standard: "r"),
      OptionSpec(
        "skeleton", "KERNEL",
        "channels by rank: inverse-distance, exponential-integral:μ, log, gaussian:ℓ, custom-operator",
        standard: "uniform"),
      OptionSpec(
        "tolerance", "ε", "skeleton: singular values up to ε times the largest are left out",
        standard: "1e-3"),
      OptionSpec("rank-limit", "n", "skeleton: most channels of a box", standard: "none"),
      OptionSpec(
        "layers", "K", "layers of bridges, near field, conv and dense", standard: "3"),
      OptionSpec(
        "leaf", "m", "points of a leaf, per dimension on grids; conv: half the window",
        standard: "5"),
      OptionSpec("levels", "L", "levels below the root, instead of --leaf"),
      OptionSpec(
        "admissibility", "ϱ", "h2nn: boxes further apart than ϱ sides are far", standard: "1.9"),
      OptionSpec("boundary", "NAME", "mnn-h2, mnn-h, conv: zero or periodic", standard: "zero"),
      OptionSpec("linear-path", nil, "a linear layer beside each bridge and the near field"),
      OptionSpec(
        "activation", "NAME", "relu, tanh, sigmoid, elu or identity", standard: "elu"),
      OptionSpec(
        "block-activation", "NAME", "function of each block's product in near field and bridges",
        standard: "identity"),
      OptionSpec(
        "block-width", "w",
        "blocks of near field and bridges are networks with w hidden channels",
        standard: "matrices"),
      OptionSpec("transfer-layers", "n", "layers of each transfer up and down", standard: "1"),
      OptionSpec(
        "transfer-activation", "NAME", "function of the transfers",
        standard: "identity, or --activation if there are several layers"),
      OptionSpec("width", "n", "dense: hidden channels", standard: "number of points"),
    ]
  )

  static let training: (title: String, options: [OptionSpec]) = (
    "Training",
    [
      OptionSpec(
        "loss", "NAME", "relative (squared relative residual) or mse", standard: "relative"),
      OptionSpec("optimizer", "NAME", "adam or nadam", standard: "adam"),
      OptionSpec(
        "learning-rate", "η", "learning rate at first",
        standard: "1/n, at most 0.025; n is the most numbers that a value of the network sums"
      ),
      OptionSpec("schedule", "NAME", "constant, cosine, step or plateau", standard: "cosine"),
      OptionSpec(
        "warmup", "n", "steps over which the rate rises at first",
        standard: "a twentieth of all"),
      OptionSpec("step-every", "n", "schedule step: steps between two changes", standard: "1000"),
      OptionSpec(
        "step-factor", "x", "schedule step, plateau: the factor of a change", standard: "0.5"),
      OptionSpec(
        "plateau-every", "n", "schedule plateau: steps between two validations that count",
        standard: "500"),
      OptionSpec(
        "plateau-patience", "n", "schedule plateau: validations without improvement that change",
        standard: "4"),
      OptionSpec(
        "plateau-threshold", "x", "schedule plateau: the least relative improvement",
        standard: "1e-3"),
      OptionSpec(
        "drop-at", "a,b,…", "fractions of the steps after which the rate is multiplied by √0.1",
        standard: "none"),
      OptionSpec("beta1", "x", "decay of the first moment", standard: "0.9"),
      OptionSpec("beta2", "x", "decay of the second moment", standard: "0.99"),
      OptionSpec(
        "epsilon", "x", "ε, added outside the root, for gradients as large as mse has",
        standard: "1e-14"),
      OptionSpec(
        "nadam-momentum", "NAME", "constant, or keras for the schedule of Keras 2",
        standard: "constant"),
      OptionSpec("initializer", "NAME", "glorot, normal or keras", standard: "glorot"),
      OptionSpec(
        "initialize", "NAME",
        "what a linear path is at first: random, ridge, ridge:λ or operator:custom-operator",
        standard: "random"),
      batch, shard,
      OptionSpec(
        "batch-growth", "a,b,…", "fractions of the steps after which the batch is doubled",
        standard: "none"),
      OptionSpec("iterations", "n", "number of steps", standard: "2000"),
      OptionSpec("epochs", "n", "passes over the training part, instead of --iterations"),
      split, precision,
      OptionSpec("seed", "n", "seed of parameters and batches", standard: "1"),
      OptionSpec(
        "input-shift", "s", "subtracted from inputs: none, mean, pointwise or a number",
        standard: "mean"),
      OptionSpec(
        "input-scale", "s", "inputs divided by: none, deviation or a number",
        standard: "deviation"),
      OptionSpec(
        "output-shift", "s", "subtracted from outputs: none, mean, pointwise or a number",
        standard:
          "pointwise; mean for networks that are the same everywhere: periodic, shared weights"),
      OptionSpec(
        "output-scale", "s", "outputs divided by: none, deviation or a number",
        standard: "deviation"),
    ]
  )
}
