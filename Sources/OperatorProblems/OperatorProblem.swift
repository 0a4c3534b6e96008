// OperatorProblems: the papers' problems, that is the sampling of input fields and the solvers that
// label them.
//
// It may import BlockKernels (random numbers, LAPACK, aligned buffers) and FFTW behind
// RealTransform+C.swift. The numbers of a sample are a function of seed, index and options, never of
// the rank or of the order of calls: random numbers are counter-based, exponentials and logarithms
// are our own (VectorFunctions.swift), and all sums have one order. Transforms, and solves where the
// iteration does not converge, are left to FFTW and OpenBLAS, whose last bits may differ between kinds
// of processors.

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
/// Make one instance per rank: it owns the scratch memory of its solver, so that no call allocates
/// any, and must not be shared between threads.
public protocol OperatorProblem: ~Copyable {
  /// The name on the command line and in data sets.
  static var name: String { get }

  /// The shape of the grid.
  var points: [Int] { get }

  /// The datasets beside input and output, in the order of the parameters that `sample` writes.
  var parameterNames: [(name: String, columns: Int)] { get }

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
  ///   - output: Becomes the solution, as many values.
  /// - Precondition: The spans have these sizes.
  /// - Throws: ``ProblemError`` if the field is not admissible or the solver fails.
  mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError)
}

extension OperatorProblem where Self: ~Copyable {
  /// The number of points of the grid.
  public var pointCount: Int { points.reduce(1, *) }

  /// The number of parameters of a sample.
  public var parameterCount: Int { parameterNames.reduce(0) { $0 + $1.columns } }
}
