import Datasets
import OperatorNetworks
import Training

/// The verbs of the program and their options.
enum Verbs {
  static let all = [
    generate, train, evaluate, predict, baseline, compare, study, inspect, bench, plot, factor,
    solve, pinn,
  ]

  static let generate = Verb(
    name: "generate", summary: "Solves a problem for many input fields and writes a dataset.",
    positional: "PROBLEM", required: ["out"],
    groups: [
      (
        "Samples",
        [
          OptionSpec(
            "points", "N", "the grid, such as 320 or 80x80; points of a cloud",
            standard: "in the title of each problem below"),
          OptionSpec(
            "samples", "n", "number of samples", standard: "\(GenerateCommand.standardSamples)"),
          OptionSpec(
            "seed", "n", "seed of the random numbers", standard: "\(GenerateCommand.standardSeed)"),
          OptionSpec("inputs", "FILE", "label the input fields in this file instead"),
        ]
      )
    ] + ProblemCatalogue.all.map(\.group) + [
      (
        "Output",
        [
          OptionSpec("out", "FILE", "the HDF5 file to be written"),
          OptionSpec("force", nil, "overwrite that file"),
          OptionSpec(
            "precision", "NAME", "float or double numbers in it",
            standard: GenerateCommand.standardPrecision.rawValue),
        ]
      ), ("Layout of the file of --inputs", OptionGroups.layout.options),
      OptionGroups.commonOnRanks,
    ], make: { try GenerateCommand($0) })

  static let train = Verb(
    name: "train", summary: "Trains a network, or continues its training.", positional: nil,
    required: ["data", "out"],
    groups: [
      (
        "Run",
        [
          OptionSpec("data", "FILE", "the dataset")
        ] + Setting<RunOptions>.specs("out", "restart") + [
          OptionSpec(
            "repeat", "n", "train n times, with the seeds from --seed on, in DIR/seed-1, …")
        ] + Setting<RunOptions>.specs("stop-after") + [
          OptionSpec("grid", "DxT", "data groups × tree ranks, or auto", standard: "auto"),
          OptionGroups.replication, OptionGroups.wave,
          OptionSpec(
            "machine", "FILE",
            "what bench wrote on the machine; grid and replication are planned with it"),
        ]
          + Setting<RunOptions>.specs(
            "report-every", "validate-every", "checkpoint-every", "sample-memory")
      ), OptionGroups.network, OptionGroups.training, OptionGroups.layout,
      OptionGroups.commonOnRanks,
    ], make: { try TrainCommand($0) })

  static let evaluate = Verb(
    name: "evaluate", summary: "Computes the errors of a trained network.", positional: nil,
    required: ["checkpoint", "data"],
    groups: [
      (
        "What",
        [
          OptionSpec("checkpoint", "PATH", "a checkpoint, or a directory for its newest one"),
          OptionSpec("data", "FILE", "the dataset"),
          OptionSpec(
            "part", "NAME", "training, validation or test by the split of the run",
            standard: "all samples"),
          OptionGroups.wholeGrid, OptionGroups.replication, OptionGroups.wave,
        ]
      ), OptionGroups.runLayout, OptionGroups.commonOnRanks,
    ], make: { try EvaluateCommand($0) })

  static let predict = Verb(
    name: "predict", summary: "Computes the outputs of input fields.", positional: nil,
    required: ["checkpoint", "data", "out"],
    groups: [
      (
        "What",
        [
          OptionSpec("checkpoint", "PATH", "a checkpoint, or a directory for its newest one"),
          OptionSpec("data", "FILE", "the dataset; its outputs are not needed"),
          OptionSpec("out", "FILE", "the HDF5 file to be written"),
          OptionSpec("force", nil, "overwrite that file"),
          OptionGroups.wholeGrid, OptionGroups.replication, OptionGroups.wave,
        ]
      ), OptionGroups.runLayout, OptionGroups.commonOnRanks,
    ], make: { try PredictCommand($0) })

