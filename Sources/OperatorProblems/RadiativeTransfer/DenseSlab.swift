internal import BlockKernels
import SpecialFunctions

/// The dense system (I - K diag(μ_s)) u = K 1 of a slab and its solution by LU.
struct DenseSlab: ~Copyable {
  /// The number N of cells.
  let cellCount: Int
  /// I - K diag(μ_s), column-major; LU overwrites it.
  private let matrix: AlignedBuffer<Double>
  /// K diag(μ_s), column-major, for the residual.
  private let scattering: AlignedBuffer<Double>
  /// K 1.
  private let source: AlignedBuffer<Double>
  /// The optical depths of the N + 1 cell boundaries.
  private let boundaries: AlignedBuffer<Double>
  /// The optical depths of the cell centres.
  private let centres: AlignedBuffer<Double>
  /// The optical distances of all centres from one boundary.
  private let distances: AlignedBuffer<Double>
  /// E₂ - 1 of the distances from the left boundary of a cell.
  private let left: AlignedBuffer<Double>
  /// E₂ - 1 of the distances from the right boundary of a cell.
  private let right: AlignedBuffer<Double>
  private let pivots: AlignedBuffer<Int32>

  /// Allocates a system.
  ///
  /// - Parameter cellCount: The number of cells.
  init(cellCount: Int) {
    let n = cellCount
    self.cellCount = n
    matrix = AlignedBuffer(repeating: 0, count: n * n)
    scattering = AlignedBuffer(repeating: 0, count: n * n)
    source = AlignedBuffer(repeating: 0, count: n)
    boundaries = AlignedBuffer(repeating: 0, count: n + 1)
    centres = AlignedBuffer(repeating: 0, count: n)
    distances = AlignedBuffer(repeating: 0, count: n)
    left = AlignedBuffer(repeating: 0, count: n)
    right = AlignedBuffer(repeating: 0, count: n)
    pivots = AlignedBuffer(repeating: 0, count: n)
  }

  /// Solves the system.
  ///
  /// - Parameters:
  ///   - scattering: μ_s of each cell.
  ///   - attenuation: μ_t of each cell, positive.
  ///   - solution: Becomes u.
  /// - Returns: The relative residual of u; NaN if u is not finite.
  /// - Precondition: The spans have one value per cell.
  /// - Throws: `LAPACKError` if the matrix is singular.
  /// - Complexity: 2/3 N³ operations of LU and N (N + 1) values of E₂; no allocation.
  func solve(
    scattering: Span<Double>, attenuation: Span<Double>, solution: inout MutableSpan<Double>
  ) throws(LAPACKError) -> Double {
    let n = cellCount
    assemble(scattering, attenuation)
    let rightHandSide = source.span
    for i in 0..<n { solution[i] = rightHandSide[i] }
    var factors = matrix.mutableSpan
    var swaps = pivots.mutableSpan
    try LAPACK.solve(&factors, order: n, rightHandSide: &solution, pivots: &swaps)
    return relativeResidual(of: solution.span)
  }

  /// Makes I - K diag(μ_s), K diag(μ_s) and K 1.
  ///
  /// The integral of ½ E₁ over the cell j, seen from the centre i, is a difference of ½ E₂ at the
  /// optical distances of the cell's boundaries, over μ_t in the cell, since E₂' = -E₁. The cell i
  /// itself gives (1 - E₂(μ_t h / 2)) / μ_t.
  ///
  /// - Parameters:
  ///   - input: μ_s.
  ///   - attenuation: μ_t.
  func assemble(_ input: Span<Double>, _ attenuation: Span<Double>) {
    let n = cellCount
    measureDepths(attenuation)
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
      let half = 0.5 / attenuation[j]
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

  /// Adds up the optical depths.
  private func measureDepths(_ attenuation: Span<Double>) {
    let h = 1 / Double(cellCount)
    var boundaries = boundaries.mutableSpan
    var centres = centres.mutableSpan
    boundaries[0] = 0
    for i in 0..<cellCount {
      centres[i] = boundaries[i] + attenuation[i] * h / 2
      boundaries[i + 1] = boundaries[i] + attenuation[i] * h
    }
  }

  /// Computes E₂ - 1 of the optical distances of all centres from a boundary.
  ///
  /// The one cancels in the differences; without it they keep their digits in thin media.
  private func attenuate(from boundary: Int, into values: AlignedBuffer<Double>) {
    let depth = boundaries.span[boundary]
    let centres = centres.span
    var distances = distances.mutableSpan
    for i in 0..<cellCount { distances[i] = abs(centres[i] - depth) }
    var target = values.mutableSpan
    ExponentialIntegral.e2LessOne(distances.span, into: &target)
  }

  /// Computes the residual of a solution u, max |K 1 + K diag(μ_s) u - u| over max |K 1| + max |u|.
  ///
  /// - Parameter solution: u.
  /// - Returns: The relative residual; NaN if u is not finite.
  /// - Precondition: The system has been assembled.
  func relativeResidual(of solution: Span<Double>) -> Double {
    let n = cellCount
    let scattering = scattering.span
    let source = source.span
    var residual = distances.mutableSpan
    for i in 0..<n { residual[i] = source[i] - solution[i] }
    for j in 0..<n {
      let column = j * n
      let value = solution[j]
      for i in 0..<n { residual[i] += scattering[column + i] * value }
    }
    return RadiativeTransfer1D.relative(residual.span, source: source, solution: solution)
  }
}
