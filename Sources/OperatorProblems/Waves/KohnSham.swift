internal import BlockKernels
import SpecialFunctions

/// The Kohn–Sham map in one or two dimensions: from the potential to the density of the electrons.
///
/// (-½Δ + V) ψ_i = ε_i ψ_i in a periodic cell of edge L, ρ = Σ_{i ≤ n_e} |ψ_i|² with ∫ |ψ_i|² = 1 (Fan et al.,
/// MNN-H², eq. 4.13), by Fourier transforms on the nodes i L / N, i = 0 ... N - 1. The cell is that of the
/// authors' programs, 80 or 16 × 16: in the paper's [-1, 1]^d, with its widths, the kinetic energy would
/// dominate, and hardly any orbital would be bound.
public struct KohnSham<let dimension: Int>: OperatorProblem, ~Copyable {
  /// The options of the problem.
  public struct Options: Equatable, Sendable {
    /// The numbers of points on the axes; 320 or 64 × 64 by default.
    public var points: [Int]
    /// The edge L of the cell; 80 or 16 by default.
    public var length: Double
    /// The law of the potentials.
    public var wells: PeriodicWells
    /// The number n_e of electrons; that of the wells by default.
    public var electrons: Int

    /// Creates options.
    ///
    /// - Parameters:
    ///   - points: The numbers of points on the axes; nil for the default.
    ///   - length: The edge of the cell; nil for the default.
    ///   - wells: The law of the potentials; nil for two wells as the authors' programs draw them.
    ///   - electrons: The number of electrons; nil for that of the wells.
    public init(
      points: [Int]? = nil, length: Double? = nil, wells: PeriodicWells? = nil,
      electrons: Int? = nil
    ) {
      self.points = points ?? (dimension == 1 ? [320] : [64, 64])
      self.length = length ?? (dimension == 1 ? 80 : 16)
      let law = wells ?? Self.authorsWells
      self.wells = law
      self.electrons = electrons ?? law.wells
    }

    /// Two wells of depth 0.8 to 1.2 and width 2, four widths apart; in two dimensions 1 and six.
    public static var authorsWells: PeriodicWells {
      let width = dimension == 1 ? 2.0 : 1.0
      return PeriodicWells(
        wells: 2, amplitude: 0.8...1.2, shape: .deviation(width...width),
        gap: dimension == 1 ? 4 * width : 6 * width, placement: .apart)
    }
  }

  /// The name on the command line and in data sets.
  public static var name: String { "kohn-sham-\(dimension)d" }

  /// The largest accepted residual of a level, relative to the norm of H.
  public static var residualBound: Double { 1e-12 }

  /// The distance, relative to the norm of H, below which levels count as one.
  public static var degeneracy: Double { 1e-9 }

  /// The largest number of points for which a dense matrix may be diagonalized where all else fails.
  static var largestDenseOrder: Int { 4096 }

  /// The options that the instance was made with.
  public let options: Options
  /// The lowest n_e + 1 eigenvalues of the potential that was solved last.
  public private(set) var eigenvalues: [Double]
  /// The extensions of the space that the last solution took; 0 by a dense matrix.
  private(set) var steps: Int
  private(set) var hamiltonian: SpectralHamiltonian
  let solver: LowestLevels?
  let field: WellField

  /// Prepares the solver.
  ///
  /// - Parameter options: The options.
  /// - Throws: ``ProblemError`` if an option is not admissible.
  public init(options: Options = Options()) throws(ProblemError) {
    let count = options.points.reduce(1.0) { $0 * Double($1) }
    guard options.points.count == dimension, dimension == 1 || dimension == 2,
      options.points.allSatisfy({ $0 >= 2 && $0 <= 1 << 20 }), count <= Double(1 << 22)
    else {
      throw .invalidOption(
        name: "points", value: options.points.map(String.init).joined(separator: "x"),
        needed: "\(dimension) numbers of at least 2, at most \(1 << 22) points in all")
    }
    guard options.length >= 1e-3, options.length <= 1e6 else {
      throw .invalidOption(
        name: "length", value: "\(options.length)", needed: "a number from 1e-3 to 1e6")
    }
    let field = try WellField(
      law: options.wells, points: options.points, period: options.length, firstNode: 0)
    let total = Int(count)
    guard options.electrons >= 1, options.electrons < min(total, 1000) else {
      throw .invalidOption(
        name: "electrons", value: "\(options.electrons)",
        needed: "1 to \(min(total, 1000) - 1) on this grid")
    }
    hamiltonian = try SpectralHamiltonian(points: options.points, period: options.length)
    self.options = options
    self.field = field
    steps = 0
    eigenvalues = [Double](repeating: .nan, count: options.electrons + 1)
    let wanted = options.electrons + 1
    solver =
      Self.isIterative(total, wanted) ? LowestLevels(count: total, wanted: wanted) : nil
  }

  /// Returns whether the block method serves: small matrices are diagonalized faster.
  private static func isIterative(_ count: Int, _ wanted: Int) -> Bool {
    let block = wanted + LowestLevels.guards
    return count >= 40 * block || count > 1024 && count >= 6 * block
  }

  /// The shape of the grid.
  public var points: [Int] { options.points }

