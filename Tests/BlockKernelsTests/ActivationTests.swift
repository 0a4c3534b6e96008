import BlockKernels
import Foundation
import Testing

@Suite struct ActivationTests {
  static let points: [Double] = [-40, -3, -1.25, -0.5, -0.01, 0.01, 0.3, 1, 2.5, 40]

  /// The definitions, written without those of the module.
  static func value(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: max(x, 0)
    case .tanh: x > 0 ? 1 - 2 / (exp(2 * x) + 1) : 2 / (exp(-2 * x) + 1) - 1
    case .sigmoid: x > 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
    case .elu: x > 0 ? x : exp(x) - 1
    }
  }

  private func applied<Scalar: KernelScalar>(
    _ activation: Activation, _ values: [Scalar], in range: Range<Int>? = nil
  ) -> [Scalar] {
    var result = values
    let range = range ?? 0..<values.count
    unsafe result.withUnsafeMutableBufferPointer {
      unsafe activation.apply(first(of: $0) + range.lowerBound, count: range.count)
    }
    return result
  }

  @Test(arguments: Activation.allCases)
  func valuesMatchTheDefinition(activation: Activation) {
    let points = Self.points + [0]
    let exact = points.map { Self.value(activation, $0) }
    // A few roundings of numbers of the size of 1 in the definition, and one in the result.
    for (y, z) in zip(applied(activation, points), exact) {
      #expect(abs(y - z) <= 4 * Double.ulpOfOne * max(1, abs(z)))
    }
    for (y, x) in zip(applied(activation, points.map { Float($0) }), points) {
      let z = Self.value(activation, Double(Float(x)))
      #expect(abs(Double(y) - z) <= 3 * Double(Float.ulpOfOne) * max(abs(z), 1e-6))
    }
  }

  @Test(arguments: Activation.allCases)
  func derivativesMatchFiniteDifferences(activation: Activation) {
    let h = 1e-5
    for x in Self.points {
      let y = Self.value(activation, x)
      let slope = (Self.value(activation, x + h) - Self.value(activation, x - h)) / (2 * h)
      // Truncation h²/6·|f‴| with |f‴| ≤ 2, and two roundings of f over 2h.
      let limit = h * h + 2 * Double.ulpOfOne * max(1, abs(y)) / h
      #expect(abs(activation.derivative(at: y) - slope) <= limit, "at \(x)")
      let single = Double(activation.derivative(at: Float(y)))
      #expect(abs(single - slope) <= limit + 4 * Double(Float.ulpOfOne), "at \(x)")
    }
  }

  @Test(arguments: Activation.allCases)
  func notANumberStaysNotANumber(activation: Activation) {
    #expect(applied(activation, [Double.nan])[0].isNaN)
    #expect(applied(activation, [Float.nan])[0].isNaN)
  }

  @Test(arguments: Activation.allCases)
  func infinitiesHaveTheirLimits(activation: Activation) {
    let found = applied(activation, [Double.infinity, -Double.infinity])
    let limits: [Double] =
      switch activation {
      case .identity: [.infinity, -.infinity]
      case .relu: [.infinity, 0]
      case .tanh: [1, -1]
      case .sigmoid: [1, 0]
      case .elu: [.infinity, -1]
      }
    // Exponentials end at 2⁻¹⁰¹⁰.
    for (y, limit) in zip(found, limits) { #expect(y == limit || abs(y - limit) < 0x1p-1000) }
  }

  @Test(arguments: Activation.allCases)
  func onlyTheRangeChanges(activation: Activation) {
    let values: [Double] = scalars(40, seed: 3)
    let found = applied(activation, values, in: 7..<29)
    #expect(found[..<7] == values[..<7] && found[29...] == values[29...])
    #expect(Array(found[7..<29]) == applied(activation, Array(values[7..<29])))
  }
}
