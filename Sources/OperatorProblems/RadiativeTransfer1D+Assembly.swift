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

  /// Checks μ_s and adds up the optical depths.
  ///
  /// - Parameter input: μ_s.
  /// - Throws: ``ProblemError`` if a value is not admissible.
  func measureDepths(_ input: Span<Double>) throws(ProblemError) {
    let n = options.points
    let h = 1 / Double(n)
    var boundaries = boundaries.mutableSpan
    var centres = centres.mutableSpan
    boundaries[0] = 0
    for i in 0..<n {
      guard input[i] >= 0, input[i].isFinite else {
        throw .inadmissibleInput(
          point: i, value: input[i], needed: "a finite number that is not negative")
      }
      let attenuation = input[i] + options.absorption
      guard attenuation >= Self.leastAttenuation else {
        throw .inadmissibleInput(
          point: i, value: input[i],
          needed: "at least \(Self.leastAttenuation) less the absorption \(options.absorption)")
      }
      centres[i] = boundaries[i] + attenuation * h / 2
      boundaries[i + 1] = boundaries[i] + attenuation * h
      guard boundaries[i + 1] <= Self.greatestDepth else {
        throw .inadmissibleInput(
          point: i, value: input[i],
          needed: "an optical depth of at most \(Self.greatestDepth) up to this cell")
      }
    }
  }

  /// Makes I - K diag(μ_s), K diag(μ_s) and K 1.
  ///
  /// The integral of ½ E₁ over the cell j, seen from the centre i, is a difference of ½ E₂ at the
  /// optical distances of the cell's boundaries, over μ_t in the cell, since E₂' = -E₁. The cell i
  /// itself gives (1 - E₂(μ_t h / 2)) / μ_t.
  ///
  /// - Parameter input: μ_s.
  func assemble(_ input: Span<Double>) {
    let n = options.points
    var matrix = matrix.mutableSpan
    var scattering = scattering.mutableSpan
    var source = source.mutableSpan
    for i in 0..<n { source[i] = 0 }
    var left = left
    var right = right
    attenuate(from: 0, into: right)
    for j in 0..<n {
      swap(&left, &right)
      attenuate(from: j + 1, into: right)
      let near = left.span
      let far = right.span
      let half = 0.5 / (input[j] + options.absorption)
      let column = j * n
      // Cells before j see its left boundary first, those behind it the right one.
      for i in 0..<j {
        let entry = (near[i] - far[i]) * half
        source[i] += entry
        scattering[column + i] = entry * input[j]
      }
      let diagonal = -(near[j] + far[j]) * half
      source[j] += diagonal
      scattering[column + j] = diagonal * input[j]
      for i in j + 1..<max(n, j + 1) {
        let entry = (far[i] - near[i]) * half
        source[i] += entry
        scattering[column + i] = entry * input[j]
      }
      for i in 0..<n { matrix[column + i] = -scattering[column + i] }
      matrix[column + j] = 1 - scattering[column + j]
    }
  }

  /// Computes E₂ - 1 of the optical distances of all centres from a boundary.
  ///
  /// The one cancels in the differences; without it they keep their digits in thin media.
  private func attenuate(from boundary: Int, into values: AlignedBuffer<Double>) {
    let depth = boundaries.span[boundary]
    let centres = centres.span
    var distances = distances.mutableSpan
    for i in 0..<options.points { distances[i] = abs(centres[i] - depth) }
    var target = values.mutableSpan
    ExponentialIntegral.e2LessOne(distances.span, into: &target)
  }

  /// Computes the residual of a solution u, max |K 1 + K diag(μ_s) u - u| over max |K 1| + max |u|.
  ///
  /// - Parameter solution: u.
  /// - Returns: The relative residual; NaN if u is not finite.
  func relativeResidual(of solution: Span<Double>) -> Double {
    let n = options.points
    let scattering = scattering.span
    let source = source.span
    var residual = distances.mutableSpan
    for i in 0..<n { residual[i] = source[i] - solution[i] }
    for j in 0..<n {
      let column = j * n
      let value = solution[j]
      for i in 0..<n { residual[i] += scattering[column + i] * value }
    }
    var largest = 0.0
    var largestSource = 0.0
    var largestSolution = 0.0
    for i in 0..<n {
      guard residual[i].isFinite else { return .nan }
      largest = max(largest, abs(residual[i]))
      largestSource = max(largestSource, abs(source[i]))
      largestSolution = max(largestSolution, abs(solution[i]))
    }
    return largest / (largestSource + largestSolution)
  }
}
