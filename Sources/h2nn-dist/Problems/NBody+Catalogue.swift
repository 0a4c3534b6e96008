import ClusterTrees
import MessagePassing
import OperatorProblems
import Training

extension NBody: CataloguedProblem {
  static var summary: String { "potentials 1/N Σ q/|x−y| of charges on a cloud" }
  static var standardPoints: [Int] { [1000] }
  /// The most points of a cloud; all ranks hold the coordinates.
  private static var mostPoints: Int { 1 << 24 }
  static var takesClouds: Bool { true }

  private static var standardDimension: Int { 2 }
  private static var standardCharges: Charges { .normal }

  static var fieldOptions: [OptionSpec] {
    [
      OptionSpec(
        "dimension", "d", "dimension of the unit cube: 1, 2 or 3", standard: "\(standardDimension)"),
      OptionSpec("receivers", "n", "points of the potentials", standard: "those of the charges"),
      OptionSpec(
        "charges", "NAME", "normal, uniform (−1 to 1) or positive (0 to 1)",
        standard: standardCharges.rawValue),
    ]
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options {
    if let given = points.given {
      return Options(sources: given.inputs, receivers: given.outputs)
    }
    let dimension = try arguments.integer("dimension") ?? standardDimension
    let seed = try arguments.seed() ?? GenerateCommand.standardSeed
    let receivers = try arguments.integer("receivers", atMost: mostPoints)
    let charges = try arguments.choice("charges", Charges.self) ?? standardCharges
    guard dimension <= 3 else {
      throw .usage("--dimension \(dimension): needed is 1, 2 or 3")
    }
    guard points.shape[0] <= mostPoints else {
      throw .usage("--points \(points.shape[0]): needed are at most \(mostPoints) points")
    }
    func draw(_ count: Int, _ role: Role) throws(RunError) -> PointSet {
      do throws(ProblemError) {
        return try cloud(count: count, dimension: dimension, seed: seed, role: role)
      } catch {
        throw .usage("generate: \(error)")
      }
    }
    return Options(
      sources: try draw(points.shape[0], .sources),
      receivers: try receivers.map { (count) throws(RunError) in try draw(count, .receivers) },
      charges: charges)
  }
}
