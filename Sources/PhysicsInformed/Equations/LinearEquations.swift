import Foundation

/// The heat equation u_t = 0.1 u_xx on [0, 1]², u(x, 0) = sin(π x) + sin(3 π x)/2, u = 0 at both ends.
public struct Heat: Equation {
  /// The name.
  public static let name = "heat"
  /// κ.
  private let conductivity = 0.1

  /// Creates the equation.
  public init() {}

  /// The domain.
  public var domain: [ClosedRange<Double>] { [0...1, 0...1] }
  /// wᵢ for each coordinate.
  public var secondWeights: [Double] { [1, 0] }
  /// The sides on which the solution is prescribed.
  public var faces: [DomainFace] {
    [
      DomainFace(axis: 0, isUpper: false), DomainFace(axis: 0, isUpper: true),
      DomainFace(axis: 1, isUpper: false),
    ]
  }

  /// u = sin(π x) + sin(3 π x)/2 + t x (1 − x) N.
  public func condition(at x: SIMD3<Double>) -> (offset: Jet, factor: Jet) {
    let (x, t) = (x[0], x[1])
    let p = Double.pi
    let offset = Jet(
      sin(p * x) + sin(3 * p * x) / 2, slopes: [p * cos(p * x) + 1.5 * p * cos(3 * p * x), 0, 0],
      second: -p * p * (sin(p * x) + 4.5 * sin(3 * p * x)))
    let bubble = x * (1 - x)
    return (offset, Jet(t * bubble, slopes: [t * (1 - 2 * x), bubble, 0], second: -2 * t))
  }

  /// Returns the residual and its derivatives with respect to the parts of the jet.
  ///
  /// - Parameters:
  ///   - u: The solution.
  ///   - x: The point.
  /// - Returns: The residual and its derivatives.
  public func residual(_ u: Jet, at x: SIMD3<Double>) -> (value: Double, derivative: Jet) {
    (u.slopes[1] - conductivity * u.second, Jet(slopes: [0, 1, 0], second: -conductivity))
  }

  /// Returns the exact solution.
  ///
  /// - Parameter x: The point.
  /// - Returns: u.
  public func solution(at x: SIMD3<Double>) -> Double {
    func mode(_ k: Double) -> Double {
      sin(k * .pi * x[0]) * exp(-conductivity * k * k * .pi * .pi * x[1])
    }
    return mode(1) + mode(3) / 2
  }
}

/// The Poisson equation −Δu = 2 π² sin(π x) sin(π y) on [0, 1]², u = 0 on the boundary.
public struct Poisson2D: Equation {
  /// The name.
  public static let name = "poisson-2d"

  /// Creates the equation.
  public init() {}

  /// The domain.
  public var domain: [ClosedRange<Double>] { [0...1, 0...1] }
  /// wᵢ for each coordinate.
  public var secondWeights: [Double] { [1, 1] }
  /// The sides on which the solution is prescribed.
  public var faces: [DomainFace] { DomainFace.all(dimension: 2) }

  /// Returns g and D at a point.
  ///
  /// - Parameter x: The point.
  /// - Returns: Both functions.
  public func condition(at x: SIMD3<Double>) -> (offset: Jet, factor: Jet) {
    (Jet(), Jet.bubble(x, on: domain, weights: paddedWeights))
  }

  /// Returns the residual and its derivatives with respect to the parts of the jet.
  ///
  /// - Parameters:
  ///   - u: The solution.
  ///   - x: The point.
  /// - Returns: The residual and its derivatives.
  public func residual(_ u: Jet, at x: SIMD3<Double>) -> (value: Double, derivative: Jet) {
    (u.second + 2 * .pi * .pi * solution(at: x), Jet(second: 1))
  }

  /// Returns the exact solution.
  ///
  /// - Parameter x: The point.
  /// - Returns: u.
  public func solution(at x: SIMD3<Double>) -> Double { sin(.pi * x[0]) * sin(.pi * x[1]) }
}

/// The Helmholtz equation Δu + u = f on [−1, 1]² with the solution sin(π x) sin(4 π y).
public struct Helmholtz2D: Equation {
  /// The name.
  public static let name = "helmholtz-2d"

  /// Creates the equation.
  public init() {}

