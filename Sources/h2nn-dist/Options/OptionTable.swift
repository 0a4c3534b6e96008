import Datasets
import OperatorNetworks
import Training

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

  static let batch = Setting<TrainingOptions>.batch.spec(TrainingOptions())
  static let shard = Setting<TrainingOptions>.shard.spec(TrainingOptions())
  static let precision = Setting<TrainingOptions>.precision.spec(TrainingOptions())

  static let common: (title: String, options: [OptionSpec]) = (
    "Common",
    [
      OptionSpec("config", "FILE", "JSON5 file whose keys are option names with underscores"),
      OptionSpec("summary", "FILE", "write a JSON object with the results there"),
      OptionSpec("help", nil, "print this text"),
    ]
  )

  static let stallTimeout = Setting<WatchOptions>.stallTimeout.spec(WatchOptions())
  /// What verbs have in common that run on several ranks.
  static let commonOnRanks = (title: common.title, options: [stallTimeout] + common.options)

  static let layout: (title: String, options: [OptionSpec]) = (
    "Layout of the dataset",
    [OptionSpec](Setting<DatasetLayout>.layout, of: DatasetLayout())
  )

  /// The same for a network that is trained: what is not given is that of the run.
  static let runLayout: (title: String, options: [OptionSpec]) = (
    layout.title,
    layout.options.map {
      OptionSpec($0.name, $0.value, $0.help, standard: $0.value.map { _ in "that of the run" })
    }
  )

  static let network = network(standard: NetworkOptions())

  /// The options of a network, with the defaults of a verb.
  static func network(standard: NetworkOptions) -> (title: String, options: [OptionSpec]) {
    ("Network", [OptionSpec](Setting<NetworkOptions>.network, of: standard))
  }

  static let training: (title: String, options: [OptionSpec]) = (
    "Training", [OptionSpec](Setting<TrainingOptions>.training, of: TrainingOptions())
  )
}
