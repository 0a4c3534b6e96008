import MessagePassing
import OperatorProblems
import Training

extension RadiativeTransfer1D: CataloguedProblem {
  static var summary: String { "radiative transfer in a slab" }
  static var standardPoints: [Int] { [320] }

  static var fieldOptions: [OptionSpec] {
    OptionGroups.gaussians(
      amplitude: "0.1,0.3", centres: "0.2,0.8", gap: "0.05", variance: "0.002,0.004")
  }

  static var ownOptions: [OptionSpec] {
    [OptionSpec("absorption", "μ", "the absorption coefficient μ_a", standard: "0.2")]
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(TrainingError) -> Options {
    var options = Options(
      points: points.shape[0], field: try arguments.gaussianField(GaussianField()))
    options.absorption = try arguments.real("absorption", 0...1e6) ?? options.absorption
    return options
  }
}
