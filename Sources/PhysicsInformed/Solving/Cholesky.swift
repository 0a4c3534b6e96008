import BlockKernels

/// Cholesky's factorization of large matrices by tiled products.
final class Cholesky {
  private typealias Vectors = AlignedBuffer<Double>

  /// The columns that are factorized at once.
  private static let block = 64

  private let order: Int
  private let products = TiledProduct()
  private let diagonal = Vectors(repeating: 0, count: block * block)
  /// The transposed inverse of the triangle on the diagonal.
  private let inverse = Vectors(repeating: 0, count: block * block)
  /// The columns below the diagonal, before and after; and −1 times their transpose.
  private let panel: Vectors
  private let solved: Vectors
  private let transposed: Vectors

  init(order: Int) {
    self.order = order
    panel = Vectors(repeating: 0, count: order * Self.block)
    solved = Vectors(repeating: 0, count: order * Self.block)
    transposed = Vectors(repeating: 0, count: order * Self.block)
  }

  /// Solves A x = b, in place.
  ///
  /// - Parameters:
  ///   - matrix: The lower triangle of A, column-major; becomes its factor.
  ///   - rightHandSide: b, becomes x.
  /// - Returns: Whether A is positive definite.
  func solve(_ matrix: AlignedBuffer<Double>, _ rightHandSide: AlignedBuffer<Double>) -> Bool {
    for first in stride(from: 0, to: order, by: Self.block) {
      let width = min(Self.block, order - first)
      guard factorizeDiagonal(matrix, first, width) else { return false }
      let rest = order - first - width
      guard rest > 0 else { continue }
      for column in 0..<width {
        panel.copy(
          from: matrix, at: (first + column) * order + first + width,
          to: column * rest..<(column + 1) * rest)
      }
      products.multiply(
        Placed(panel, leading: rest), Placed(inverse, leading: width),
        into: Placed(solved, leading: rest), m: rest, n: width, k: width, accumulates: false)
      for column in 0..<width {
        let start = (first + column) * order + first + width
        matrix.copy(from: solved, at: column * rest, to: start..<start + rest)
      }
      negateTransposed(rest, width)
      products.multiply(
        Placed(solved, leading: rest), Placed(transposed, leading: width),
        into: Placed(matrix, at: (first + width) * (order + 1), leading: order), m: rest,
        n: rest, k: width, accumulates: true, isLower: true)
    }
    do throws(LAPACKError) {
      let factor = matrix.span
      var x = rightHandSide.mutableSpan
      try LAPACK.solve(factor: factor, order: order, rightHandSides: &x, count: 1)
      return true
    } catch {
      return false
    }
  }

  /// Factorizes a block on the diagonal and inverts its factor.
  private func factorizeDiagonal(
    _ matrix: AlignedBuffer<Double>, _ first: Int, _ width: Int
  ) -> Bool {
    for column in 0..<width {
      diagonal.copy(
        from: matrix, at: (first + column) * order + first,
        to: column * width..<(column + 1) * width)
    }
    do throws(LAPACKError) {
      let diagonal = diagonal
      var a = diagonal.mutableSpan
      try LAPACK.factorize(&a, order: width)
    } catch {
      return false
    }
    inverse.fill(0)
    for column in 0..<width {
      // Column `column` of L⁻¹ is row `column` of its transpose.
      for row in column..<width {
        var sum = row == column ? 1.0 : 0
        for inner in column..<row {
          sum -= diagonal[inner * width + row] * inverse[inner * width + column]
        }
        inverse[row * width + column] = sum / diagonal[row * width + row]
      }
      let start = (first + column) * order + first
      matrix.copy(
        from: diagonal, at: column * width + column, to: start + column..<start + width)
    }
    return true
  }

  private func negateTransposed(_ rest: Int, _ width: Int) {
    let (solved, transposed) = (solved, transposed)
    let values = solved.span
    var target = transposed.mutableSpan
    Elementwise.transpose(
      values, channels: width, samples: rest, stride: width, into: &target)
    for place in 0..<rest * width { target[place] = -target[place] }
  }
}
