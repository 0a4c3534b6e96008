/// A side of the domain on which the solution is prescribed.
public struct DomainFace: Sendable, Equatable {
  /// The coordinate that is constant on it.
  public let axis: Int
  /// Whether it is the upper of the two.
  public let isUpper: Bool

  /// Creates a side.
  ///
  /// - Parameters:
  ///   - axis: The coordinate that is constant on it.
  ///   - isUpper: Whether it is the upper of the two.
  public init(axis: Int, isUpper: Bool) { (self.axis, self.isUpper) = (axis, isUpper) }
}

/// A partial differential equation r(u, ∂u, L u) = 0 on a box, with L = Σ wᵢ ∂ᵢᵢ, its conditions and its solution.
///
/// Conditions are held by the form u = g + D N of the solution, where D vanishes on the sides of conditions and N is the
/// network, or they are residuals of their own.
public protocol Equation: Sendable {
  /// The name.
  static var name: String { get }
  /// The domain, an interval for each coordinate; the network sees each scaled to [−1, 1].
  var domain: [ClosedRange<Double>] { get }
  /// wᵢ for each coordinate.
  var secondWeights: [Double] { get }
  /// The sides on which the solution is prescribed.
  var faces: [DomainFace] { get }

  /// Returns g and D at a point.
  ///
  /// - Parameter x: The point.
  /// - Returns: Both functions; g is the prescribed solution where D vanishes.
  func condition(at x: SIMD3<Double>) -> (offset: Jet, factor: Jet)

  /// Returns the residual and its derivatives with respect to the parts of the jet.
  ///
  /// - Parameters:
  ///   - u: The solution.
  ///   - x: The point.
  /// - Returns: The residual and its derivatives.
  func residual(_ u: Jet, at x: SIMD3<Double>) -> (value: Double, derivative: Jet)

  /// Returns the exact solution, or one of as many digits as double precision has.
  ///
  /// - Parameter x: The point.
  /// - Returns: u.
  func solution(at x: SIMD3<Double>) -> Double

  /// The points of the grid on which errors are measured, for each coordinate.
  var grid: [[Double]] { get }
}

extension Equation {
  /// The number of coordinates.
  public var dimension: Int { domain.count }

  /// wᵢ, with zeros beyond the number of coordinates.
  public var paddedWeights: SIMD3<Double> {
    var result = SIMD3<Double>()
    for (axis, weight) in secondWeights.enumerated() { result[axis] = weight }
    return result
  }

  /// 101 points of each coordinate, the ends among them.
  public var grid: [[Double]] { domain.map { Self.points($0, count: 101) } }

  /// Points of an interval, equally far apart, the ends among them.
  static func points(_ interval: ClosedRange<Double>, count: Int) -> [Double] {
    let length = interval.upperBound - interval.lowerBound
    return (0..<count).map {
      interval.lowerBound + length * (Double($0) / Double(count - 1))
    }
  }

  /// The point at a place of the unit cube.
  func point(_ unit: SIMD3<Double>) -> SIMD3<Double> {
    var x = SIMD3<Double>()
    for (axis, interval) in domain.enumerated() {
      let length = interval.upperBound - interval.lowerBound
      x[axis] = min(interval.lowerBound + length * unit[axis], interval.upperBound)
    }
    return x
  }
}
