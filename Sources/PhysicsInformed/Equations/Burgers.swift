import Foundation

/// The viscous Burgers equation u_t + u u_x = ν u_xx on [−1, 1] × [0, 1], ν = 0.01/π, with u(x, 0) = −sin(π x), u(±1, t) = 0.
public struct Burgers: Equation {
  /// The name.
  public static let name = "burgers"
  /// ν.
  private let viscosity = 0.01 / Double.pi

  /// Creates the equation.
  public init() {}

  /// The domain.
  public var domain: [ClosedRange<Double>] { [-1...1, 0...1] }
  /// wᵢ for each coordinate.
  public var secondWeights: [Double] { [1, 0] }
  /// The sides on which the solution is prescribed.
  public var faces: [DomainFace] {
    [
      DomainFace(axis: 0, isUpper: false), DomainFace(axis: 0, isUpper: true),
      DomainFace(axis: 1, isUpper: false),
    ]
  }

  /// u = −sin(π x) + t (1 − x²) N.
  public func condition(at x: SIMD3<Double>) -> (offset: Jet, factor: Jet) {
    let (x, t) = (x[0], x[1])
    let offset = Jet(
      -sin(.pi * x), slopes: [-.pi * cos(.pi * x), 0, 0], second: .pi * .pi * sin(.pi * x))
    return (offset, Jet(t * (1 - x * x), slopes: [-2 * t * x, 1 - x * x, 0], second: -2 * t))
  }

  /// Returns the residual and its derivatives with respect to the parts of the jet.
  ///
  /// - Parameters:
  ///   - u: The solution.
  ///   - x: The point.
  /// - Returns: The residual and its derivatives.
  public func residual(_ u: Jet, at x: SIMD3<Double>) -> (value: Double, derivative: Jet) {
    (
      u.slopes[1] + u.value * u.slopes[0] - viscosity * u.second,
      Jet(u.slopes[0], slopes: [u.value, 1, 0], second: -viscosity)
    )
  }

  /// The transformation of Cole and Hopf, its integrals by the trapezoidal rule with 150 nodes on [−13, 13].
  ///
  /// Converged to 2.3e-15; Gauss–Hermite rules of high order overflow.
  public func solution(at x: SIMD3<Double>) -> Double {
    let (x, t) = (x[0], x[1])
    guard t > 0 else { return -sin(.pi * x) }
    let (nodes, bound) = (150, 13.0)
    let scale = (4 * viscosity * t).squareRoot()
    func node(_ k: Int) -> Double { -bound + 2 * bound * (Double(k) / Double(nodes - 1)) }
    func exponent(_ z: Double) -> Double {
      -z * z - cos(.pi * (x - scale * z)) / (2 * .pi * viscosity)
    }
    let largest = (0..<nodes).map { exponent(node($0)) }.max() ?? 0
    var (above, below) = (0.0, 0.0)
    for k in 0..<nodes {
      let z = node(k)
      let weight = exp(exponent(z) - largest)
      above += sin(.pi * (x - scale * z)) * weight
      below += weight
    }
    return -above / below
  }

  /// 256 points of [−1, 1] and 100 of [0, 0.99], those of Raissi's file.
  public var grid: [[Double]] {
    [Self.points(-1...1, count: 256), Self.points(0...0.99, count: 100)]
  }
}
