internal import BlockKernels

/// The solution of u = K (μ_s u + 1) in a slab by GMRES, with the residual checked in two ways.
///
/// K diag(μ_s) is a contraction: where half of the radiation is scattered, ten products are enough. After
/// the iteration the residual is recomputed: in all rows by ``SlabOperator``, and, in case that operator
/// is wrong, in four rows from E₂.
struct SlabIteration: ~Copyable {
  /// The number N of cells.
  let cellCount: Int
  /// K.
  let slab: SlabOperator
  private let krylov: MinimalResiduals
  private let row: ExactRow
  /// The optical thickness of each cell.
  private let thicknesses: AlignedBuffer<Double>
  /// μ_s / μ_t, the part of the attenuation that is scattering.
  private let albedo: AlignedBuffer<Double>
  /// K 1.
  private let source: AlignedBuffer<Double>
  /// What K is applied to, over μ_t.
  private let emission: AlignedBuffer<Double>
  /// K 1 + K diag(μ_s) u - u.
  private let residual: AlignedBuffer<Double>
  /// K 1 + K diag(μ_s) u - u in the checked rows.
  private let rowResiduals: AlignedBuffer<Double>

  /// The residual below which the iteration ends; rounding leaves a tenth of it.
  static var target: Double { 1e-14 }

  /// The largest number of products of one cycle.
  static var capacity: Int { 60 }

  /// The number of cycles that may use all their products; LU is no slower than more of them.
  var fullCycles: Int { 2 + cellCount / 400 }

  /// The number of rows in which the residual is found from E₂.
  static var checkedRows: Int { 4 }

  /// Allocates all memory.
  ///
  /// - Parameters:
  ///   - cellCount: The number of cells.
  ///   - leastThickness: The least optical thickness of a cell.
  init(cellCount: Int, leastThickness: Double) {
    let n = cellCount
    self.cellCount = n
    slab = SlabOperator(cellCount: n, leastThickness: leastThickness)
    krylov = MinimalResiduals(order: n, capacity: Self.capacity)
    row = ExactRow(cellCount: n)
    thicknesses = AlignedBuffer(repeating: 0, count: n)
    albedo = AlignedBuffer(repeating: 0, count: n)
    source = AlignedBuffer(repeating: 0, count: n)
    emission = AlignedBuffer(repeating: 0, count: n)
    residual = AlignedBuffer(repeating: 0, count: n)
    rowResiduals = AlignedBuffer(repeating: 0, count: min(Self.checkedRows, n))
  }

  /// Solves for u.
  ///
  /// - Parameters:
  ///   - scattering: μ_s of each cell.
  ///   - attenuation: μ_t of each cell.
  ///   - solution: Becomes u.
  /// - Returns: The relative residual, the larger one of that by ``SlabOperator`` in all rows and that
  ///   by ``ExactRow`` in some; NaN if u is not finite. And the number of products with K diag(μ_s).
  /// - Precondition: The spans have one value per cell.
  func solve(
    scattering: Span<Double>, attenuation: Span<Double>, solution: inout MutableSpan<Double>
  ) -> (residual: Double, products: Int) {
    prepare(scattering, attenuation)
    for i in 0..<cellCount { solution[i] = 0 }
    residual.copy(from: source, at: 0, to: 0..<cellCount)
    var reached = Double.infinity
    var products = 0
    var cyclesLeft = fullCycles
    while true {
      let before = reached
      let used = krylov.solve(
        residual: residual.span, tolerance: Self.target / 4, addingTo: &solution
      ) { v, product in
        scatter(v)
        slab.apply(emission.span, into: &product)
      }
      reached = measure(solution.span, attenuation)
      products += used
      if used == Self.capacity { cyclesLeft -= 1 }
      // If a cycle reduces the residual by less than half, rounding or a hard system stops the iteration.
      if reached <= Self.target || !(reached < before / 2) || cyclesLeft == 0 { break }
    }
    let rows = measureRows(solution.span)
    // Either may be NaN.
    return (rows <= reached ? reached : rows, products)
  }

  /// Prepares K, μ_s / μ_t and K 1.
  private func prepare(_ scattering: Span<Double>, _ attenuation: Span<Double>) {
    let h = 1 / Double(cellCount)
    var thicknesses = thicknesses.mutableSpan
    var albedo = albedo.mutableSpan
    var emission = emission.mutableSpan
    for i in 0..<cellCount {
      thicknesses[i] = attenuation[i] * h
      albedo[i] = scattering[i] / attenuation[i]
      emission[i] = 1 / attenuation[i]
    }
    slab.prepare(thicknesses.span)
    var source = source.mutableSpan
    slab.apply(emission.span, into: &source)
  }

  /// Makes the emission μ_s v / μ_t.
  private func scatter(_ v: Span<Double>) {
    let albedo = albedo.span
    var emission = emission.mutableSpan
    for i in 0..<cellCount { emission[i] = albedo[i] * v[i] }
  }

  /// Computes the residual of u.
  ///
  /// - Returns: Its relative size.
  private func measure(_ solution: Span<Double>, _ attenuation: Span<Double>) -> Double {
    let (albedo, source) = (albedo.span, source.span)
    var emission = emission.mutableSpan
    for i in 0..<cellCount { emission[i] = albedo[i] * solution[i] + 1 / attenuation[i] }
    var residual = residual.mutableSpan
    slab.apply(emission.span, into: &residual)
    for i in 0..<cellCount { residual[i] -= solution[i] }
    return RadiativeTransfer1D.relative(residual.span, source: source, solution: solution)
  }

  /// Computes the last residual of `measure` again from E₂, in evenly spaced rows.
  ///
  /// - Returns: Its relative size in these rows.
  private func measureRows(_ solution: Span<Double>) -> Double {
    let count = min(Self.checkedRows, cellCount)
    var rows = rowResiduals.mutableSpan
    for k in 0..<count {
      let i = (2 * k + 1) * cellCount / (2 * count)
      rows[k] = row.product(i, thicknesses: thicknesses.span, source: emission.span) - solution[i]
    }
    return RadiativeTransfer1D.relative(rows.span, source: source.span, solution: solution)
  }
}
