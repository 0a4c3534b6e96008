import MessagePassing
import OperatorProblems
import Training

extension RadiativeTransfer2D: CataloguedProblem {
  static var summary: String { "radiative transfer in the unit square" }
  static var standardPoints: [Int] { [80, 80] }

  static var fieldOptions: [OptionSpec] {
    [OptionSpec](Setting<GaussianField>.gaussians, of: .plane)
  }

  static var ownOptions: [OptionSpec] {
    [OptionSpec](settings, of: Options(points: standardPoints))
  }

  private static let settings: [Setting<Options>] = [
    .real("absorption", "μ", "the absorption coefficient μ_a", \.absorption, 0...1e6),
    .choice(
      "scaling", "NAME",
      "columns, or rows for the published data, which do not solve the equation", \.scaling),
  ]

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options {
    var options = Options(
      points: points.shape, field: try arguments.gaussianField(GaussianField.plane))
    try arguments.read(settings, into: &options)
    return options
  }
}
