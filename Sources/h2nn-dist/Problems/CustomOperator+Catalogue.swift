import ClusterTrees
import Datasets
import MessagePassing
import OperatorProblems
import Training

extension CustomOperator: CataloguedProblem {
  static var summary: String { "the operator of FMM-NET's equation 9 on the fields of rte-1d" }
  static var standardPoints: [Int] { [320] }
  static var fieldOptions: [OptionSpec] { RadiativeTransfer1D.fieldOptions }

  static var ownOptions: [OptionSpec] {
    [diagonal.spec(Options())]
  }

  private static let diagonal = Setting<Options>.real(
    "diagonal", "d", "d·N stands for 1/|x−x|", \.diagonal,
    -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)

  static func options(
    _ arguments: Arguments, on points: ProblemPoints
  ) throws(RunError) -> Options {
    var options = Options(
      points: points.shape[0], field: try arguments.gaussianField(GaussianField()))
    try arguments.read([diagonal], into: &options)
    return options
  }
}

extension CustomOperator {
  /// The operator as a linear start.
  ///
  /// It throws ``RunError``: 64 if the points are no uniform grid in one dimension, 65 if the file holds samples
  /// of another problem.
  static let known = KnownOperator(name: name) { file in
    let start = "--initialize operator:\(name)"
    guard let shape = file.points.gridShape, shape.count == 1, file.outputPoints == nil else {
      throw RunError.usage("\(start) needs a uniform grid in one dimension")
    }
    if let problem = try FieldSamples.problem(of: file.path), problem != name {
      throw RunError.data(
        "\(file.path): holds samples of \(problem), not of \(name), so \(start) is wrong for it; use "
          + "--initialize ridge")
    }
    var options = Options()
    options.points = shape[0]
    options.diagonal = try FieldSamples.attribute("diagonal", of: file.path) ?? 0
    var problem = try CustomOperator(options: options)
    return { input in
      var output = [Double](repeating: 0, count: input.count)
      var span = output.mutableSpan
      try problem.solve(input: input.span, output: &span)
      return output
    }
  }
}
