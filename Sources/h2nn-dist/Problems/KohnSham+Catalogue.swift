import MessagePassing
import OperatorProblems
import Training

extension KohnSham: CataloguedProblem {
  static var summary: String {
    dimension == 1
      ? "the Kohn-Sham map on a circle, from potential to density"
      : "the Kohn-Sham map on a torus, from potential to density"
  }

  static var standardPoints: [Int] { dimension == 1 ? [320] : [64, 64] }

  static var fieldOptions: [OptionSpec] {
    [
      OptionSpec("wells", "n", "wells of a potential", standard: "2"),
      OptionSpec("amplitude", "a,b", "range of their depths", standard: "0.8,1.2"),
      OptionSpec(
        "sigma", "a,b", "range of their width σ", standard: dimension == 1 ? "2,2" : "1,1"),
      OptionSpec(
        "gap", "x", "smallest distance of two centres",
        standard: dimension == 1 ? "4 times the largest σ" : "6 times the largest σ"),
    ]
  }

  static var ownOptions: [OptionSpec] {
    [
      OptionSpec(
        "electrons", "n", "electrons, one to a level", standard: "as many as wells; 2 for --inputs"),
      OptionSpec(
        "length", "L", "edge of the periodic cell", standard: dimension == 1 ? "80" : "16"),
    ]
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(TrainingError) -> Options {
    var options = Options(points: points.shape)
    options.length = try arguments.real("length", 1e-3...1e6) ?? options.length
    guard points.given == nil else {
      // No potential is drawn, and none must fit into the cell.
      options.wells = PeriodicWells(
        wells: 1, amplitude: 0...0, shape: .deviation(options.length...options.length), gap: 0,
        placement: .apart)
      options.electrons = try arguments.integer("electrons") ?? options.electrons
      return options
    }
    var wells = options.wells
    wells.wells = try arguments.integer("wells", atLeast: 0) ?? wells.wells
    wells.amplitude = try arguments.interval("amplitude") ?? wells.amplitude
    if let sigma = try arguments.interval("sigma") {
      wells.shape = .deviation(sigma)
      wells.gap = (dimension == 1 ? 4 : 6) * sigma.upperBound
    }
    wells.gap = try arguments.real("gap", 0...1e6) ?? wells.gap
    options.wells = wells
    options.electrons = try arguments.integer("electrons") ?? wells.wells
    return options
  }
}
