import KrylovMethods
import MessagePassing

/// The methods that are checked.
enum Method: String, CaseIterable {
  case cg, gmres, gmres10, fgmres, refinement

  /// Solves from zero.
  func solve(
    _ system: TestSystem, _ operation: (any BlockOperator)? = nil,
    preconditioner: (any BlockOperator)?, _ right: DenseVectors, tolerance: Double = 1e-8,
    limit: Int = 400, on ranks: borrowing Communicator
  ) throws -> (solution: [Double], report: KrylovReport) {
    let options = KrylovOptions(tolerance: tolerance, iterationLimit: limit)
    let operation = operation ?? system.operation
    // What stands there is not read.
    var solution = [Double](repeating: .nan, count: right.values.count)
    let values = right.values.span
    var x = solution.mutableSpan
    let report: KrylovReport
    switch self {
    case .cg:
      report = try ConjugateGradients(options, estimatesEigenvalues: true).solve(
        operation, preconditioner: preconditioner, rightHandSides: values, solution: &x,
        columns: right.columns, on: ranks)
    case .gmres, .gmres10, .fgmres:
      let method = GeneralizedMinimalResiduals(
        options, restart: self == .gmres10 ? 10 : nil, isFlexible: self == .fgmres)
      report = try method.solve(
        operation, preconditioner: preconditioner, rightHandSides: values, solution: &x,
        columns: right.columns, on: ranks)
    case .refinement:
      let identity = system.multiplication(by: TestSystem.identity(system.order))
      report = try StationaryRefinement(steps: min(limit, 40), tolerance: tolerance).solve(
        operation, preconditioner: preconditioner ?? identity, rightHandSides: values,
        solution: &x, columns: right.columns, on: ranks)
    }
    return (solution, report)
  }
}

/// The rows of one rank of a block of vectors.
struct DenseVectors {
  let values: [Double]
  let columns: Int
}
