import MessagePassing
import OperatorProblems
import Training

extension RadiativeTransfer1D: CataloguedProblem {
  static var summary: String { "radiative transfer in a slab" }
  static var standardPoints: [Int] { [320] }

  static var fieldOptions: [OptionSpec] {
    [OptionSpec](Setting<GaussianField>.gaussians, of: GaussianField())
  }

  static var ownOptions: [OptionSpec] {
    [absorption.spec(Options(points: standardPoints[0]))]
  }

  private static let absorption = Setting<Options>.real(
    "absorption", "μ", "the absorption coefficient μ_a", \.absorption, 0...1e6)

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options {
    var options = Options(
      points: points.shape[0], field: try arguments.gaussianField(GaussianField()))
    try arguments.read([absorption], into: &options)
    return options
  }
}
