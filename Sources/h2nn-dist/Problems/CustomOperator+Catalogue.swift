import MessagePassing
import OperatorProblems
import Training

extension CustomOperator: CataloguedProblem {
  static var summary: String { "the operator of FMM-NET's equation 9 on the fields of rte-1d" }
  static var standardPoints: [Int] { [320] }
  static var fieldOptions: [OptionSpec] { RadiativeTransfer1D.fieldOptions }

  static var ownOptions: [OptionSpec] {
    [OptionSpec("diagonal", "d", "d·N stands for 1/|x−x|", standard: "0")]
  }

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(TrainingError) -> Options {
    var options = Options(
      points: points.shape[0], field: try arguments.gaussianField(GaussianField()))
    options.diagonal = try arguments.real("diagonal") ?? options.diagonal
    return options
  }
}