  /// The domain.
  public var domain: [ClosedRange<Double>] { [-1...1, -1...1] }
  /// wᵢ for each coordinate.
  public var secondWeights: [Double] { [1, 1] }
  /// The sides on which the solution is prescribed.
  public var faces: [DomainFace] { DomainFace.all(dimension: 2) }

  /// Returns g and D at a point.
  ///
  /// - Parameter x: The point.
  /// - Returns: Both functions.
  public func condition(at x: SIMD3<Double>) -> (offset: Jet, factor: Jet) {
    (Jet(), Jet.bubble(x, on: domain, weights: paddedWeights))
  }

  /// Returns the residual and its derivatives with respect to the parts of the jet.
  ///
  /// - Parameters:
  ///   - u: The solution.
  ///   - x: The point.
  /// - Returns: The residual and its derivatives.
  public func residual(_ u: Jet, at x: SIMD3<Double>) -> (value: Double, derivative: Jet) {
    let source = (1 - 17 * .pi * .pi) * solution(at: x)
    return (u.second + u.value - source, Jet(1, second: 1))
  }

  /// Returns the exact solution.
  ///
  /// - Parameter x: The point.
  /// - Returns: u.
  public func solution(at x: SIMD3<Double>) -> Double { sin(.pi * x[0]) * sin(4 * .pi * x[1]) }
}

/// The diffusion limit of radiative transfer in a slab, −(u′/(3 σ))′ + σ_a u = q on [0, 1], u = 0 at both ends.
///
/// u is the mean intensity, σ = 10 the extinction, σ_a = 1 the absorption, q = 1 the source.
public struct RadiativeDiffusion: Equation {
  /// The name.
  public static let name = "radiative-diffusion"
  private let extinction = 10.0
  private let absorption = 1.0
  private let source = 1.0

  /// Creates the equation.
  public init() {}

  /// The domain.
  public var domain: [ClosedRange<Double>] { [0...1] }
  /// wᵢ for each coordinate.
  public var secondWeights: [Double] { [1] }
  /// The sides on which the solution is prescribed.
  public var faces: [DomainFace] { DomainFace.all(dimension: 1) }

  /// Returns g and D at a point.
  ///
  /// - Parameter x: The point.
  /// - Returns: Both functions.
  public func condition(at x: SIMD3<Double>) -> (offset: Jet, factor: Jet) {
    (Jet(), Jet.bubble(x, on: domain, weights: paddedWeights))
  }

  /// Returns the residual and its derivatives with respect to the parts of the jet.
  ///
  /// - Parameters:
  ///   - u: The solution.
  ///   - x: The point.
  /// - Returns: The residual and its derivatives.
  public func residual(_ u: Jet, at x: SIMD3<Double>) -> (value: Double, derivative: Jet) {
    let diffusion = 1 / (3 * extinction)
    return (
      absorption * u.value - diffusion * u.second - source, Jet(absorption, second: -diffusion)
    )
  }

  /// Returns the exact solution.
  ///
  /// - Parameter x: The point.
  /// - Returns: u.
  public func solution(at x: SIMD3<Double>) -> Double {
    let decay = (3 * extinction * absorption).squareRoot()
    return source / absorption * (1 - cosh(decay * (x[0] - 0.5)) / cosh(decay / 2))
  }
}

extension DomainFace {
  /// All sides of a box.
  static func all(dimension: Int) -> [DomainFace] {
    (0..<dimension).flatMap {
      [DomainFace(axis: $0, isUpper: false), DomainFace(axis: $0, isUpper: true)]
    }
  }
}

extension Jet {
  /// Π (1 − ξᵢ²), where ξ are the coordinates scaled to [−1, 1]: it vanishes on all sides of a box.
  static func bubble(
    _ x: SIMD3<Double>, on domain: [ClosedRange<Double>], weights: SIMD3<Double>
  ) -> Jet {
    var product = Jet(1)
    for (axis, interval) in domain.enumerated() {
      let scale = 2 / (interval.upperBound - interval.lowerBound)
      let place = scale * (x[axis] - interval.lowerBound) - 1
      var factor = Jet(1 - place * place, second: -2 * scale * scale * weights[axis])
      factor.slopes[axis] = -2 * scale * place
      product = product.times(factor, weights: weights)
    }
    return product
  }
}
