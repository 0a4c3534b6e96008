/// The direction along which a box of a cloud is split.
public enum SplitRule: Sendable, Equatable {
  /// The longest side of the bounding box; the first of equally long ones.
  case longestSide
  /// The direction in which the points spread most (inertial bisection, Williams 1994).
  case principalDirection
}

/// The direction of largest variance of a set of points in up to three dimensions.
struct PrincipalDirection {
  /// The sums of products of the deviations, symmetric, row-major.
  private var moments: [Double]
  private let dimension: Int

  init(dimension: Int) {
    self.dimension = dimension
    self.moments = [Double](repeating: 0, count: dimension * dimension)
  }

  /// Adds a point, given by its deviations from the mean.
  mutating func add(_ deviations: [Double]) {
    for row in 0..<dimension {
      for column in 0..<dimension {
        moments[row * dimension + column] += deviations[row] * deviations[column]
      }
    }
  }

  /// Returns the unit vector of largest variance, or nil if the points coincide.
  ///
  /// Cyclic Jacobi rotations on the matrix of moments: for 3 × 3 a handful of sweeps reach
  /// rounding errors. Of equal variances the first counts, and the largest component is made
  /// positive, so that the result is unique.
  func direction() -> [Double]? {
    let n = dimension
    var matrix = moments
    guard matrix.allSatisfy(\.isFinite), matrix.contains(where: { $0 != 0 }) else { return nil }
    // Smaller entries are rounding errors: they must not turn the axes of a symmetric set of points.
    let negligible = 1e-12 * (0..<n).reduce(0) { $0 + matrix[$1 * n + $1] }
    var vectors = (0..<n * n).map { $0 / n == $0 % n ? 1.0 : 0.0 }
    for _ in 0..<20 {
      for p in 0..<n {
        for q in p + 1..<n where abs(matrix[p * n + q]) > negligible {
          let theta = (matrix[q * n + q] - matrix[p * n + p]) / (2 * matrix[p * n + q])
          let root = (theta * theta + 1).squareRoot()
          let tangent = theta < 0 ? 1 / (theta - root) : 1 / (theta + root)
          let cosine = 1 / (tangent * tangent + 1).squareRoot()
          let sine = tangent * cosine
          for k in 0..<n {
            (matrix[k * n + p], matrix[k * n + q]) = (
              cosine * matrix[k * n + p] - sine * matrix[k * n + q],
              sine * matrix[k * n + p] + cosine * matrix[k * n + q]
            )
          }
          for k in 0..<n {
            (matrix[p * n + k], matrix[q * n + k]) = (
              cosine * matrix[p * n + k] - sine * matrix[q * n + k],
              sine * matrix[p * n + k] + cosine * matrix[q * n + k]
            )
            (vectors[k * n + p], vectors[k * n + q]) = (
              cosine * vectors[k * n + p] - sine * vectors[k * n + q],
              sine * vectors[k * n + p] + cosine * vectors[k * n + q]
            )
          }
          matrix[p * n + q] = 0
          matrix[q * n + p] = 0
        }
      }
    }
    var largest = 0
    for k in 1..<n where matrix[k * n + k] > matrix[largest * n + largest] + negligible {
      largest = k
    }
    let vector = (0..<n).map { vectors[$0 * n + largest] }
    let leading = vector.max { abs($0) < abs($1) } ?? 1
    return leading < 0 ? vector.map { -$0 } : vector
  }
}
