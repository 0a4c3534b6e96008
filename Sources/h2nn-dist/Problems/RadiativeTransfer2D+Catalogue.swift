import MessagePassing
import OperatorProblems
import Training

extension RadiativeTransfer2D: CataloguedProblem {
  static var summary: String { "radiative transfer in the unit square" }
  static var standardPoints: [Int] { [80, 80] }

  static var fieldOptions: [OptionSpec] {
    OptionGroups.gaussians(
      amplitude: "0.01,0.03", centres: "0.2,0.8", gap: "0.05", variance: "0.002,0.004")
  }

  static var ownOptions: [OptionSpec] {
    RadiativeTransfer1D.ownOptions + [
      OptionSpec(
        "scaling", "NAME",
        "columns, or rows for the published data, which do not solve the equation",
        standard: "columns")
    ]
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(TrainingError) -> Options {
    var options = Options(
      points: points.shape, field: try arguments.gaussianField(GaussianField.plane))
    options.absorption = try arguments.real("absorption", 0...1e6) ?? options.absorption
    options.scaling = try arguments.choice("scaling", Scaling.self) ?? options.scaling
    return options
  }
}
