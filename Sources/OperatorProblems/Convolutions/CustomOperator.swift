internal import BlockKernels

/// The custom operator of FMM-NET on the input fields of the 1D radiative transfer problem.
///
/// w_j = Σ_i a_ij q_i with a_ij = (x_i + y_j)² / (N⁵ |x_i - y_j|) (FMM-NET, eq. 9), where x = y are the
/// centres of N equal cells of [0, 1]. The entry of the diagonal is singular and the paper does not
/// say what stands there: it is zero by default, as in the inverse-distance kernel of h2tools.
///
/// With (x + y)² = x² + 2xy + y² the operator is a sum of three products with the Toeplitz matrix
/// N / |i - j|, which take O(N log N).
///
/// - Note: Instances may be made and freed on any thread, but not while other code uses FFTW's planner.
public struct CustomOperator: OperatorProblem, ~Copyable {
  /// The options of the problem.
  public struct Options: Equatable, Sendable {
    /// The number N of points; 320 by default.
    public var points: Int
    /// The law of the input fields.
    public var field: GaussianField
    /// The number d for which 1 / |x_i - x_i| is taken to be d N; 0 by default.
    public var diagonal: Double

    /// Creates options.
    ///
    /// - Parameters:
    ///   - points: The number of points.
    ///   - field: The law of the input fields.
    ///   - diagonal: The factor of the diagonal.
    public init(
      points: Int = 320, field: GaussianField = GaussianField(), diagonal: Double = 0
    ) {
      self.points = points
      self.field = field
      self.diagonal = diagonal
    }
  }

  /// The name on the command line and in data sets.
  public static var name: String { "custom-operator" }

  /// The options that the instance was made with.
  public let options: Options
  private let toeplitz: SymmetricToeplitz

  /// Prepares the operator.
  ///
  /// - Parameter options: The options.
  /// - Throws: ``ProblemError`` if an option is not admissible or FFTW makes no plan.
  public init(options: Options = Options()) throws(ProblemError) {
    try options.field.validate()
    guard options.points >= 1, options.points <= 1 << 29 else {
      throw .invalidOption(
        name: "points", value: "\(options.points)", needed: "1 to \(1 << 29)")
    }
    guard options.diagonal.isFinite else {
      throw .invalidOption(
        name: "diagonal", value: "\(options.diagonal)", needed: "a finite number")
    }
    let diagonal = options.diagonal
    toeplitz = try SymmetricToeplitz(order: options.points) { distance in
      distance == 0 ? diagonal : 1 / Double(distance)
    }
    self.options = options
  }

  /// The shape of the grid.
  public var points: [Int] { [options.points] }

  /// The amplitudes, centres and variance of the Gaussians of each sample.
  public var parameterNames: [(name: String, columns: Int)] { options.field.parameterNames }

  /// No dataset is common to all samples.
  public var constants: [(name: String, values: [Double])] { [] }

  /// The parameters of the sampled fields.
  public var fieldAttributes: [(name: String, value: AttributeValue)] {
    options.field.attributes
  }

  /// The parameters of the problem and the choices made where the papers are silent.
  public var attributes: [(name: String, value: AttributeValue)] {
    [
      ("equation", .text("w_j = sum_i (x_i + y_j)^2 / (N^5 |x_i - y_j|) q_i")),
      ("grid", .text("x = y, centres of N equal cells of [0, 1]")),
      ("diagonal", .real(options.diagonal)),
      ("diagonal_meaning", .text("1 / |x_i - x_i| is taken to be diagonal * N")),
    ]
  }

  /// Draws the input field of one sample, the same as that of ``RadiativeTransfer1D``.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - input: Becomes the field.
  ///   - parameters: Becomes amplitudes, centres and variance.
  /// - Precondition: `index >= 0`, and the spans have the right sizes.
  public mutating func sample(
    seed: Int64, index: Int, input: inout MutableSpan<Double>,
    parameters: inout MutableSpan<Double>
  ) {
    precondition(
      input.count == options.points, "\(input.count) values for \(options.points) points")
    options.field.draw(seed: seed, index: index, into: &parameters)
    options.field.evaluate(parameters.span, into: &input)
  }

  /// Applies the operator.
  ///
  /// - Parameters:
  ///   - input: The vector q.
  ///   - output: Becomes the vector w.
  /// - Precondition: The spans have as many values as there are points.
  /// - Throws: ``ProblemError`` if a value is not finite.
  /// - Complexity: O(N log N), no allocation.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    let n = options.points
    precondition(
      input.count == n && output.count == n,
      "\(input.count) and \(output.count) values for \(n) points")
    for i in 0..<n where !input[i].isFinite {
      throw .inadmissibleInput(point: i, value: input[i], needed: "a finite number")
    }
    let h = 1 / Double(n)
    for i in 0..<n { output[i] = 0 }
    // (x + y)² = Σ_p (2 over p) x^p y^(2-p), and 1 / (N⁵ |x_i - x_j|) = 1 / (N⁴ |i - j|).
    let scale = h * h * h * h
    for power in 0...2 {
      var values = toeplitz.values.mutableSpan
      for i in 0..<n {
        let x = (Double(i) + 0.5) * h
        values[i] = power == 0 ? input[i] : power == 1 ? x * input[i] : x * x * input[i]
      }
      toeplitz.multiply()
      for j in 0..<n {
        let y = (Double(j) + 0.5) * h
        let factor = power == 0 ? y * y : power == 1 ? 2 * y : 1
        output[j] += scale * factor * values[j]
      }
    }
  }
}
