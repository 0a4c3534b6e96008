extension ExponentialIntegral {
  /// The vector type of all evaluations.
  package typealias Lanes = SIMD8<Double>

  /// A function on eight lanes with a fast path for small arguments.
  package protocol LaneFunction {
    /// The least argument that the fast path takes; the greatest is 1.
    static var leastSmall: Double { get }
    /// Computes the function of eight small arguments.
    static func small(_ x: Lanes) -> Lanes
    /// Computes the function of any arguments.
    static func general(_ x: Lanes) -> Lanes
  }

  /// E₁.
  package enum E1Lanes: LaneFunction {
    /// Zero and subnormal numbers have no logarithm in `VectorFunctions`.
    package static var leastSmall: Double { .leastNormalMagnitude }

    /// E₁(x) = -(log x + e(x)).
    @inline(__always)
    package static func small(_ x: Lanes) -> Lanes {
      -(VectorFunctions.log(x) + ExponentialIntegralTables.entirePartOfE1(x))
    }

    @inline(never)
    package static func general(_ x: Lanes) -> Lanes {
      // Subnormal numbers are scaled by 2^54 for the logarithm.
      let subnormal = x .< leastSmall
      let scaled = x.replacing(with: x * 0x1p54, where: subnormal)
      let correction = Lanes.zero.replacing(with: 54 * 0x1.62e42fefa39efp-1, where: subnormal)
      var value = small(scaled.replacing(with: 1, where: .!(scaled .<= 1))) + correction
      let large = ExponentialIntegral.clamped(x)
      let ratio =
        ExponentialIntegralTables.largeE1Numerator(large)
        / ExponentialIntegralTables.largeE1Denominator(large)
      value.replace(
        with: VectorFunctions.exponentialOfNegative(large) * ratio, where: x .> 1)
      value.replace(with: .infinity, where: x .== 0)
      value.replace(with: .nan, where: .!(x .>= 0))
      return value
    }
  }

  /// E₂.
  enum E2Lanes: LaneFunction {
    /// The logarithm of zero is finite in `VectorFunctions` and gets the factor zero.
    static var leastSmall: Double { 0 }

    /// E₂(x) = 1 + x (log x + q(x)).
    @inline(__always)
    static func small(_ x: Lanes) -> Lanes { 1 + E2LessOneLanes.small(x) }

    @inline(never)
    static func general(_ x: Lanes) -> Lanes {
      var value = small(x.replacing(with: 1, where: .!(x .<= 1)))
      let large = ExponentialIntegral.clamped(x)
      let ratio =
        ExponentialIntegralTables.largeE2Numerator(large)
        / ExponentialIntegralTables.largeE2Denominator(large)
      value.replace(
        with: VectorFunctions.exponentialOfNegative(large) * ratio, where: x .> 1)
      value.replace(with: .nan, where: .!(x .>= 0))
      return value
    }
  }

  /// E₂ - 1, without cancellation on [0, 1].
  enum E2LessOneLanes: LaneFunction {
    /// The logarithm of zero is finite in `VectorFunctions` and gets the factor zero.
    static var leastSmall: Double { 0 }

    @inline(__always)
    static func small(_ x: Lanes) -> Lanes {
      x * (VectorFunctions.log(x) + ExponentialIntegralTables.entirePartOfE2(x))
    }

    @inline(never)
    static func general(_ x: Lanes) -> Lanes {
      (E2Lanes.general(x) - 1).replacing(
        with: small(x.replacing(with: 1, where: .!(x .<= 1))), where: (x .>= 0) .& (x .<= 1))
    }
  }

  /// Clamps arguments to the interval from 1 to 800, where the formulas for large ones hold.
  @inline(__always)
  static func clamped(_ x: Lanes) -> Lanes {
    x.replacing(with: 1, where: .!(x .>= 1)).replacing(with: 800, where: x .> 800)
  }
}
