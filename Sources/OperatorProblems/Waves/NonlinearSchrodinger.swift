internal import BlockKernels

/// The nonlinear Schrödinger equation in one or two dimensions: from the potential to the ground state.
///
/// -Δu + V u + β u³ = E u on [0, 1]^d with periodic boundaries, ∫ u² = 1 and ∫ u > 0 (Fan et al., MNN-H²,
/// eq. 4.2), by finite differences with three points on each axis. Nodes are x = i / N with i = 1 ... N.
public struct NonlinearSchrodinger<let dimension: Int>: OperatorProblem, ~Copyable {
  /// The options of the problem.
  public struct Options: Equatable, Sendable {
    /// The numbers of points on the axes; 320 or 80 × 80 by default.
    public var points: [Int]
    /// The law of the potentials.
    public var wells: PeriodicWells
    /// The nonlinearity β; 10 by default.
    public var nonlinearity: Double

    /// Creates options.
    ///
    /// - Parameters:
    ///   - points: The numbers of points on the axes; nil for the default.
    ///   - wells: The law of the potentials; nil for two wells as the authors' program draws them.
    ///   - nonlinearity: The nonlinearity.
    public init(points: [Int]? = nil, wells: PeriodicWells? = nil, nonlinearity: Double = 10) {
      self.points = points ?? (dimension == 1 ? [320] : [80, 80])
      self.wells = wells ?? Self.authorsWells
      self.nonlinearity = nonlinearity
    }

    /// Two wells with amplitudes of 10 to 40, in two dimensions 1 to 6.
    public static var authorsWells: PeriodicWells {
      PeriodicWells(
        wells: 2, amplitude: dimension == 1 ? 10...40 : 1...6, shape: .variance(2e-3...4e-3),
        gap: 0.05, placement: .sortedOnEachAxis)
    }
  }

  /// The name on the command line and in data sets.
  public static var name: String { "nlse-\(dimension)d" }

  /// The largest accepted residual, relative to the norms of operator and solution.
  public static var residualBound: Double { 1e-14 }

  /// The options that the instance was made with.
  public let options: Options
  /// E of the solution that was found last.
  public private(set) var energy: Double
  let groundState: GroundState
  private let field: WellField
  /// The potential, shifted so that its least value is 1.
  private let potential: AlignedBuffer<Double>

  /// Prepares the solver.
  ///
  /// - Parameter options: The options.
  /// - Throws: ``ProblemError`` if an option is not admissible.
  public init(options: Options = Options()) throws(ProblemError) {
    let count = options.points.reduce(1.0) { $0 * Double($1) }
    guard options.points.count == dimension, dimension == 1 || dimension == 2,
      options.points.allSatisfy({ $0 >= 3 && $0 <= 1 << 20 }), count <= Double(1 << 24)
    else {
      throw .invalidOption(
        name: "points", value: options.points.map(String.init).joined(separator: "x"),
        needed: "\(dimension) numbers of at least 3, at most \(1 << 24) points in all")
    }
    guard options.nonlinearity >= 0, options.nonlinearity <= 1e6 else {
      throw .invalidOption(
        name: "beta", value: "\(options.nonlinearity)", needed: "a number from 0 to 1e6")
    }
    let field = try WellField(
      law: options.wells, points: options.points, period: 1, firstNode: 1)
    groundState = try GroundState(points: options.points)
    self.options = options
    self.field = field
    energy = .nan
    potential = AlignedBuffer(repeating: 0, count: options.points.reduce(1, *))
  }

  /// The shape of the grid.
  public var points: [Int] { options.points }

  /// The amplitudes, centres and variance of the wells of each sample.
  public var parameterNames: [(name: String, columns: Int)] {
    field.parameterNames(amplitude: "rho", centre: "u", width: "T")
  }

  /// The eigenvalue E, with the potential as it is given.
  public var resultNames: [(name: String, columns: Int)] { [("E", 1)] }

  /// Copies E of the last solution.
  ///
  /// - Parameter results: Becomes E.
  public func copyResults(into results: inout MutableSpan<Double>) { results[0] = energy }

  /// No dataset is common to all samples.
  public var constants: [(name: String, values: [Double])] { [] }