  /// The amplitudes, centres and width of the wells of each sample.
  public var parameterNames: [(name: String, columns: Int)] {
    field.parameterNames(amplitude: "a", centre: "c", width: "sigma")
  }

  /// The lowest n_e + 1 eigenvalues.
  public var resultNames: [(name: String, columns: Int)] { [("Eigs", options.electrons + 1)] }

  /// Copies the eigenvalues of the last solution.
  ///
  /// - Parameter results: Becomes the eigenvalues, ascending.
  public func copyResults(into results: inout MutableSpan<Double>) {
    for j in 0..<eigenvalues.count { results[j] = eigenvalues[j] }
  }

  /// No dataset is common to all samples.
  public var constants: [(name: String, values: [Double])] { [] }

  /// Finds the density.
  ///
  /// - Parameters:
  ///   - input: V at the nodes.
  ///   - output: Becomes ρ there, with the sum n_e over the volume of a cell of the grid.
  /// - Precondition: The spans have as many values as there are points.
  /// - Throws: ``ProblemError`` if a value is not finite or too large, or if a level has a residual above
  ///   its bound.
  /// - Complexity: Some 20 steps of the block method, each with n_e + 1 or fewer pairs of transforms and
  ///   O(N n_e²) operations, without allocation; O(N³) operations where a dense matrix serves.
  public mutating func solve(
    input: Span<Double>, output: inout MutableSpan<Double>
  ) throws(ProblemError) {
    let n = pointCount
    precondition(
      input.count == n && output.count == n,
      "\(input.count) and \(output.count) values for \(n) points")
    for i in 0..<n where !(abs(input[i]) <= 1e12) {
      throw .inadmissibleInput(point: i, value: input[i], needed: "a number of at most 1e12")
    }
    hamiltonian.take(input)
    var levels = try find(options.electrons + 1)
    // The lowest level that is not wanted must lie above the cut.
    while levels.wanted < n, isAtCut(levels, levels.wanted - 1) {
      levels = try find(min(2 * levels.wanted, n))
    }
    for j in 0...options.electrons {
      eigenvalues[j] = levels.values[j] + hamiltonian.middle
    }
    steps = levels.steps
    try check(levels, scratch: &output)
    occupy(levels, &output)
  }

  /// Whether a level is that of the last electron, within the tolerance.
  private func isAtCut(_ levels: LevelSet, _ level: Int) -> Bool {
    abs(levels.values[level] - levels.values[options.electrons - 1])
      <= Self.degeneracy * hamiltonian.norm
  }

  /// Finds levels by the block method.
  ///
  /// Errors of the density are residuals over the gap at the cut, so small gaps need small residuals.
  ///
  /// - Returns: Nil if the matrix is too small for it or it does not converge.
  func findByBlocks(_ wanted: Int) throws(LAPACKError) -> LevelSet? {
    guard Self.isIterative(pointCount, wanted) else { return nil }
    let (norm, electrons) = (hamiltonian.norm, options.electrons)
    func bound(_ values: Span<Double>) -> Double {
      let gap = (values[electrons] - values[electrons - 1]) / norm
      return norm * min(0.5 * Self.residualBound, max(1e-14, 1e-10 * gap))
    }
    // A larger block is used for one sample only, so that the next sample does not depend on it.
    guard wanted == options.electrons + 1 else {
      return try LowestLevels(count: pointCount, wanted: wanted).find(of: hamiltonian, bound: bound)
    }
    return try solver?.find(of: hamiltonian, bound: bound)
  }

  /// Adds up the density.
  ///
  /// Electrons fill the levels from below, one each; those that are left for the level at the cut are shared
  /// equally by all its states, which is the limit of the Fermi–Dirac distribution at temperature zero.
  private func occupy(_ levels: LevelSet, _ density: inout MutableSpan<Double>) {
    var below = 0
    while !isAtCut(levels, below) { below += 1 }
    var above = below
    while above < levels.wanted, isAtCut(levels, above) { above += 1 }
    let share = Double(options.electrons - below) / Double(above - below)
    let n = density.count
    var cell = 1.0
    for count in options.points { cell *= options.length / Double(count) }
    for i in 0..<n { density[i] = 0 }
    let vectors = levels.vectors.span
    for j in 0..<above {
      let weight = (j < below ? 1 : share) / cell
      for i in 0..<n {
        let value = vectors[j * n + i]
        density[i] += weight * value * value
      }
    }
  }

  /// Recomputes the residuals of all levels.
  private func check(
    _ levels: LevelSet, scratch: inout MutableSpan<Double>
  ) throws(ProblemError) {
    let n = scratch.count
    var largest = 0.0
    for j in 0..<levels.wanted {
      let vector = levels.vectors.span.extracting(j * n..<(j + 1) * n)
      hamiltonian.multiply(vector, into: &scratch)
      let value = levels.values[j]
      for i in 0..<n { scratch[i] -= value * vector[i] }
      let residual = VectorSums.norm(scratch.span) / hamiltonian.norm
      // A comparison with NaN is false.
      largest = residual <= largest ? largest : residual
    }
    guard largest <= Self.residualBound else {
      throw .residualTooLarge(relative: largest, bound: Self.residualBound)
    }
  }
}
