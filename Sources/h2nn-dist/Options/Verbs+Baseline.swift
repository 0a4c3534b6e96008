import Datasets
import Regressions

extension Verbs {
  static let baseline = Verb(
    name: "baseline",
    summary: "Computes the errors of regressions without a network, to compare with.",
    positional: nil, required: ["data", "method"],
    groups: [
      (
        "What",
        [
          OptionSpec("data", "FILE", "the dataset"),
          OptionSpec("method", "NAME", "mean, ridge or kernel-ridge, on the point values"),
          Setting<BaselineOptions>.split.spec(BaselineOptions()),
          OptionSpec(
            "part", "NAME", "training, validation or test: whose errors to compute",
            standard: BaselineCommand.standardPart.rawValue),
          OptionSpec("out", "FILE", "write the predictions of that part into this HDF5 file"),
          OptionSpec("force", nil, "overwrite that file"),
        ]
      ),
      (
        "Regression",
        [OptionSpec](Setting<BaselineOptions>.regression, of: BaselineOptions())
      ), OptionGroups.layout, OptionGroups.commonOnRanks,
    ], make: { try BaselineCommand($0) })
}