  static let compare = Verb(
    name: "compare", summary: "Prints the errors of several trained networks as a table.",
    positional: nil, required: ["run", "data"],
    groups: [
      (
        "What",
        [
          OptionSpec("run", "DIR,…", "directories of runs, separated by commas"),
          OptionSpec("data", "FILE", "the dataset"),
          OptionSpec(
            "part", "NAME", "training, validation or test by the split of each run",
            standard: "all samples"),
        ]
      ), OptionGroups.runLayout, OptionGroups.commonOnRanks,
    ], make: { try CompareCommand($0) })

  static let inspect = Verb(
    name: "inspect", summary: "Prints the tree, the lists and the parameters of a network.",
    positional: nil, required: [],
    groups: [
      (
        "Points",
        [
          OptionSpec(
            "points", "N", "a uniform grid, such as 320 or 80x80",
            standard: "\(PointDescription.standardShape[0])"),
          OptionSpec("data", "FILE", "the points of this dataset instead"),
          OptionSpec("lists", nil, "also print which boxes each box sees"),
        ]
      ),
      (
        "Process grid",
        [
          OptionSpec("grid", "DxT", "print the plan of a step: data groups × tree ranks"),
          OptionGroups.replication, OptionGroups.wave,
          OptionSpec("scaling", nil, "print predicted step times on 1 to 4096 ranks"),
          OptionSpec("machine", "FILE", "what bench wrote on the machine to plan for"),
          OptionGroups.batch, OptionGroups.shard, OptionGroups.precision,
        ]
      ), OptionGroups.network, OptionGroups.layout, OptionGroups.common,
    ], make: { try InspectCommand($0) })

  static let bench = Verb(
    name: "bench", summary: "Measures a training step, part by part, and the machine.",
    positional: nil, required: [],
    groups: [
      (
        "Measurement",
        [
          OptionSpec("out", "FILE", "write the machine's numbers here, for --machine"),
          OptionSpec(
            "points", "N", "points of the grid of the network",
            standard: "\(PointDescription.standardShape[0])"),
          OptionGroups.batch, OptionGroups.shard, OptionGroups.precision,
          OptionSpec(
            "repeat", "n", "repetitions, of which the median counts",
            standard: "\(BenchCommand.standardRepetitions)"),
          OptionSpec(
            "grid", "DxT", "data groups × tree ranks of the measured step, or auto",
            standard: "auto"),
          OptionGroups.replication, OptionGroups.wave,
          OptionSpec("json", nil, "print a JSON object instead of a table"),
        ]
      ), OptionGroups.network(standard: BenchCommand.standardNetwork),
      OptionGroups.commonOnRanks,
    ], make: { try BenchCommand($0) })

  static let plot = Verb(
    name: "plot", summary: "Draws the loss of a run, and predictions against the truth, as SVG.",
    positional: nil, required: ["run", "out"],
    groups: [
      (
        "What",
        [
          OptionSpec("run", "DIR,…", "directories of runs, separated by commas"),
          OptionSpec("data", "FILE", "also draw predictions for samples of this dataset"),
          OptionSpec("sample", "n", "the sample, counted from 0", standard: "the last one"),
          OptionSpec("out", "FILE", "the SVG file to be written"),
          OptionSpec("force", nil, "overwrite that file"),
        ]
      ), OptionGroups.runLayout, OptionGroups.commonOnRanks,
    ], make: { try PlotCommand($0) })

  static let study = Verb(
    name: "study",
    summary: "Trains all networks of a study and writes its tables and charts; continues.",
    positional: "FILE", required: ["out"],
    groups: [
      (
        "What",
        [
          OptionSpec("out", "DIR", "directory of datasets, runs and results"),
          OptionSpec("data-directory", "DIR", "directory of the datasets", standard: "OUT/data"),
          OptionSpec(
            "report", "FILE", "where tables stand in Markdown, charts beside as SVG",
            standard: "OUT/results.md"),
          OptionSpec("only", "AXIS=v,…", "run these values of these axes only"),
          OptionSpec("set", "KEY=v,…", "settings that win over those of the study"),
          OptionSpec("commit", "TEXT", "the revision of the program, to stand in the report"),
        ]
      ), OptionGroups.commonOnRanks,
    ], make: { try StudyCommand($0) })
}
