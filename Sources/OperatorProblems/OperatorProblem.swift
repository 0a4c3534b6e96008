public import ClusterTrees

/// A statement about a data set, to be stored beside it.
public enum AttributeValue: Equatable, Sendable {
  /// Words.
  case text(String)
  /// A real number.
  case real(Double)
  /// Several real numbers, such as the ends of an interval.
  case reals([Double])
  /// An integer.
  case integer(Int)
}

/// A problem that labels input fields with outputs.
///
/// Make one instance per rank: it owns the scratch memory of its solver and must not be shared between
/// threads.
public protocol OperatorProblem: ~Copyable {
  /// The name on the command line and in data sets.
  static var name: String { get }

  /// The shape of an input: that of the grid, or the number of points of the cloud.
  var points: [Int] { get }

  /// The shape of an output; that of an input by default.
  var outputShape: [Int] { get }

  /// The points of the inputs where they are a cloud; nil, the default, for a uniform grid.
  var cloud: PointSet? { get }

  /// The points of the outputs where they are a cloud other than that of the inputs; nil by default.
  var outputCloud: PointSet? { get }

  /// The datasets beside input and output, in the order of the parameters that `sample` writes.
  var parameterNames: [(name: String, columns: Int)] { get }

  /// The datasets of further results of a solution, in the order of `copyResults`; none by default.
  var resultNames: [(name: String, columns: Int)] { get }

  /// The datasets that hold one constant for all samples.
  var constants: [(name: String, values: [Double])] { get }

  /// The parameters of the distribution of the sampled fields.
  var fieldAttributes: [(name: String, value: AttributeValue)] { get }

  /// The parameters of the problem and the choices made where the papers are silent.
  var attributes: [(name: String, value: AttributeValue)] { get }

  /// Draws the input field of one sample, a function of seed, index and options only.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - input: Becomes the field, `pointCount` values, the last axis fastest.
  ///   - parameters: Becomes the parameters, `parameterCount` values.
  /// - Precondition: `index >= 0`, and the spans have these sizes.
  mutating func sample(
    seed: Int64, index: Int, input: inout MutableSpan<Double>,
    parameters: inout MutableSpan<Double>)

  /// Computes the output of an input field.
  ///
  /// - Parameters:
  ///   - input: The field, `pointCount` values.
  ///   - output: Becomes the solution, `outputCount` values.
  /// - Precondition: The spans have these sizes.
  /// - Throws: ``ProblemError`` if the field is not admissible or the solver fails.
  mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError)

  /// Computes the output of a field that `sample` drew; by default in the same way as for any field.
  ///
  /// - Parameters:
  ///   - input: The field, `pointCount` values.
  ///   - parameters: The parameters of the field, `parameterCount` values.
  ///   - output: Becomes the solution, `outputCount` values.
  /// - Precondition: The spans have these sizes.
  /// - Throws: ``ProblemError`` if the field is not admissible or the solver fails.
  mutating func solve(
    input: Span<Double>, parameters: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError)

  /// Copies further results of the last solution.
  ///
  /// - Parameter results: Becomes the results, `resultCount` values.
  /// - Precondition: The span has this size, and a solve has succeeded.
  func copyResults(into results: inout MutableSpan<Double>)
}

extension OperatorProblem where Self: ~Copyable {
  /// The number of points of an input.
  public var pointCount: Int { points.reduce(1, *) }

  /// The number of points of an output.
  public var outputCount: Int { outputShape.reduce(1, *) }

  /// The number of parameters of a sample.
  public var parameterCount: Int { parameterNames.reduce(0) { $0 + $1.columns } }

  /// The number of further results of a solution.
  public var resultCount: Int { resultNames.reduce(0) { $0 + $1.columns } }

  /// The shape of an input: outputs have the same.
  public var outputShape: [Int] { points }

  /// None: the inputs stand on a uniform grid.
  public var cloud: PointSet? { nil }

  /// None: the outputs stand where the inputs do.
  public var outputCloud: PointSet? { nil }

  /// None.
  public var resultNames: [(name: String, columns: Int)] { [] }

  /// Copies nothing.
  ///
  /// - Parameter results: An empty span.
  public func copyResults(into results: inout MutableSpan<Double>) {}

  /// Computes the output of a field without regard to its parameters.
  ///
  /// - Parameters:
  ///   - input: The field, `pointCount` values.
  ///   - parameters: The parameters of the field.
  ///   - output: Becomes the solution, `outputCount` values.
  /// - Throws: ``ProblemError`` if the field is not admissible or the solver fails.
  public mutating func solve(
    input: Span<Double>, parameters: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    try solve(input: input, output: &output)
  }
}
