/// A failure to set up a problem or to label an input field.
public enum ProblemError: Error, Equatable, CustomStringConvertible {
  /// An option has a value that the problem does not admit.
  case invalidOption(name: String, value: String, needed: String)
  /// An input field has a value that the problem does not admit.
  case inadmissibleInput(point: Int, value: Double, needed: String)
  /// A library routine failed; the text is its own.
  case solverFailed(String)
  /// A solution does not satisfy its equation.
  case residualTooLarge(relative: Double, bound: Double)

  /// What went wrong, in words.
  public var description: String {
    switch self {
    case .invalidOption(let name, let value, let needed):
      "\(name) is \(value), needed is \(needed)"
    case .inadmissibleInput(let point, let value, let needed):
      "the input is \(value) at point \(point), needed is \(needed)"
    case .solverFailed(let text):
      "the solver failed: \(text)"
    case .residualTooLarge(let relative, let bound):
      "the relative residual of the solution is \(relative), the bound is \(bound)"
    }
  }
}
