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
    [OptionSpec](wells, of: Options(points: standardPoints).wells)
  }

  /// The least distance of two centres, as a multiple of the largest σ.
  private static var relativeGap: Double { dimension == 1 ? 4 : 6 }

  private static var wells: [Setting<PeriodicWells>] {
    [
      .integer("wells", "n", "wells of a potential", \.wells, atLeast: 0),
      .interval("amplitude", "a,b", "range of their depths", \.amplitude),
      .interval("sigma", "a,b", "range of their width σ", \.widths),
      Setting(
        "gap", "x", "smallest distance of two centres", \.gap,
        standard: "\(Voice.exact(relativeGap)) times the largest σ"
      ) { (arguments) throws(RunError) in
        let widest = try arguments.interval("sigma")?.upperBound
        return try arguments.real("gap", 0...1e6) ?? widest.map { relativeGap * $0 }
      },
    ]
  }

  static var ownOptions: [OptionSpec] {
    let options = Options(points: standardPoints)
    return [
      OptionSpec(
        "electrons", "n", "electrons, one to a level",
        standard: "as many as wells; \(options.electrons) for --inputs"),
      length.spec(options),
    ]
  }

  private static var length: Setting<Options> {
    .real("length", "L", "edge of the periodic cell", \.length, 1e-3...1e6)
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options {
    var options = Options(points: points.shape)
    try arguments.read([length], into: &options)
    guard points.given == nil else {
      // No potential is drawn, and none must fit into the cell.
      options.wells = PeriodicWells(
        wells: 1, amplitude: 0...0, shape: .deviation(options.length...options.length), gap: 0,
        placement: .apart)
      options.electrons = try arguments.integer("electrons") ?? options.electrons
      return options
    }
    try arguments.read(wells, into: &options.wells)
    options.electrons = try arguments.integer("electrons") ?? options.wells.wells
    return options
  }
}
