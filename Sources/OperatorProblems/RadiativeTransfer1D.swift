internal import BlockKernels

/// The stationary radiative transfer equation in a slab: from the scattering to the mean density.
///
/// u = K (μ_s u + 1) on [0, 1] with (K f)(x) = ½ ∫ E₁(|τ(x) - τ(y)|) f(y) dy, the optical depth
/// τ(x) = ∫₀ˣ μ_t and μ_t = μ_s + μ_a (Fan et al., MNN-H², eqs. 4.9 and 4.10, where the sign belongs to
/// Ei(-·)). Unknowns are the values at the centres of N equal cells. μ_t is constant in each cell,
/// and the integrals over a cell are exact, at all distances.
public struct RadiativeTransfer1D: OperatorProblem, ~Copyable {
  /// The options of the problem.
  public struct Options: Equatable, Sendable {
    /// The number N of points; 320 by default.
    public var points: Int
    /// The law of the scattering coefficient.
    public var field: GaussianField
    /// The absorption coefficient μ_a; 0.2 by default.
    public var absorption: Double

    /// Creates options.
    ///
    /// - Parameters:
    ///   - points: The number of points.
    ///   - field: The law of the scattering coefficient.
    ///   - absorption: The absorption coefficient.
    public init(
      points: Int = 320, field: GaussianField = GaussianField(), absorption: Double = 0.2
    ) {
      self.points = points
      self.field = field
      self.absorption = absorption
    }
  }

  /// The name on the command line and in data sets.
  public static var name: String { "rte-1d" }

  /// The largest accepted residual, in the maximum norm relative to right-hand side and solution.
  public static var residualBound: Double { 1e-12 }

  /// The largest number of points: the matrix is dense.
  public static var largestPointCount: Int { 32768 }

  /// The options that the instance was made with.
  public let options: Options

  /// I - K diag(μ_s), column-major; LU overwrites it.
  let matrix: AlignedBuffer<Double>
  /// K diag(μ_s), column-major, for the residual.
  let scattering: AlignedBuffer<Double>
  /// K 1.
  let source: AlignedBuffer<Double>
  /// The optical depths of the N + 1 cell boundaries.
  let boundaries: AlignedBuffer<Double>
  /// The optical depths of the cell centres.
  let centres: AlignedBuffer<Double>
  /// The optical distances of all centres from one boundary.
  let distances: AlignedBuffer<Double>
  /// E₂ - 1 of the distances from the left boundary of a cell.
  let left: AlignedBuffer<Double>
  /// E₂ - 1 of the distances from the right boundary of a cell.
  let right: AlignedBuffer<Double>
  private let pivots: AlignedBuffer<Int32>

  /// Prepares the solver.
  ///
  /// - Parameter options: The options.
  /// - Throws: ``ProblemError`` if an option is not admissible.
  public init(options: Options = Options()) throws(ProblemError) {
    try options.field.validate()
    guard options.points >= 1, options.points <= Self.largestPointCount else {
      throw .invalidOption(
        name: "points", value: "\(options.points)", needed: "1 to \(Self.largestPointCount)")
    }
    guard options.absorption >= 0, options.absorption.isFinite else {
      throw .invalidOption(
        name: "absorption", value: "\(options.absorption)",
        needed: "a finite number that is not negative")
    }
    self.options = options
    let n = options.points
    matrix = AlignedBuffer(repeating: 0, count: n * n)
    scattering = AlignedBuffer(repeating: 0, count: n * n)
    source = AlignedBuffer(repeating: 0, count: n)
    boundaries = AlignedBuffer(repeating: 0, count: n + 1)
    centres = AlignedBuffer(repeating: 0, count: n)
    distances = AlignedBuffer(repeating: 0, count: n)
    left = AlignedBuffer(repeating: 0, count: n)
    right = AlignedBuffer(repeating: 0, count: n)
    pivots = AlignedBuffer(repeating: 0, count: n)
  }

  /// The shape of the grid.
  public var points: [Int] { [options.points] }

  /// The amplitudes, centres and variance of the Gaussians of each sample.
  public var parameterNames: [(name: String, columns: Int)] { options.field.parameterNames }

  /// The absorption coefficient.
  public var constants: [(name: String, values: [Double])] { [("sa", [options.absorption])] }

  /// The parameters of the sampled fields.
  public var fieldAttributes: [(name: String, value: AttributeValue)] {
    options.field.attributes
  }

  /// The parameters of the problem and the choices made where the papers are silent.
  public var attributes: [(name: String, value: AttributeValue)] {
    [
      ("equation", .text("u = K (mu_s u + 1), K f(x) = 1/2 int E1(|tau(x) - tau(y)|) f(y) dy")),
      ("grid", .text("centres of N equal cells of [0, 1]")),
      ("discretization", .text("exact cell integrals at all distances, mu_t constant in a cell")),
      ("solver", .text("LU of I - K diag(mu_s) in float64")),
      ("residual_bound", .real(Self.residualBound)),
      ("mu_a", .real(options.absorption)),
      ("source", .real(1)),
    ]
  }

  /// Draws the scattering coefficient of one sample.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - input: Becomes μ_s.
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

  /// Solves for the mean density.
  ///
  /// - Parameters:
  ///   - input: μ_s at the centres of the cells.
  ///   - output: Becomes u there.
  /// - Precondition: The spans have as many values as there are points.
  /// - Throws: ``ProblemError`` if a value is not finite or negative, if μ_t is below
  ///   `leastAttenuation`, if the optical depth exceeds `greatestDepth`, if LAPACK fails or if the
  ///   residual is too large.
  /// - Complexity: O(N³) with 2/3 N³ operations of LU and N (N + 1) values of E₂; no allocation.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    let n = options.points
    precondition(
      input.count == n && output.count == n,
      "\(input.count) and \(output.count) values for \(n) points")
    try measureDepths(input)
    assemble(input)
    let rightHandSide = source.span
    for i in 0..<n { output[i] = rightHandSide[i] }
    var factors = matrix.mutableSpan
    var swaps = pivots.mutableSpan
    do throws(LAPACKError) {
      try LAPACK.solve(&factors, order: n, rightHandSide: &output, pivots: &swaps)
    } catch {
      throw .solverFailed(error.description)
    }
    let residual = relativeResidual(of: output.span)
    guard residual <= Self.residualBound else {
      throw .residualTooLarge(relative: residual, bound: Self.residualBound)
    }
  }
}
