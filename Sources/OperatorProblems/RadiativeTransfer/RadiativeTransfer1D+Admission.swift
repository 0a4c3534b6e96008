internal import BlockKernels

extension RadiativeTransfer1D {
  /// The least μ_t that the solver accepts.
  ///
  /// Differences of E₂ are divided by μ_t, which leaves errors of about 1e-16 / μ_t times the total
  /// optical depth. Without attenuation there is no solution: ½ ∫ E₁ over such a cell is infinite.
  public static var leastAttenuation: Double { 1e-6 }

  /// The greatest optical depth of the slab that the solver accepts.
  ///
  /// Without absorption the condition of the system grows like the square of the depth.
  public static var greatestDepth: Double { 1e4 }

  /// Checks μ_s and computes μ_t.
  ///
  /// - Parameter input: μ_s.
  /// - Throws: ``ProblemError`` if a value is not admissible.
  func admit(_ input: Span<Double>) throws(ProblemError) {
    let h = 1 / Double(options.points)
    var total = attenuation.mutableSpan
    var depth = 0.0
    for i in 0..<options.points {
      guard input[i] >= 0, input[i].isFinite else {
        throw .inadmissibleInput(
          point: i, value: input[i], needed: "a finite number that is not negative")
      }
      total[i] = input[i] + options.absorption
      guard total[i] >= Self.leastAttenuation else {
        throw .inadmissibleInput(
          point: i, value: input[i],
          needed: "at least \(Self.leastAttenuation) less the absorption \(options.absorption)")
      }
      depth += total[i] * h
      guard depth <= Self.greatestDepth else {
        throw .inadmissibleInput(
          point: i, value: input[i],
          needed: "an optical depth of at most \(Self.greatestDepth) up to this cell")
      }
    }
  }

  /// Computes the relative size of a residual, max |r| over max |K 1| + max |u|.
  ///
  /// - Parameters:
  ///   - residual: r, in all cells or in some.
  ///   - source: K 1.
  ///   - solution: u.
  /// - Returns: The relative size; NaN if r or u is not finite.
  static func relative(
    _ residual: Span<Double>, source: Span<Double>, solution: Span<Double>
  ) -> Double {
    var largest = 0.0
    for i in 0..<residual.count {
      guard residual[i].isFinite else { return .nan }
      largest = max(largest, abs(residual[i]))
    }
    var largestSolution = 0.0
    var largestSource = 0.0
    for i in 0..<solution.count {
      guard solution[i].isFinite else { return .nan }
      largestSolution = max(largestSolution, abs(solution[i]))
      largestSource = max(largestSource, abs(source[i]))
    }
    return largest / (largestSource + largestSolution)
  }
}
