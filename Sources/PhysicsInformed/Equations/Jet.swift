/// A function at a point: its value, its first derivatives, and L = Σ wᵢ ∂ᵢᵢ of it.
public struct Jet: Sendable, Equatable {
  /// The value.
  public var value: Double
  /// The first derivatives; those beyond the number of coordinates are zero.
  public var slopes: SIMD3<Double>
  /// L of the function.
  public var second: Double

  /// Creates a jet.
  ///
  /// - Parameters:
  ///   - value: The value.
  ///   - slopes: The first derivatives.
  ///   - second: L of the function.
  public init(_ value: Double = 0, slopes: SIMD3<Double> = SIMD3(), second: Double = 0) {
    (self.value, self.slopes, self.second) = (value, slopes, second)
  }

  /// The jet of a product: L(f h) = f L h + 2 Σ wᵢ ∂ᵢf ∂ᵢh + h L f.
  ///
  /// - Parameters:
  ///   - other: The other factor.
  ///   - weights: wᵢ.
  /// - Returns: The product.
  public func times(_ other: Jet, weights: SIMD3<Double>) -> Jet {
    Jet(
      value * other.value, slopes: value * other.slopes + other.value * slopes,
      second: value * other.second + 2 * (weights * slopes * other.slopes).sum()
        + other.value * second)
  }

  /// The adjoint of ``times(_:weights:)`` with respect to the other factor.
  ///
  /// - Parameters:
  ///   - adjoint: The adjoint of the product.
  ///   - weights: wᵢ.
  /// - Returns: The adjoint of the other factor.
  public func adjointOfTimes(_ adjoint: Jet, weights: SIMD3<Double>) -> Jet {
    Jet(
      value * adjoint.value + (slopes * adjoint.slopes).sum() + second * adjoint.second,
      slopes: value * adjoint.slopes + 2 * adjoint.second * weights * slopes,
      second: value * adjoint.second)
  }

  /// The sum of two functions.
  ///
  /// - Parameters:
  ///   - a: The first one.
  ///   - b: The second one.
  /// - Returns: The sum.
  public static func + (a: Jet, b: Jet) -> Jet {
    Jet(a.value + b.value, slopes: a.slopes + b.slopes, second: a.second + b.second)
  }

  /// A multiple of a function.
  ///
  /// - Parameters:
  ///   - factor: The factor.
  ///   - jet: The function.
  /// - Returns: The multiple.
  public static func * (factor: Double, jet: Jet) -> Jet {
    Jet(factor * jet.value, slopes: factor * jet.slopes, second: factor * jet.second)
  }
}
