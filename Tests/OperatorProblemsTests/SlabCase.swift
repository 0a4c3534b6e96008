import Foundation
import Testing

/// A scattering coefficient on [0, 1] with an absorption.
struct SlabCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let absorption: Double
  /// μ_s by the centre and the number of a cell.
  let scattering: @Sendable (Double, Int) -> Double

  func field(_ n: Int) -> [Double] {
    (0..<n).map { scattering((Double($0) + 0.5) / Double(n), $0) }
  }

  /// Cases in which the solution is well determined.
  static let easy = [
    Self(testDescription: "usual", absorption: 0.2) { x, _ in
      1.5 * exp(-(x - 0.3) * (x - 0.3) / 6e-3) + 1.2 * exp(-(x - 0.6) * (x - 0.6) / 6e-3)
    },
    Self(testDescription: "no scattering", absorption: 0.2) { _, _ in 0 },
    Self(testDescription: "uniform", absorption: 0.2) { _, _ in 0.5 },
    Self(testDescription: "no absorption", absorption: 0) { _, _ in 1 },
    Self(testDescription: "thin", absorption: 1e-6) { _, _ in 1e-6 },
    Self(testDescription: "thick and rough", absorption: 0.25) { _, i in Double(i * 37 % 5) * 10 },
    Self(testDescription: "absorbing, depth 1e4", absorption: 9999) { _, _ in 0 },
    Self(testDescription: "scattering half, depth 1e4", absorption: 4999) { _, _ in 5000 },
  ]

  /// Cases with nearly transparent cells, where differences of E₂ lose digits.
  static let transparent = [
    Self(testDescription: "transparent cells", absorption: 1.9e-6) { _, i in
      Double(i * 37 % 5) * 0.25
    },
    Self(testDescription: "holes in rock", absorption: 1e-6) { _, i in i % 3 == 0 ? 0 : 1e4 },
  ]

  /// Cases in which radiation is scattered a hundred times and more before it leaves.
  static let hard = [
    Self(testDescription: "no absorption, depth 100", absorption: 0) { _, _ in 100 },
    Self(testDescription: "no absorption, depth 9000", absorption: 0) { _, _ in 9000 },
  ]
}
