internal import BlockKernels
import SpecialFunctions

/// The Gauss–Legendre rule with five nodes on [0, 1], exact for polynomials of degree 9.
enum FivePointRule {
  /// The nodes, ascending.
  static let nodes: [5 of Double] = {
    let (near, far) = ((5 - 2 * root).squareRoot() / 3, (5 + 2 * root).squareRoot() / 3)
    return [(1 - far) / 2, (1 - near) / 2, 0.5, (1 + near) / 2, (1 + far) / 2]
  }()

  /// The weights.
  static let weights: [5 of Double] = {
    let part = 13 * (70.0).squareRoot()
    let (near, far) = ((322 + part) / 1800, (322 - part) / 1800)
    return [far, near, 64.0 / 225, near, far]
  }()

  private static var root: Double { (10.0 / 7).squareRoot() }
}

extension PlaneTransferMatrix {
  /// Computes all entries.
  ///
  /// - Parameters:
  ///   - scattering: μ_s everywhere.
  ///   - absorption: μ_a.
  /// - Complexity: 5 (terms) N² operations and N² / 2 exponentials.
  func assemble(scattering: some SeparableField, absorption: Double) {
    let lines = LineTable(rows: shape.0, scattering)
    for k in 0..<shape.1 { assembleRows(k, lines, scattering, absorption) }
    assembleDiagonal(scattering, absorption)
  }

  /// Computes the rows of all blocks that belong to one second coordinate.
  private func assembleRows(
    _ k: Int, _ lines: borrowing LineTable, _ scattering: some SeparableField, _ absorption: Double
  ) {
    let functions = lineFunctions(scattering, k)
    let geometry = distances(k)
    for i in 0..<shape.0 {
      for j in 0...i {
        assembleRow(
          at: block(i, j) + k * chunks, pair: i * (i + 1) / 2 + j, lines, functions.span,
          geometry.span, rows: i - j, absorption)
      }
    }
  }

  /// Computes distances and factors of one second coordinate, `[i₁ - j₁][distance or factor][j₂]`.
  private func distances(_ k: Int) -> AlignedBuffer<Lanes> {
    let result = AlignedBuffer<Lanes>(repeating: .zero, count: 2 * shape.0 * chunks)
    let (h1, h2) = (1 / Double(shape.0), 1 / Double(shape.1))
    for row in 0..<shape.0 {
      for column in 0..<shape.1 where row > 0 || column != k {
        let (a, b) = (Double(row) * h1, Double(column - k) * h2)
        let distance = (a * a + b * b).squareRoot()
        let place = 2 * row * chunks + column / Lanes.scalarCount
        result[place][column % Lanes.scalarCount] = distance
        // Zero stays in the padding and on the diagonal.
        result[place + chunks][column % Lanes.scalarCount] = h1 * h2 / (2 * Double.pi * distance)
      }
    }
    return result
  }

  /// Computes one row of a block.
  private func assembleRow(
    at place: Int, pair: Int, _ lines: borrowing LineTable, _ functions: Span<Lanes>,
    _ geometry: Span<Lanes>, rows: Int, _ absorption: Double
  ) {
    var entries = entries.mutableSpan
    let coefficients = lines.coefficients.span
    let firsts = lines.firsts.span
    let terms = lines.termCount
    for chunk in 0..<chunks {
      var mean = Lanes(repeating: absorption)
      for node in 0..<5 {
        let first = Int(firsts[pair * 5 + node]) * chunks + chunk
        let start = (pair * 5 + node) * terms
        for term in 0..<terms {
          mean += coefficients[start + term] * functions[first + term * chunks]
        }
      }
      let depth = Self.admissible(mean * geometry[2 * rows * chunks + chunk])
      entries[place + chunk] =
        geometry[(2 * rows + 1) * chunks + chunk] * VectorFunctions.exponentialOfNegative(depth)
    }
  }

  /// Brings an optical depth where the exponential is defined: an interpolant may be negative.
  @inline(__always)
  static func admissible(_ depth: Lanes) -> Lanes {
    depth.replacing(with: 0, where: depth .< 0).replacing(with: 800, where: depth .> 800)
  }
}
