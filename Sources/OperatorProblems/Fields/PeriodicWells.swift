internal import BlockKernels

/// The law of random Gaussian wells in a periodic cell, the potentials of the Schrödinger problems.
///
/// V(x) = -Σ_g a_g Σ_j exp(-|x - c_g - j L|² / (2 w)) over all lattice vectors j, with amplitudes, centres
/// and one squared width w per sample (Fan et al., MNN-H², eqs. 4.4 and 4.16). All distances are those of
/// the periodic cell.
public struct PeriodicWells: Equatable, Sendable {
  /// What the width of a well is, and what it makes of the amplitude.
  public enum Shape: Equatable, Sendable {
    /// The squared width is a variance T, and the amplitude of a well is ρ / √(2πT) in any dimension.
    case variance(ClosedRange<Double>)
    /// The width is a deviation σ, and the amplitude is that drawn.
    case deviation(ClosedRange<Double>)
  }

  /// How centres are drawn in two dimensions.
  public enum Placement: Equatable, Sendable {
    /// On each axis of its own, sorted, neighbours keeping the gap: wells stand along the diagonal.
    case sortedOnEachAxis
    /// In the cell, drawn again until all pairs keep the gap.
    case apart
  }

  /// The number of wells.
  public var wells: Int
  /// Where the amplitudes are drawn.
  public var amplitude: ClosedRange<Double>
  /// The widths.
  public var shape: Shape
  /// The least periodic distance of two centres, of their coordinates if these are sorted.
  public var gap: Double
  /// How centres are drawn; of no effect in one dimension.
  public var placement: Placement

  /// Creates a law.
  ///
  /// - Parameters:
  ///   - wells: The number of wells.
  ///   - amplitude: Where the amplitudes are drawn.
  ///   - shape: The widths.
  ///   - gap: The least distance of two centres.
  ///   - placement: How centres are drawn in two dimensions.
  public init(
    wells: Int, amplitude: ClosedRange<Double>, shape: Shape, gap: Double, placement: Placement
  ) {
    self.wells = wells
    self.amplitude = amplitude
    self.shape = shape
    self.gap = gap
    self.placement = placement
  }

  /// The purpose of the random numbers of wells.
  static var purpose: UInt32 { 0x5745_4C4C }

  /// Where the widths are drawn.
  public var widths: ClosedRange<Double> {
    get {
      switch shape {
      case .variance(let range), .deviation(let range): range
      }
    }
    set {
      switch shape {
      case .variance: shape = .variance(newValue)
      case .deviation: shape = .deviation(newValue)
      }
    }
  }

  /// Checks that wells can be drawn.
  ///
  /// - Parameters:
  ///   - period: The edge L of the cell.
  ///   - dimension: 1 or 2.
  /// - Throws: ``ProblemError`` if a number is not admissible.
  func validate(period: Double, dimension: Int) throws(ProblemError) {
    func require(
      _ condition: Bool, _ name: String, _ value: some Any, _ needed: String
    ) throws(ProblemError) {
      guard condition else {
        throw .invalidOption(name: name, value: "\(value)", needed: needed)
      }
    }
    let isVariance = if case .variance = shape { true } else { false }
    try require(
      wells >= 1 && wells <= 1000, isVariance ? "gaussians" : "wells", wells, "1 to 1000")
    try require(
      amplitude.lowerBound >= 0 && amplitude.upperBound <= 1e9, "amplitude", amplitude,
      "an interval of numbers from 0 to 1e9")
    let unit = isVariance ? period * period : period
    try require(
      widths.lowerBound >= 1e-9 * unit && widths.upperBound <= unit,
      isVariance ? "variance" : "sigma", widths,
      "an interval of numbers from \(1e-9 * unit) to \(unit)")
    try require(gap >= 0 && gap.isFinite, "gap", gap, "a number that is not negative")
    guard dimension == 2, placement == .apart else {
      return try require(
        Double(wells) * gap <= period, "gap", gap,
        "room for \(wells) centres on a circle of length \(period)")
    }
    // Scaled particle theory of hard discs: at most about e⁹ trials are expected.
    let filled = Double(wells) * .pi / 4 * (gap / period) * (gap / period)
    let trials = Double(wells) * 2 * filled / (1 - filled)
    try require(
      wells == 1 || filled <= 0.4 && trials <= 9, "gap", gap,
      "room for \(wells) centres in a square of edge \(period), drawn at random")
  }

  /// Draws amplitudes, the centres axis by axis, and the width.
  ///
  /// Coordinates on an axis have the law of uniform ones that are drawn again until all gaps are kept,
  /// on the circle: it is that of sorted uniform numbers on a circle shorter by all gaps, moved apart by
  /// one gap each and turned by a uniform angle.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - period: The edge of the cell.
  ///   - dimension: 1 or 2.
  ///   - parameters: Becomes the parameters, `wells * (1 + dimension) + 1` values.
  func draw(
    seed: Int64, index: Int, period: Double, dimension: Int,
    into parameters: inout MutableSpan<Double>
  ) {
    precondition(index >= 0, "the sample \(index)")
    precondition(
      parameters.count == wells * (1 + dimension) + 1,
      "\(parameters.count) parameters for \(wells) wells in \(dimension) dimensions")
    var random = RandomStream(seed: seed, purpose: Self.purpose, index: UInt64(index))
    for g in 0..<wells { parameters[g] = random.uniform(in: amplitude) }
    if dimension == 2, placement == .apart {
      drawApart(&random, period, into: &parameters)
    } else {
      for axis in 1...dimension { drawSorted(&random, period, into: &parameters, at: axis * wells) }
    }
    parameters[wells * (1 + dimension)] = random.uniform(in: widths)
  }

  private func drawSorted(
    _ random: inout RandomStream, _ period: Double, into parameters: inout MutableSpan<Double>,
    at start: Int
  ) {
    let reduced = max(0, period - Double(wells) * gap)
    for g in 0..<wells {
      insert(random.uniform(in: 0...reduced), into: &parameters, from: start, count: g)
    }
    let turn = random.uniform(in: 0...period)
    for g in 0..<wells { parameters[start + g] += Double(g) * gap + turn }
    // Those beyond the period come back at its other end, in order.
    for g in 0..<wells {
      var centre = parameters[start + g]
      if centre >= period { centre -= period }
      insert(min(max(centre, 0), period), into: &parameters, from: start, count: g)
    }
  }

  /// Inserts a number into a sorted run.
  private func insert(
    _ value: Double, into parameters: inout MutableSpan<Double>, from start: Int, count: Int
  ) {
    var place = start + count
    while place > start, parameters[place - 1] > value {
      parameters[place] = parameters[place - 1]
      place -= 1
    }
    parameters[place] = value
  }

  private func drawApart(
    _ random: inout RandomStream, _ period: Double, into parameters: inout MutableSpan<Double>
  ) {
    var placed = 0
    while placed < wells {
      let x = random.uniform(in: 0...period)
      let y = random.uniform(in: 0...period)
      var keepsApart = true
      for g in 0..<placed {
        let dx = Self.distance(x, parameters[wells + g], period)
        let dy = Self.distance(y, parameters[2 * wells + g], period)
        keepsApart = keepsApart && dx * dx + dy * dy >= gap * gap
      }
      parameters[wells + placed] = x
      parameters[2 * wells + placed] = y
      // One pair too close is reason to draw all again.
      placed = keepsApart ? placed + 1 : 0
    }
  }

  private static func distance(_ a: Double, _ b: Double, _ period: Double) -> Double {
    let difference = abs(a - b)
    return min(difference, period - difference)
  }
}
