import Foundation

/// The discrete radiative transfer equation in the unit square by plain loops.
struct DirectPlaneTransfer {
  let shape: (Int, Int)
  let absorption: Double
  /// μ_s everywhere.
  let scattering: (Double, Double) -> Double

  // The Gauss–Legendre rule with five nodes on [0, 1], from tables.
  private static let rule: [(node: Double, weight: Double)] = [
    (0.046910077030668004, 0.11846344252809454), (0.23076534494715845, 0.23931433524968324),
    (0.5, 0.28444444444444444), (0.76923465505284155, 0.23931433524968324),
    (0.953089922969332, 0.11846344252809454),
  ]

  private func centre(_ i: Int) -> (Double, Double) {
    let (a, b) = i.quotientAndRemainder(dividingBy: shape.1)
    return ((Double(a) + 0.5) / Double(shape.0), (Double(b) + 0.5) / Double(shape.1))
  }

  /// The mean of μ_t on a line.
  private func mean(_ x: (Double, Double), _ y: (Double, Double)) -> Double {
    Self.rule.reduce(absorption) { sum, q in
      sum + q.weight * scattering(x.0 + q.node * (y.0 - x.0), x.1 + q.node * (y.1 - x.1))
    }
  }

  /// μ_s at the centres.
  var field: [Double] {
    (0..<shape.0 * shape.1).map { scattering(centre($0).0, centre($0).1) }
  }

  /// The entry of a cell with itself: 1 / r in closed form, the rest with 4 × 4 parts of each quarter.
  private func diagonal(_ i: Int) -> Double {
    let (a, b) = (0.5 / Double(shape.0), 0.5 / Double(shape.1))
    var sum = 4 * (a * asinh(b / a) + b * asinh(a / b))
    let parts = (0..<4).flatMap { part in
      Self.rule.map { ((Double(part) + $0.node) / 4, $0.weight / 4) }
    }
    for (s, v) in parts {
      for (t, w) in parts {
        for (p, q) in [(a, b), (a, -b), (-a, b), (-a, -b)] {
          let x = centre(i)
          let r = hypot(s * p, t * q)
          sum += a * b * v * w * expm1(-r * mean(x, (x.0 + s * p, x.1 + t * q))) / r
        }
      }
    }
    return sum / (2 * .pi)
  }

  /// K, row by row.
  var matrix: [[Double]] {
    let count = shape.0 * shape.1
    return (0..<count).map { i in
      (0..<count).map { j in
        guard i != j else { return diagonal(i) }
        let (x, y) = (centre(i), centre(j))
        let r = hypot(x.0 - y.0, x.1 - y.1)
        return exp(-r * mean(x, y)) / (2 * .pi * r * Double(count))
      }
    }
  }

  /// Solves by Gauss elimination.
  ///
  /// - Parameter rows: Whether μ_s scales rows instead of columns.
  /// - Returns: u.
  func density(rows: Bool = false) -> [Double] {
    let (k, field) = (matrix, field)
    let count = field.count
    var system: [[Double]] = []
    for i in 0..<count {
      var row = [Double](repeating: 0, count: count + 1)
      for j in 0..<count {
        row[j] = -k[i][j] * field[rows ? i : j]
        row[count] += k[i][j]
      }
      row[i] += 1
      system.append(row)
    }
    // The norm of K diag(μ_s) is below 1, so that no pivots are needed.
    for p in 0..<count {
      for i in 0..<count where i != p {
        let factor = system[i][p] / system[p][p]
        for j in p...count { system[i][j] -= factor * system[p][j] }
      }
    }
    return (0..<count).map { system[$0][count] / system[$0][$0] }
  }

  /// u(x) = ∫ exp(-μ |x - y|) / (2π |x - y|) dy without scattering, by an integral over the angle.
  static func withoutScattering(_ x: (Double, Double), absorption: Double) -> Double {
    var sum = 0.0
    for (across, sides) in [
      (1 - x.0, [x.1, 1 - x.1]), (x.0, [x.1, 1 - x.1]), (1 - x.1, [x.0, 1 - x.0]),
      (x.1, [x.0, 1 - x.0]),
    ] {
      for side in sides {
        let angle = atan2(side, across)
        for part in 0..<8 {
          for q in rule {
            let length = across / cos(angle * (Double(part) + q.node) / 8)
            sum += angle / 8 * q.weight * -expm1(-absorption * length) / absorption
          }
        }
      }
    }
    return sum / (2 * .pi)
  }
}
