import BlockKernels
import Foundation
import SpecialFunctions

/// A kernel k(x, y) whose H²-matrix says how many channels the boxes of a network need; written as a name,
/// or as a name and a number like `gaussian:0.2`.
public enum SkeletonKernel: Sendable, Equatable, Codable, RawRepresentable {
  /// 1/ρ with ρ = |x − y|.
  case inverseDistance
  /// ½ E₁(μ ρ), that of radiative transfer in a slab with the coefficient μ.
  case exponentialIntegral(coefficient: Double)
  /// log ρ.
  case logarithm
  /// exp(−ρ² / 2ℓ²) with the length ℓ.
  case gaussian(length: Double)
  /// |x + y|² / ρ (FMM-NET, equation 9).
  case customOperator

  /// Reads a kernel.
  ///
  /// - Parameter rawValue: The text; any other text gives nil.
  public init?(rawValue: String) {
    let parts = rawValue.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let number = parts.count == 2 ? Double(parts[1]) ?? -1 : nil
    if let number, !(number > 0 && number.isFinite) { return nil }
    switch (parts[0], number) {
    case ("inverse-distance", nil): self = .inverseDistance
    case ("exponential-integral", let number):
      self = .exponentialIntegral(coefficient: number ?? 0.6)
    case ("log", nil): self = .logarithm
    case ("gaussian", let number): self = .gaussian(length: number ?? 0.2)
    case ("custom-operator", nil): self = .customOperator
    default: return nil
    }
  }

  /// The names, with the number that is taken if none is given.
  public static let names = [
    "inverse-distance", "exponential-integral:0.6", "log", "gaussian:0.2", "custom-operator",
  ]

  /// The kernel as a text.
  public var rawValue: String {
    switch self {
    case .inverseDistance: "inverse-distance"
    case .exponentialIntegral(let coefficient): "exponential-integral:\(coefficient)"
    case .logarithm: "log"
    case .gaussian(let length): "gaussian:\(length)"
    case .customOperator: "custom-operator"
    }
  }

  /// Computes k from squared distances and, for ``customOperator``, squared sums.
  ///
  /// Where two points coincide the value is zero, as on the diagonal of h2tools' kernels.
  ///
  /// - Parameters:
  ///   - squares: |x − y|² of each pair; replaced by k.
  ///   - sums: |x + y|² of each pair.
  func evaluate(_ squares: inout [Double], sums: [Double]) {
    switch self {
    case .inverseDistance:
      for i in squares.indices { squares[i] = squares[i] > 0 ? 1 / squares[i].squareRoot() : 0 }
    case .customOperator:
      for i in squares.indices {
        squares[i] = squares[i] > 0 ? sums[i] / squares[i].squareRoot() : 0
      }
    case .logarithm:
      for i in squares.indices { squares[i] = squares[i] > 0 ? log(squares[i]) / 2 : 0 }
    case .gaussian(let length):
      for i in squares.indices {
        squares[i] = squares[i] > 0 ? exp(-squares[i] / (2 * length * length)) : 0
      }
    case .exponentialIntegral(let coefficient):
      let arguments = squares.map { $0.squareRoot() * coefficient }
      var values = [Double](repeating: 0, count: squares.count)
      var span = values.mutableSpan
      ExponentialIntegral.e1(arguments.span, into: &span)
      for i in squares.indices { squares[i] = squares[i] > 0 ? values[i] / 2 : 0 }
    }
  }
}
