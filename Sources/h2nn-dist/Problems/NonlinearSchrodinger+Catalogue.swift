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
    [
      OptionSpec("gaussians", "n", "wells of a potential", standard: "2"),
      OptionSpec(
        "amplitude", "a,b",
        "range of their amplitudes ρ; 1,4 in the paper, and \(dimension == 1 ? "10,40" : "1,6") in "
          + "its authors' program",
        standard: dimension == 1 ? "10,40" : "1,6"),
      OptionSpec(
        "gap", "x", "smallest distance of two centres, per axis", standard: "0.05"),
      OptionSpec("variance", "a,b", "range of their variance T", standard: "0.002,0.004"),
    ]
  }

  static var ownOptions: [OptionSpec] {
    [OptionSpec("beta", "β", "the nonlinearity, not negative", standard: "10")]
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(TrainingError) -> Options {
    var options = Options(points: points.shape)
    var wells = options.wells
    wells.wells = try arguments.integer("gaussians", atLeast: 0) ?? wells.wells
    wells.amplitude = try arguments.interval("amplitude") ?? wells.amplitude
    wells.gap = try arguments.real("gap", 0...1) ?? wells.gap
    if let variance = try arguments.interval("variance") { wells.shape = .variance(variance) }
    options.wells = wells
    options.nonlinearity = try arguments.real("beta", 0...1e6) ?? options.nonlinearity
    return options
  }
}
