import MessagePassing
import OperatorProblems
import Training

extension NonlinearSchrodinger: CataloguedProblem {
  static var summary: String {
    dimension == 1
      ? "ground states of the nonlinear Schrödinger equation on a circle"
      : "ground states of the nonlinear Schrödinger equation on a torus"
  }

  static var standardPoints: [Int] { dimension == 1 ? [320] : [80, 80] }

  static var fieldOptions: [OptionSpec] {
    [OptionSpec](wells, of: Options(points: standardPoints).wells)
  }

  private static var wells: [Setting<PeriodicWells>] {
    [
      .integer("gaussians", "n", "wells of a potential", \.wells, atLeast: 0),
      .interval(
        "amplitude", "a,b",
        "range of their amplitudes ρ; 1,4 in the paper, and \(dimension == 1 ? "10,40" : "1,6") in "
          + "its authors' program", \.amplitude),
      .real("gap", "x", "smallest distance of two centres, per axis", \.gap, 0...1),
      .interval("variance", "a,b", "range of their variance T", \.widths),
    ]
  }

  static var ownOptions: [OptionSpec] {
    [nonlinearity.spec(Options(points: standardPoints))]
  }

  private static var nonlinearity: Setting<Options> {
    .real("beta", "β", "the nonlinearity, not negative", \.nonlinearity, 0...1e6)
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options {
    var options = Options(points: points.shape)
    try arguments.read(wells, into: &options.wells)
    try arguments.read([nonlinearity], into: &options)
    return options
  }
}
