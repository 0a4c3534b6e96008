internal import BlockKernels
import SpecialFunctions

/// A function of two variables that is a short sum of products of functions of one.
///
/// At the first coordinate x₁ it is Σ_t c_t(x₁) φ_(s+t)(x₂), where the first function s may depend on x₁.
/// Line integrals for many pairs of points of a grid take few operations in this form.
protocol SeparableField {
  /// The number of functions φ.
  var functionCount: Int { get }

  /// The number of terms of the sum.
  var termCount: Int { get }

  /// Computes the coefficients at a first coordinate.
  ///
  /// - Parameters:
  ///   - x: The first coordinate.
  ///   - start: Where the coefficients begin in the span.
  ///   - coefficients: Takes the `termCount` coefficients.
  /// - Returns: The first function.
  func coefficients(
    at x: Double, from start: Int, into coefficients: inout MutableSpan<Double>
  ) -> Int

  /// Computes all functions at a second coordinate.
  ///
  /// - Parameters:
  ///   - x: The second coordinate.
  ///   - values: Becomes the `functionCount` values.
  func functions(at x: Double, into values: inout MutableSpan<Double>)
}

/// Σ_g ρ_g / (2πT) exp(-|x - c_g|² / (2T)), a function for each Gaussian.
struct GaussianSum: SeparableField {
  /// The number of Gaussians.
  let count: Int
  /// The amplitudes ρ, the first and the second coordinates of the centres, and T.
  let parameters: [Double]

  var functionCount: Int { count }
  var termCount: Int { count }

  private var variance: Double { parameters[3 * count] }

  private func bell(_ distance: Double) -> Double {
    // Beyond 745 the exponential is zero.
    let exponent = min(distance * distance / (2 * variance), 800)
    return VectorFunctions.exponentialOfNegative(.init(repeating: exponent))[0]
  }

  func coefficients(
    at x: Double, from start: Int, into coefficients: inout MutableSpan<Double>
  ) -> Int {
    for g in 0..<count {
      let height = parameters[g] / (2 * Double.pi * variance)
      coefficients[start + g] = height * bell(x - parameters[count + g])
    }
    return 0
  }

  func functions(at x: Double, into values: inout MutableSpan<Double>) {
    for g in 0..<count { values[g] = bell(x - parameters[2 * count + g]) }
  }
}

/// The interpolant of values at the centres of equal cells of the unit square.
///
/// In each variable it is the polynomial of degree 5 through the six nearest centres, three on either
/// side where there are as many; beyond the outermost centres it is constant.
struct InterpolatedField: SeparableField {
  /// The numbers of cells.
  let shape: (Int, Int)
  /// The values, the second variable fastest.
  let values: [Double]

  /// The number of centres that a value depends on, in each variable.
  static var width: Int { 6 }

  var functionCount: Int { shape.0 }
  var termCount: Int { min(Self.width, shape.0) }

  /// Computes the weights of neighbouring centres.
  ///
  /// - Returns: The first centre.
  private static func weights(
    _ x: Double, _ cells: Int, _ start: Int, _ weights: inout MutableSpan<Double>
  ) -> Int {
    let count = min(width, cells)
    let place = min(max(x * Double(cells) - 0.5, 0), Double(cells - 1))
    let first = min(max(Int(place) - (count / 2 - 1), 0), cells - count)
    for k in 0..<count {
      var weight = 1.0
      for m in 0..<count where m != k {
        weight *= (place - Double(first + m)) / Double(k - m)
      }
      weights[start + k] = weight
    }
    return first
  }

  func coefficients(
    at x: Double, from start: Int, into coefficients: inout MutableSpan<Double>
  ) -> Int {
    Self.weights(x, shape.0, start, &coefficients)
  }

  func functions(at x: Double, into values: inout MutableSpan<Double>) {
    var storage = [6 of Double](repeating: 0)
    var weights = storage.mutableSpan
    let first = Self.weights(x, shape.1, 0, &weights)
    for row in 0..<shape.0 {
      var sum = 0.0
      for k in 0..<min(Self.width, shape.1) {
        sum += weights[k] * self.values[row * shape.1 + first + k]
      }
      values[row] = sum
    }
  }
}

extension SeparableField {
  /// Evaluates the field at the centres of equal cells of the unit square.
  ///
  /// - Parameters:
  ///   - shape: The numbers of cells.
  ///   - values: Becomes the field, the second axis fastest.
  /// - Precondition: There are as many values as cells.
  func evaluate(shape: (Int, Int), into values: inout MutableSpan<Double>) {
    precondition(values.count == shape.0 * shape.1, "\(values.count) values for \(shape) cells")
    var table = [Double](repeating: 0, count: shape.1 * functionCount)
    var numbers = [Double](repeating: 0, count: functionCount)
    for k in 0..<shape.1 {
      var span = numbers.mutableSpan
      functions(at: (Double(k) + 0.5) / Double(shape.1), into: &span)
      for function in 0..<functionCount { table[k * functionCount + function] = span[function] }
    }
    var coefficients = [Double](repeating: 0, count: termCount)
    for i in 0..<shape.0 {
      var span = coefficients.mutableSpan
      let first = self.coefficients(at: (Double(i) + 0.5) / Double(shape.0), from: 0, into: &span)
      for k in 0..<shape.1 {
        var sum = 0.0
        for term in 0..<termCount { sum += span[term] * table[k * functionCount + first + term] }
        values[i * shape.1 + k] = sum
      }
    }
  }
}
