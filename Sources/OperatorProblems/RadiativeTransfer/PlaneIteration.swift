internal import BlockKernels

/// The solution of u = K (μ_s u + 1) in the unit square by GMRES, with the residual recomputed at the end.
struct PlaneIteration: ~Copyable {
  /// K.
  let matrix: PlaneTransferMatrix
  private let scaling: RadiativeTransfer2D.Scaling
  private let krylov: MinimalResiduals
  /// K 1.
  private let source: AlignedBuffer<Double>
  /// What K is applied to.
  private let emission: AlignedBuffer<Double>
  private let residual: AlignedBuffer<Double>

  /// The residual below which the iteration ends.
  static var target: Double { 1e-14 }

  /// The largest number of products of one cycle.
  static var capacity: Int { 60 }

  /// The number of cycles that may use all their products.
  static var fullCycles: Int { 10 }

  /// Allocates all memory.
  ///
  /// - Parameters:
  ///   - shape: The numbers of cells.
  ///   - scaling: What μ_s scales.
  init(shape: (Int, Int), scaling: RadiativeTransfer2D.Scaling) {
    let count = shape.0 * shape.1
    self.scaling = scaling
    matrix = PlaneTransferMatrix(shape: shape)
    krylov = MinimalResiduals(order: count, capacity: Self.capacity)
    source = AlignedBuffer(repeating: 0, count: count)
    emission = AlignedBuffer(repeating: 0, count: count)
    residual = AlignedBuffer(repeating: 0, count: count)
  }

  /// Solves for u with the matrix that was assembled last.
  ///
  /// - Parameters:
  ///   - scattering: μ_s of each cell.
  ///   - solution: Becomes u.
  /// - Returns: The relative residual, NaN if u is not finite, and the number of products with K.
  func solve(
    scattering: Span<Double>, solution: inout MutableSpan<Double>
  ) -> (residual: Double, products: Int) {
    let count = source.count
    emission.fill(1)
    var source = source.mutableSpan
    matrix.multiply(emission.span, into: &source)
    for i in 0..<count { solution[i] = 0 }
    residual.copy(from: self.source, at: 0, to: 0..<count)
    var reached = Double.infinity
    var products = 1
    var cyclesLeft = Self.fullCycles
    while true {
      let before = reached
      let used = krylov.solve(
        residual: residual.span, tolerance: Self.target / 4, addingTo: &solution
      ) { vector, product in
        scatter(vector, scattering, &product)
      }
      reached = measure(scattering, solution.span)
      products += used + 1
      if used == Self.capacity { cyclesLeft -= 1 }
      // If a cycle reduces the residual by less than half, rounding or a hard system stops the iteration.
      if reached <= Self.target || !(reached < before / 2) || cyclesLeft == 0 { break }
    }
    return (reached, products)
  }

  /// Computes K diag(μ_s) v, or diag(μ_s) K v.
  private func scatter(
    _ vector: Span<Double>, _ scattering: Span<Double>, _ product: inout MutableSpan<Double>
  ) {
    switch scaling {
    case .columns:
      var emission = emission.mutableSpan
      for i in 0..<vector.count { emission[i] = scattering[i] * vector[i] }
      matrix.multiply(emission.span, into: &product)
    case .rows:
      matrix.multiply(vector, into: &product)
      for i in 0..<vector.count { product[i] *= scattering[i] }
    }
  }

  /// Computes the residual of u.
  ///
  /// - Returns: Its relative size.
  private func measure(_ scattering: Span<Double>, _ solution: Span<Double>) -> Double {
    var residual = residual.mutableSpan
    scatter(solution, scattering, &residual)
    for i in 0..<solution.count { residual[i] += source[i] - solution[i] }
    return RadiativeTransfer1D.relative(residual.span, source: source.span, solution: solution)
  }
}