  /// The parameters of the sampled potentials.
  public var fieldAttributes: [(name: String, value: AttributeValue)] {
    let law = options.wells
    return [
      ("gaussians", .integer(law.wells)),
      ("rho_range", .reals([law.amplitude.lowerBound, law.amplitude.upperBound])),
      ("T_range", .reals([law.widths.lowerBound, law.widths.upperBound])),
      ("centre_gap", .real(law.gap)),
      ("centres", .text("uniform, on each axis sorted, neighbours keep the gap periodically")),
      ("potential", .text("-sum rho / sqrt(2 pi T) exp(-|x - u - j|^2 / (2 T)), least value 1")),
    ]
  }

  /// The parameters of the problem and the choices made where the papers are silent.
  public var attributes: [(name: String, value: AttributeValue)] {
    [
      ("equation", .text("-Laplace(u) + V u + beta u^3 = E u, mean(u^2) = 1, mean(u) > 0")),
      ("grid", .text("nodes i / N of [0, 1]^\(dimension), i = 1 ... N, periodic")),
      ("discretization", .text("finite differences with three points on each axis")),
      (
        "solver",
        .text("normalized gradient flow, semi-implicit, time step 1, then Newton's method")
      ),
      ("convergence", .text("the ground state is converged, not stopped as the flow slows down")),
      ("residual_bound", .real(Self.residualBound)),
      ("residual_meaning", .text("|H u - E u| / (|H| |u|), H = -Laplace + V + beta u^2")),
      ("beta", .real(options.nonlinearity)),
    ]
  }

  /// Draws the potential of one sample.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - input: Becomes V, with the least value 1.
  ///   - parameters: Becomes amplitudes, centres and variance.
  /// - Precondition: `index >= 0`, and the spans have the right sizes.
  public mutating func sample(
    seed: Int64, index: Int, input: inout MutableSpan<Double>,
    parameters: inout MutableSpan<Double>
  ) {
    field.sample(seed: seed, index: index, field: &input, parameters: &parameters)
    var least = Double.infinity
    for i in 0..<input.count { least = min(least, input[i]) }
    for i in 0..<input.count { input[i] = (input[i] - least) + 1 }
  }

  /// Finds the ground state.
  ///
  /// - Parameters:
  ///   - input: V at the nodes, any finite numbers.
  ///   - output: Becomes u there, positive and with the mean square 1.
  /// - Precondition: The spans have as many values as there are points.
  /// - Throws: ``ProblemError`` if a value is not finite, or if the solver finds no positive solution with
  ///   a residual below its bound.
  /// - Complexity: O(N) operations in one dimension and O(N log N) in two, in each of some ten steps with
  ///   one or some ten products; no allocation.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    for i in 0..<output.count { output[i] = 1 }
    _ = try solve(input: input, from: &output)
  }

  /// Finds the ground state from a given start.
  ///
  /// - Parameters:
  ///   - input: V.
  ///   - output: The start; becomes u.
  /// - Returns: What is known about the solution.
  /// - Throws: ``ProblemError`` as the other `solve` does.
  mutating func solve(
    input: Span<Double>, from output: inout MutableSpan<Double>
  ) throws(ProblemError) -> GroundState.Result {
    let n = pointCount
    precondition(
      input.count == n && output.count == n,
      "\(input.count) and \(output.count) values for \(n) points")
    var least = Double.infinity
    for i in 0..<n {
      guard abs(input[i]) <= 1e12 else {
        throw .inadmissibleInput(point: i, value: input[i], needed: "a number of at most 1e12")
      }
      least = min(least, input[i])
    }
    var potential = potential.mutableSpan
    for i in 0..<n { potential[i] = (input[i] - least) + 1 }
    let result = groundState.solve(
      potential: potential.span, nonlinearity: options.nonlinearity, state: &output)
    energy = result.energy + least - 1
    guard result.correction <= GroundState.tolerance else {
      throw .solverFailed("the gradient flow does not converge to a positive state")
    }
    guard result.residual <= Self.residualBound else {
      throw .residualTooLarge(relative: result.residual, bound: Self.residualBound)
    }
    return result
  }
}
