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
  public static var residualBound: Double { 1e-13 }

  /// The largest number of points: a matrix for LU is dense.
  public static var largestPointCount: Int { 32768 }

  /// The options that the instance was made with.
  public let options: Options

  /// The iteration that serves first.
  let iteration: SlabIteration
  /// μ_t of each cell.
  let attenuation: AlignedBuffer<Double>
  /// Made when the iteration fails for the first time.
  private var dense: DenseSlab?

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
    let least = max(options.absorption, Self.leastAttenuation)
    iteration = SlabIteration(cellCount: n, leastThickness: least / Double(n))
    attenuation = AlignedBuffer(repeating: 0, count: n)
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
      ("solver", .text("GMRES in float64, LU of I - K diag(mu_s) where it does not converge")),
      ("residual_bound", .real(Self.residualBound)),
      ("residual_meaning", .text("max |K (mu_s u + 1) - u| / (max |K 1| + max |u|)")),
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
  ///   `leastAttenuation`, if the optical depth exceeds `greatestDepth`, or if neither GMRES nor LU
  ///   gets the residual below its bound.
  /// - Complexity: O(N) operations in each of ten or so products with K where half of the radiation is
  ///   scattered; no allocation. Where GMRES does not converge, LU takes 2/3 N³ operations and, from then
  ///   on, 16 N² bytes.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    let n = options.points
    precondition(
      input.count == n && output.count == n,
      "\(input.count) and \(output.count) values for \(n) points")
    try admit(input)
    let (residual, _) = iteration.solve(
      scattering: input, attenuation: attenuation.span, solution: &output)
    guard !(residual <= Self.residualBound) else { return }
    try solveDirectly(input: input, output: &output)
  }

  /// Solves by LU of the dense matrix.
  ///
  /// - Parameters:
  ///   - input: μ_s at the centres of the cells.
  ///   - output: Becomes u there.
  /// - Throws: ``ProblemError`` as `solve` does.
  mutating func solveDirectly(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    try admit(input)
    let slab = dense.take() ?? DenseSlab(cellCount: options.points)
    var residual = Double.nan
    var failure: LAPACKError?
    do throws(LAPACKError) {
      residual = try slab.solve(
        scattering: input, attenuation: attenuation.span, solution: &output)
    } catch {
      failure = error
    }
    dense = consume slab
    if let failure { throw .solverFailed(failure.description) }
    guard residual <= Self.residualBound else {
      throw .residualTooLarge(relative: residual, bound: Self.residualBound)
    }
  }
}
