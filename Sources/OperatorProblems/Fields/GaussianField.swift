internal import BlockKernels
import SpecialFunctions

/// A random sum of Gaussians on [0, 1], the input field of the 1D radiative transfer problem.
///
/// μ(x) = Σ_g ρ_g / √(2π T) exp(-(x - c_g)² / (2T)) with ρ_g, c_g and T uniform in their intervals
/// (Fan et al., MNN-H², eq. 4.11). The papers do not say that centres are sorted and keep a gap: the
/// authors' generator does.
public struct GaussianField: Equatable, Sendable {
  /// The number of Gaussians; 2 by default.
  public var gaussians: Int
  /// Where the amplitudes ρ are drawn; 0.1 to 0.3 by default.
  public var amplitude: ClosedRange<Double>
  /// Where the centres c are drawn; 0.2 to 0.8 by default.
  public var centres: ClosedRange<Double>
  /// The least distance of two centres; 0.05 by default.
  public var gap: Double
  /// Where the variance T, common to the Gaussians of a sample, is drawn; 2e-3 to 4e-3 by default.
  public var variance: ClosedRange<Double>

  /// Creates a description of fields.
  ///
  /// - Parameters:
  ///   - gaussians: The number of Gaussians.
  ///   - amplitude: Where the amplitudes are drawn.
  ///   - centres: Where the centres are drawn.
  ///   - gap: The least distance of two centres.
  ///   - variance: Where the variance is drawn.
  public init(
    gaussians: Int = 2, amplitude: ClosedRange<Double> = 0.1...0.3,
    centres: ClosedRange<Double> = 0.2...0.8, gap: Double = 0.05,
    variance: ClosedRange<Double> = 2e-3...4e-3
  ) {
    self.gaussians = gaussians
    self.amplitude = amplitude
    self.centres = centres
    self.gap = gap
    self.variance = variance
  }

  /// The purpose of the random numbers of fields.
  static var purpose: UInt32 { 0x4741_5553 }

  /// The datasets of the parameters, in the order in which `draw` writes them.
  var parameterNames: [(name: String, columns: Int)] {
    [("rho", gaussians), ("u", gaussians), ("T", 1)]
  }

  /// The description in words and numbers.
  var attributes: [(name: String, value: AttributeValue)] {
    [
      ("gaussians", .integer(gaussians)),
      ("rho_range", .reals([amplitude.lowerBound, amplitude.upperBound])),
      ("centre_range", .reals([centres.lowerBound, centres.upperBound])),
      ("centre_gap", .real(gap)),
      ("T_range", .reals([variance.lowerBound, variance.upperBound])),
      ("centres", .text("sorted, uniform under the condition that neighbours keep the gap")),
    ]
  }

  /// Checks that fields can be drawn.
  ///
  /// - Throws: ``ProblemError`` if a number is not admissible.
  func validate() throws(ProblemError) {
    func require(
      _ condition: Bool, _ name: String, _ value: some Any, _ needed: String
    ) throws(ProblemError) {
      guard condition else {
        throw .invalidOption(name: name, value: "\(value)", needed: needed)
      }
    }
    try require(gaussians >= 1, "gaussians", gaussians, "at least 1")
    try require(
      amplitude.lowerBound >= 0 && amplitude.upperBound.isFinite, "amplitude", amplitude,
      "an interval of finite numbers that are not negative")
    try require(
      centres.lowerBound.isFinite && centres.upperBound.isFinite, "centres", centres,
      "an interval of finite numbers")
    try require(
      variance.lowerBound >= 1e-12 && variance.upperBound.isFinite, "variance", variance,
      "an interval of finite numbers from 1e-12 on")
    try require(gap >= 0, "gap", gap, "a number that is not negative")
    let room = centres.upperBound - centres.lowerBound
    try require(
      Double(gaussians - 1) * gap <= room, "gap", gap,
      "room for \(gaussians) centres in an interval of length \(room)")
  }

  /// Draws the parameters of a sample: amplitudes, sorted centres, variance.
  ///
  /// Centres have the law of uniform ones that are drawn again until all gaps are kept. It is that of
  /// sorted uniform numbers in the interval less the sum of the gaps, moved apart by one gap each, which
  /// takes no repetition, however little room there is.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - parameters: Becomes ρ, c and T.
  /// - Precondition: `index >= 0` and `parameters.count == 2 * gaussians + 1`.
  func draw(seed: Int64, index: Int, into parameters: inout MutableSpan<Double>) {
    precondition(index >= 0, "the sample \(index)")
    precondition(
      parameters.count == 2 * gaussians + 1,
      "\(parameters.count) parameters for \(gaussians) Gaussians")
    var random = RandomStream(seed: seed, purpose: Self.purpose, index: UInt64(index))
    for g in 0..<gaussians { parameters[g] = random.uniform(in: amplitude) }
    drawCentres(&random, at: gaussians, into: &parameters)
    parameters[2 * gaussians] = random.uniform(in: variance)
  }

  /// Draws sorted centres that keep the gap.
  ///
  /// - Parameters:
  ///   - random: Where the random numbers come from.
  ///   - start: Where the centres begin among the parameters.
  ///   - parameters: Takes the centres.
  func drawCentres(
    _ random: inout RandomStream, at start: Int, into parameters: inout MutableSpan<Double>
  ) {
    let slack = centres.upperBound - Double(gaussians - 1) * gap
    let reduced = centres.lowerBound...max(centres.lowerBound, slack)
    for g in 0..<gaussians {
      // Insertion keeps the numbers sorted.
      let centre = random.uniform(in: reduced)
      var place = start + g
      while place > start, parameters[place - 1] > centre {
        parameters[place] = parameters[place - 1]
        place -= 1
      }
      parameters[place] = centre
    }
    for g in 0..<gaussians { parameters[start + g] += Double(g) * gap }
  }

  /// Evaluates a field at the centres of equal cells of [0, 1].
  ///
  /// - Parameters:
  ///   - parameters: ρ, c and T.
  ///   - values: Becomes the field, one value per cell.
  func evaluate(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    typealias Lanes = VectorFunctions.Lanes
    let n = values.count
    let scale = 1 / Double(n)
    let variance = parameters[2 * gaussians]
    let norm = 1 / (2 * Double.pi * variance).squareRoot()
    let offsets = Lanes(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5)
    for start in stride(from: 0, to: n, by: Lanes.scalarCount) {
      let x = (Lanes(repeating: Double(start)) + offsets) * scale
      var sum = Lanes.zero
      for g in 0..<gaussians {
        let distance = x - parameters[gaussians + g]
        // Beyond 745 the exponential is zero.
        let exponent = min(distance * distance / (2 * variance), 800)
        sum += parameters[g] * norm * VectorFunctions.exponentialOfNegative(exponent)
      }
      for lane in 0..<min(Lanes.scalarCount, n - start) { values[start + lane] = sum[lane] }
    }
  }

  private func min(_ x: VectorFunctions.Lanes, _ bound: Double) -> VectorFunctions.Lanes {
    x.replacing(with: bound, where: x .> bound)
  }

  private func min(_ a: Int, _ b: Int) -> Int { a < b ? a : b }
}
