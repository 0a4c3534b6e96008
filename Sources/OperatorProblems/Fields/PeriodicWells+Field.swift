internal import BlockKernels
import SpecialFunctions

/// Wells on the nodes of a uniform grid, with the scratch memory to evaluate them.
struct WellField {
  /// The law of the wells.
  let law: PeriodicWells
  /// The numbers of points on the axes.
  let points: [Int]
  /// The edge of the cell.
  let period: Double
  /// The number of the first node: 0 if it is the origin, 1 if the last one is.
  let firstNode: Int
  /// The sums over images, `[axis][well][point]`.
  private let tables: AlignedBuffer<Double>

  private typealias Lanes = VectorFunctions.Lanes

  /// Allocates the scratch memory.
  ///
  /// - Parameters:
  ///   - law: The law.
  ///   - points: The numbers of points on the axes.
  ///   - period: The edge of the cell.
  ///   - firstNode: The number of the first node.
  /// - Throws: ``ProblemError`` if the law is not admissible.
  init(
    law: PeriodicWells, points: [Int], period: Double, firstNode: Int
  ) throws(ProblemError) {
    try law.validate(period: period, dimension: points.count)
    self.law = law
    self.points = points
    self.period = period
    self.firstNode = firstNode
    tables = AlignedBuffer(repeating: 0, count: law.wells * points.reduce(0, +))
  }

  /// The names of the amplitudes, the centres on each axis and the width.
  ///
  /// - Parameters:
  ///   - amplitude: The name of the amplitudes.
  ///   - centre: That of the centres, followed by the axis if there are two.
  ///   - width: That of the width.
  /// - Returns: The datasets in the order of the parameters.
  func parameterNames(
    amplitude: String, centre: String, width: String
  ) -> [(name: String, columns: Int)] {
    let axes =
      points.count == 1 ? [centre] : (1...points.count).map { "\(centre)\($0)" }
    return [(amplitude, law.wells)] + axes.map { ($0, law.wells) } + [(width, 1)]
  }

  /// Draws the parameters of a sample and evaluates its field.
  ///
  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - index: The number of the sample.
  ///   - field: Becomes V, the last axis fastest.
  ///   - parameters: Becomes the parameters.
  func sample(
    seed: Int64, index: Int, field: inout MutableSpan<Double>,
    parameters: inout MutableSpan<Double>
  ) {
    law.draw(
      seed: seed, index: index, period: period, dimension: points.count, into: &parameters)
    evaluate(parameters.span, into: &field)
  }

  /// Evaluates V.
  ///
  /// - Parameters:
  ///   - parameters: The parameters.
  ///   - field: Becomes V.
  /// - Complexity: O(wells × points), no allocation.
  func evaluate(_ parameters: Span<Double>, into field: inout MutableSpan<Double>) {
    precondition(
      field.count == points.reduce(1, *), "\(field.count) values on a grid \(points)")
    let wells = law.wells
    let width = parameters[wells * (1 + points.count)]
    let isVariance = if case .variance = law.shape { true } else { false }
    let square = isVariance ? width : width * width
    let norm = isVariance ? 1 / (2 * .pi * width).squareRoot() : 1
    var start = 0
    for (axis, count) in points.enumerated() {
      for g in 0..<wells {
        sumImages(parameters[wells * (1 + axis) + g], square, count, at: start)
        start += count
      }
    }
    for i in 0..<field.count { field[i] = 0 }
    let tables = tables.span
    let columns = points[points.count - 1]
    let rows = field.count / columns
    for g in 0..<wells {
      let second = points.count == 1 ? g * columns : wells * rows + g * columns
      for row in 0..<rows {
        let factor = -parameters[g] * norm * (points.count == 1 ? 1 : tables[g * rows + row])
        for i in 0..<columns { field[row * columns + i] += factor * tables[second + i] }
      }
    }
  }

  /// Computes Σ_j exp(-(x - c - j L)² / (2w)) at the nodes of one axis.
  private func sumImages(_ centre: Double, _ square: Double, _ count: Int, at start: Int) {
    var target = tables.mutableSpan(of: start..<start + count)
    let step = period / Double(count)
    // Images farther than nine deviations from the cell are below 1e-17 of the nearest one.
    let reach = 1 + Int(9 * square.squareRoot() / period)
    let offsets = Lanes(0, 1, 2, 3, 4, 5, 6, 7)
    for first in stride(from: 0, to: count, by: Lanes.scalarCount) {
      let x = (Lanes(repeating: Double(first + firstNode)) + offsets) * step
      var sum = Lanes.zero
      for image in -reach...reach {
        let distance = x - (centre + Double(image) * period)
        let exponent = distance * distance / (2 * square)
        sum += VectorFunctions.exponentialOfNegative(
          exponent.replacing(with: 800, where: exponent .> 800))
      }
      for lane in 0..<min(Lanes.scalarCount, count - first) { target[first + lane] = sum[lane] }
    }
  }
}
