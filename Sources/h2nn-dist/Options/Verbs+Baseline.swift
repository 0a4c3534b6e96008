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
          OptionGroups.split,
          OptionSpec(
            "part", "NAME", "training, validation or test: whose errors to compute",
            standard: "test"),
          OptionSpec("out", "FILE", "write the predictions of that part into this HDF5 file"),
          OptionSpec("force", nil, "overwrite that file"),
        ]
      ),
      (
        "Regression",
        [
          OptionSpec(
            "regularization", "x", "λ, as a multiple of the mean of the diagonal of the matrix",
            standard: "the best on the validation part, or on a fifth held out of the training"),
          OptionSpec(
            "kernel", "NAME", "kernel-ridge: gaussian, or matern of the order 5/2",
            standard: "gaussian"),
          OptionSpec(
            "length-scale", "x", "kernel-ridge: as a multiple of the median distance of inputs",
            standard: "the best, as λ"),
          OptionSpec(
            "samples-limit", "n", "use the first n training samples; kernel-ridge needs 8n² bytes",
            standard: "all; 12000 for kernel-ridge"),
          OptionSpec(
            "search-samples", "n", "kernel-ridge: fit to the first n while choosing",
            standard: "3000"),
        ]
      ), OptionGroups.layout, OptionGroups.common,
    ], make: { try BaselineCommand($0) })
}
