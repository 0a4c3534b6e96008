import BlockKernels
import Foundation

/// The functions of the distance that kernel ridge regression knows.
public enum KernelKind: String, CaseIterable, Sendable {
  /// exp(−d²/2ℓ²).
  case gaussian
  /// (1 + s + s²/3) e⁻ˢ with s = √5 d/ℓ: Matérn's function of the order 5/2.
  case matern
}

/// A kernel k(x, x′) of the distance d = ‖x − x′‖₂, with k(x, x) = 1.
struct RegressionKernel {
  let kind: KernelKind
  /// ℓ, in the units of the inputs.
  let length: Double

  /// Replaces inner products in a column of a matrix by values of the kernel.
  ///
  /// - Parameters:
  ///   - products: xᵢ·x′, of which these elements belong to the column.
  ///   - range: The elements.
  ///   - squares: ‖xᵢ‖², one for each of the elements, from `first` on.
  ///   - first: The first of the squares.
  ///   - square: ‖x′‖².
  func apply(
    to products: inout MutableSpan<Double>, _ range: Range<Int>, squares: [Double], from first: Int,
    _ square: Double
  ) {
    let gaussian = -0.5 / (length * length)
    let matern = 5.0.squareRoot() / length
    let shift = first - range.lowerBound
    for index in range {
      // Rounding may leave a little less than zero.
      let distance = max(0, squares[index + shift] + square - 2 * products[index])
      switch kind {
      case .gaussian: products[index] = exp(gaussian * distance)
      case .matern:
        let s = matern * distance.squareRoot()
        products[index] = (1 + s + s * s / 3) * exp(-s)
      }
    }
  }

  /// Returns the kernel between points, of order `points.count`, lower triangle.
  package func matrix(_ points: CentredField, squares: [Double]) -> AlignedBuffer<Double> {
    let count = points.count
    let result = AlignedBuffer<Double>(repeating: 0, count: count * count)
    BLAS.multiplyByTranspose(points.factor(transposed: true), into: result)
    var span = result.mutableSpan
    for column in 0..<count {
      apply(
        to: &span, column * count + column..<(column + 1) * count, squares: squares, from: column,
        squares[column])
      // The distance of a point from itself is zero; rounding would leave a little more.
      span[column * count + column] = 1
    }
    return result
  }

  /// Returns the kernel between points and others, column-major points × others.
  package func matrix(
    _ points: CentredField, squares: [Double], _ others: CentredField
  ) -> AlignedBuffer<Double> {
    let count = points.count
    let result = AlignedBuffer<Double>(repeating: 0, count: count * others.count)
    BLAS.multiply(points.factor(transposed: true), others.factor(), into: result)
    let norms = Self.squares(others)
    var span = result.mutableSpan
    for column in 0..<others.count {
      apply(
        to: &span, column * count..<(column + 1) * count, squares: squares, from: 0, norms[column])
    }
    return result
  }

  /// Returns ‖x‖² of every sample.
  static func squares(_ points: CentredField) -> [Double] {
    let (width, values) = (points.mean.count, points.values)
    let span = values.span
    return (0..<points.count).map { sample in
      var sum = 0.0
      for index in sample * width..<(sample + 1) * width { sum += span[index] * span[index] }
      return sum
    }
  }

  /// Returns the median distance of two of the points, one if they are all equal.
  static func medianDistance(_ points: CentredField) -> Double {
    let (count, squares) = (points.count, squares(points))
    let products = AlignedBuffer<Double>(repeating: 0, count: count * count)
    BLAS.multiplyByTranspose(points.factor(transposed: true), into: products)
    var distances: [Double] = []
    for column in 0..<count {
      for row in column + 1..<max(count, column + 1) {
        let product = products[column * count + row]
        distances.append(max(0, squares[row] + squares[column] - 2 * product))
      }
    }
    distances.sort()
    let median = distances.isEmpty ? 0 : distances[distances.count / 2].squareRoot()
    return median > 0 ? median : 1
  }
}
