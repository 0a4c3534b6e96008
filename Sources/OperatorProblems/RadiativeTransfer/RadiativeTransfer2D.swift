internal import BlockKernels

/// The stationary radiative transfer equation in the unit square: from the scattering to the mean density.
///
/// u = K (μ_s u + 1) with (K f)(x) = ∫ exp(-|x - y| ∫₀¹ μ_t) / (2π |x - y|) f(y) dy, where ∫₀¹ μ_t is the
/// mean of μ_t = μ_s + μ_a on the line from x to y (Fan et al., MNN-H², eqs. 4.6 and 4.7, where 4π stands for the
/// area of the unit sphere, in the plane 2π). Unknowns are the values at the centres of n₁ × n₂ equal
/// cells; ``PlaneTransferMatrix`` says how integrals are computed. A sampled μ_s is known everywhere; a
/// given one is interpolated.
public struct RadiativeTransfer2D: OperatorProblem, ~Copyable {
  /// What μ_s scales in the equation.
  public enum Scaling: String, CaseIterable, Sendable {
    /// (I - K diag(μ_s)) u = K 1, which is eq. 4.6.
    case columns
    /// (I - diag(μ_s) K) u = K 1, which the authors' generator solves by mistake.
    case rows
  }

  /// The options of the problem.
  public struct Options: Equatable, Sendable {
    /// The numbers of cells n₁ and n₂; 80 × 80 by default.
    public var points: [Int]
    /// The law of the scattering coefficient.
    public var field: GaussianField
    /// The absorption coefficient μ_a; 0.2 by default.
    public var absorption: Double
    /// What μ_s scales; columns by default.
    public var scaling: Scaling

    /// Creates options.
    ///
    /// - Parameters:
    ///   - points: The numbers of cells.
    ///   - field: The law of the scattering coefficient.
    ///   - absorption: The absorption coefficient.
    ///   - scaling: What μ_s scales.
    public init(
      points: [Int] = [80, 80], field: GaussianField = .plane, absorption: Double = 0.2,
      scaling: Scaling = .columns
    ) {
      self.points = points
      self.field = field
      self.absorption = absorption
      self.scaling = scaling
    }
  }

  /// The name on the command line and in data sets.
  public static var name: String { "rte-2d" }

  /// The largest accepted residual, in the maximum norm relative to right-hand side and solution.
  public static var residualBound: Double { 1e-13 }

  /// The largest number of points: half of the matrix is stored, 4 N² bytes.
  public static var largestPointCount: Int { 16384 }

  /// The largest coefficient of scattering or absorption that is accepted.
  public static var greatestCoefficient: Double { 1e6 }

  /// The options that the instance was made with.
  public let options: Options
  private let iteration: PlaneIteration

  /// Prepares the solver.
  ///
  /// - Parameter options: The options.
  /// - Throws: ``ProblemError`` if an option is not admissible.
  public init(options: Options = Options()) throws(ProblemError) {
    try options.field.validate()
    let sizes = options.points
    guard sizes.count == 2, sizes.allSatisfy({ (1...Self.largestPointCount).contains($0) }),
      sizes[0] * sizes[1] <= Self.largestPointCount
    else {
      throw .invalidOption(
        name: "points", value: "\(sizes)",
        needed: "two positive numbers with a product of at most \(Self.largestPointCount)")
    }
    guard options.absorption >= 0, options.absorption <= Self.greatestCoefficient else {
      throw .invalidOption(
        name: "absorption", value: "\(options.absorption)",
        needed: "a number from 0 to \(Self.greatestCoefficient)")
    }
    self.options = options
    iteration = PlaneIteration(shape: (sizes[0], sizes[1]), scaling: options.scaling)
  }

  /// The shape of the grid.
  public var points: [Int] { options.points }

  /// The amplitudes, centres and variance of the Gaussians of each sample.
  public var parameterNames: [(name: String, columns: Int)] { options.field.planeParameterNames }

  /// The absorption coefficient.
  public var constants: [(name: String, values: [Double])] { [("sa", [options.absorption])] }

  /// The parameters of the sampled fields.
  public var fieldAttributes: [(name: String, value: AttributeValue)] {
    options.field.planeAttributes + [("between_centres", .text("mu_s as a formula"))]
  }

  /// The parameters of the problem and the choices made where the papers are silent.
  public var attributes: [(name: String, value: AttributeValue)] {
    let equation =
      options.scaling == .columns
      ? "u = K (mu_s u + 1)" : "u = mu_s K u + K 1, not the radiative transfer equation"
    return [
      ("equation", .text("\(equation), K f(x) = int exp(-|x - y| m) / (2 pi |x - y|) f(y) dy")),
      ("equation_m", .text("mean of mu_t between x and y, Gauss-Legendre rule with 5 nodes")),
      ("grid", .text("centres of n1 x n2 equal cells of the unit square, second axis fastest")),
      ("discretization", .text("midpoint rule; own cell: 1/r exactly, rest 10 x 10 nodes")),
      ("solver", .text("GMRES in float64")),
      ("scaling", .text(options.scaling.rawValue)),
      ("residual_bound", .real(Self.residualBound)),
      ("residual_meaning", .text("max |residual| / (max |K 1| + max |u|)")),
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
    options.field.drawPlane(seed: seed, index: index, into: &parameters)
    gaussians(parameters.span).evaluate(
      shape: (options.points[0], options.points[1]), into: &input)
  }

  /// Solves for the mean density of a given field.
  ///
  /// - Parameters:
  ///   - input: μ_s at the centres of the cells; between them it is ``InterpolatedField``.
  ///   - output: Becomes u there.
  /// - Precondition: The spans have as many values as there are points.
  /// - Throws: ``ProblemError`` if a value is not admissible or GMRES does not reach the residual's bound.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    try admit(input)
    let field = InterpolatedField(
      shape: (options.points[0], options.points[1]), values: (0..<input.count).map { input[$0] })
    try solve(input, field, &output)
  }

  /// Solves for the mean density of a sum of Gaussians.
  ///
  /// - Parameters:
  ///   - input: μ_s at the centres of the cells.
  ///   - parameters: Amplitudes, centres and variance of the Gaussians.
  ///   - output: Becomes u.
  /// - Precondition: The spans have the right sizes.
  /// - Throws: ``ProblemError`` if a value is not admissible or GMRES does not reach the residual's bound.
  public mutating func solve(
    input: Span<Double>, parameters: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    try admit(input)
    try solve(input, gaussians(parameters), &output)
  }

  private func gaussians(_ parameters: Span<Double>) -> GaussianSum {
    GaussianSum(
      count: options.field.gaussians, parameters: (0..<parameters.count).map { parameters[$0] })
  }

  private func solve(
    _ input: Span<Double>, _ field: some SeparableField, _ output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    precondition(output.count == pointCount, "\(output.count) values for \(pointCount) points")
    iteration.matrix.assemble(scattering: field, absorption: options.absorption)
    let (residual, _) = iteration.solve(scattering: input, solution: &output)
    guard residual <= Self.residualBound else {
      throw .residualTooLarge(relative: residual, bound: Self.residualBound)
    }
  }

  /// Checks μ_s.
  private func admit(_ input: Span<Double>) throws(ProblemError) {
    precondition(input.count == pointCount, "\(input.count) values for \(pointCount) points")
    for i in 0..<input.count where !(input[i] >= 0 && input[i] <= Self.greatestCoefficient) {
      throw .inadmissibleInput(
        point: i, value: input[i], needed: "a number from 0 to \(Self.greatestCoefficient)")
    }
  }
}
