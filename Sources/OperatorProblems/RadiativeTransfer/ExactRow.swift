internal import BlockKernels
import SpecialFunctions

/// Single rows of the operator K of a slab: the integrals of ½ E₁ over the cells, from differences of E₂.
///
/// They share nothing with ``SlabOperator`` and serve to check it.
struct ExactRow: ~Copyable {
  /// The number of cells.
  let cellCount: Int
  /// The optical distances of all boundaries from one centre.
  private let distances: AlignedBuffer<Double>
  /// E₂ - 1 of the distances.
  private let transmissions: AlignedBuffer<Double>

  /// Allocates the scratch memory.
  ///
  /// - Parameter cellCount: The number of cells.
  init(cellCount: Int) {
    self.cellCount = cellCount
    distances = AlignedBuffer(repeating: 0, count: cellCount + 1)
    transmissions = AlignedBuffer(repeating: 0, count: cellCount + 1)
  }

  /// Computes one value of K f.
  ///
  /// Distances are added up from the centre on with compensation, so that each is right to its last digit.
  ///
  /// - Parameters:
  ///   - row: The cell i.
  ///   - thicknesses: The optical thickness of each cell.
  ///   - source: f / μ_t in each cell.
  /// - Returns: (K f)_i.
  /// - Complexity: O(N), no allocation.
  func product(_ row: Int, thicknesses: Span<Double>, source: Span<Double>) -> Double {
    precondition(
      thicknesses.count == cellCount && source.count == cellCount && row < cellCount,
      "\(thicknesses.count) and \(source.count) values, row \(row) of \(cellCount)")
    var distances = distances.mutableSpan
    var sum = CompensatedSum(thicknesses[row] / 2)
    distances[row] = sum.value
    distances[row + 1] = sum.value
    for j in row + 1..<max(cellCount, row + 1) {
      sum.add(thicknesses[j])
      distances[j + 1] = sum.value
    }
    sum = CompensatedSum(thicknesses[row] / 2)
    for j in (0..<row).reversed() {
      sum.add(thicknesses[j])
      distances[j] = sum.value
    }
    var values = transmissions.mutableSpan
    ExponentialIntegral.e2LessOne(distances.span, into: &values)
    var left = 0.0
    for j in 0..<row {
      let integral =
        integralOverThinCell(from: distances[j + 1], thicknesses[j])
        ?? values[j + 1] - values[j]
      left += integral * source[j]
    }
    var right = 0.0
    for j in (row + 1..<max(cellCount, row + 1)).reversed() {
      let integral =
        integralOverThinCell(from: distances[j], thicknesses[j]) ?? values[j] - values[j + 1]
      right += integral * source[j]
    }
    return (left + right) / 2 - values[row] * source[row]
  }

  /// Integrates E₁ over a cell that is so thin that a difference of E₂ would lose digits.
  ///
  /// The difference is divided by μ_t, so that its error, 1e-16, matters where μ_t is small. The rule of
  /// Gauss with three nodes has an error of (Δ / x)⁶ / 2800 relative to the integral.
  ///
  /// - Returns: The integral, or nil where the difference of E₂ serves.
  @inline(__always)
  private func integralOverThinCell(from distance: Double, _ thickness: Double) -> Double? {
    guard thickness * Double(cellCount) < 0.05, thickness < 0.01 * distance else { return nil }
    var nodes = VectorFunctions.Lanes(repeating: distance + thickness / 2)
    let offset = 0.6.squareRoot() * thickness / 2
    nodes[0] -= offset
    nodes[2] += offset
    let values = ExponentialIntegral.E1Lanes.general(nodes)
    return thickness * (5 * (values[0] + values[2]) + 8 * values[1]) / 18
  }
}

/// A sum with the error of its last addition.
///
/// See W. Kahan, Further remarks on reducing truncation errors (Communications of the ACM 8, 1965).
private struct CompensatedSum {
  private(set) var value: Double
  private var excess = 0.0

  init(_ value: Double) { self.value = value }

  /// Adds a number that is not negative.
  @inline(__always)
  mutating func add(_ summand: Double) {
    let corrected = summand - excess
    let next = value + corrected
    excess = (next - value) - corrected
    value = next
  }
}
