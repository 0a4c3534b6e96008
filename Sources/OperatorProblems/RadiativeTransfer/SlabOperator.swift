internal import BlockKernels
import SpecialFunctions

/// The operator (K f)(x) = ½ ∫ E₁(|τ(x) - τ(y)|) f(y) dy between cells, in O(N) operations.
///
/// In each cell f and μ_t are constant, and K f is taken at the centres. With E₁ = Σ_q w_q e^(-t_q x)
/// (``ExponentialSum``), the integrals over all cells to the left of a boundary are Σ_q w_q / t_q I_q,
/// where I_q is the intensity of the radiation in a direction of cosine 1 / t_q. Along a cell of
/// optical thickness Δ it changes from I to I + (1 - e^(-t Δ)) (f / μ_t - I). So a sweep to the right and
/// one to the left give everything but the integral over the own cell, which is
/// (1 - E₂(Δ / 2)) f / μ_t.
///
/// All entries of K are integrals of the kernel over cells, so that the relative error of the kernel,
/// 1e-15, bounds that of K f for f ≥ 0 at any depth. Rounding adds about 1e-15, since each intensity
/// is a convex combination of its old value and f / μ_t, or 2e-18 N where that is more and all cells are
/// equal and have the same rounding error (SlabOperatorTests).
struct SlabOperator: ~Copyable {
  private typealias Lanes = VectorFunctions.Lanes

  /// The number N of cells.
  let cellCount: Int
  /// The number of vectors of eight exponentials.
  private let width: Int
  /// The rates t.
  private let rates: AlignedBuffer<Lanes>
  /// w / (2 t).
  private let weights: AlignedBuffer<Lanes>
  /// 1 - e^(-t Δ), cell after cell.
  private let absorbed: AlignedBuffer<Lanes>
  /// w / (2 t) e^(-t Δ / 2), the part of an intensity at the centre of the next cell.
  private let arriving: AlignedBuffer<Lanes>
  /// The intensities at one boundary.
  private let intensities: AlignedBuffer<Lanes>
  /// Δ / 2 of each cell.
  private let halves: AlignedBuffer<Double>
  /// E₂(Δ / 2) - 1 of each cell.
  private let own: AlignedBuffer<Double>

  /// Allocates an operator.
  ///
  /// - Parameters:
  ///   - cellCount: The number of cells.
  ///   - leastThickness: The least optical thickness of a cell that `prepare` will get.
  init(cellCount: Int, leastThickness: Double) {
    // No boundary is nearer to a centre than that of its own cell.
    let sum = ExponentialSum(leastDistance: leastThickness / 2)
    let eight = Lanes.scalarCount
    self.cellCount = cellCount
    width = sum.rates.count / eight
    rates = AlignedBuffer(repeating: .zero, count: width)
    weights = AlignedBuffer(repeating: .zero, count: width)
    absorbed = AlignedBuffer(repeating: .zero, count: width * cellCount)
    arriving = AlignedBuffer(repeating: .zero, count: width * cellCount)
    intensities = AlignedBuffer(repeating: .zero, count: width)
    halves = AlignedBuffer(repeating: 0, count: cellCount)
    own = AlignedBuffer(repeating: 0, count: cellCount)
    for q in sum.rates.indices {
      rates[q / eight][q % eight] = sum.rates[q]
      weights[q / eight][q % eight] = sum.weights[q] / (2 * sum.rates[q])
    }
  }

  /// Computes the coefficients of a slab.
  ///
  /// - Parameter thicknesses: The optical thickness of each cell, none below the least one.
  /// - Complexity: O(N) exponentials, no allocation.
  func prepare(_ thicknesses: Span<Double>) {
    let count = cellCount
    precondition(thicknesses.count == count, "\(thicknesses.count) of \(count) cells")
    let (width, rates, weights) = (width, rates.span, weights.span)
    var absorbed = absorbed.mutableSpan
    var arriving = arriving.mutableSpan
    var halves = halves.mutableSpan
    for i in 0..<count {
      let half = thicknesses[i] / 2
      halves[i] = half
      for q in 0..<width {
        let (less, remaining) = VectorFunctions.attenuation(rates[q] * half)
        absorbed[i * width + q] = less * (1 + remaining)
        arriving[i * width + q] = weights[q] * remaining
      }
    }
    var own = own.mutableSpan
    ExponentialIntegral.e2LessOne(halves.span, into: &own)
  }

  /// Applies the operator.
  ///
  /// - Parameters:
  ///   - source: f / μ_t.
  ///   - values: Becomes K f.
  /// - Precondition: Both have one value per cell.
  /// - Complexity: O(N) operations, no allocation.
  func apply(_ source: Span<Double>, into values: inout MutableSpan<Double>) {
    let count = cellCount
    precondition(
      source.count == count && values.count == count,
      "\(source.count) and \(values.count) values for \(count) cells")
    let own = own.span
    intensities.fill(.zero)
    for i in 0..<count { values[i] = cross(i, source[i]) - own[i] * source[i] }
    intensities.fill(.zero)
    for i in (0..<count).reversed() { values[i] += cross(i, source[i]) }
  }

  /// Carries the intensities through a cell and integrates them at its centre.
  @inline(__always)
  private func cross(_ cell: Int, _ source: Double) -> Double {
    let (width, start) = (width, cell * width)
    let absorbed = absorbed.span
    let arriving = arriving.span
    var intensities = intensities.mutableSpan
    var sum = Lanes.zero
    let source = Lanes(repeating: source)
    for q in 0..<width {
      // `cell` is below `cellCount`, by which the buffers were allocated.
      let entering = unsafe intensities[unchecked: q]
      sum += unsafe arriving[unchecked: start + q] * entering
      unsafe intensities[unchecked: q] =
        entering + absorbed[unchecked: start + q] * (source - entering)
    }
    return VectorFunctions.sum(sum)
  }
}
