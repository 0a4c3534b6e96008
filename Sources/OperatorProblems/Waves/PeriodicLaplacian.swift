internal import BlockKernels

/// The periodic finite differences A of -Δ on the unit interval or square, and approximate inverses.
///
/// A has the rows (-1, 2, -1) / h², in two dimensions the sum of both axes. The approximate inverse of
/// A + diag(d) is exact in one dimension, and that of A + c, by Fourier transforms, in two.
struct PeriodicLaplacian: ~Copyable {
  /// The numbers of points on the axes, one or two.
  let points: [Int]
  /// The norm of A.
  let norm: Double
  private let line: CyclicTridiagonal
  private let plane: RealTransform
  /// The eigenvalues of A, in the order of the transform's coefficients.
  private let eigenvalues: AlignedBuffer<Double>
  /// 1 / (eigenvalue + c), over the number of points.
  private let factors: AlignedBuffer<Double>

  /// Prepares the operator.
  ///
  /// - Parameter points: The numbers of points on the axes, at least 3 each.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(points: [Int]) throws(ProblemError) {
    self.points = points
    norm = points.reduce(0) { $0 + 4 * Double($1) * Double($1) }
    line = CyclicTridiagonal(order: points.count == 1 ? points[0] : 3)
    // In one dimension there is no transform to make.
    plane = try RealTransform(shape: points.count == 1 ? [1] : points)
    let count = plane.spectrum.count / 2
    eigenvalues = AlignedBuffer(repeating: 0, count: count)
    factors = AlignedBuffer(repeating: 0, count: count)
    if points.count == 2 { fillEigenvalues() }
  }

  /// Computes (2 - 2 cos(2π k / n)) n² summed over the axes, from a transform of the stencil.
  private func fillEigenvalues() {
    let columns = points[1]
    var stencil = plane.values.mutableSpan
    for i in 0..<stencil.count { stencil[i] = 0 }
    let (s, t) = (stiffness(0), stiffness(1))
    stencil[0] = 2 * s + 2 * t
    stencil[1] -= t
    stencil[columns - 1] -= t
    stencil[columns] -= s
    stencil[stencil.count - columns] -= s
    plane.forward()
    var target = eigenvalues.mutableSpan
    let spectrum = plane.spectrum.span
    // The stencil is symmetric: imaginary parts are rounding errors, and no eigenvalue is negative.
    for k in 0..<target.count { target[k] = max(0, spectrum[2 * k]) }
  }

  private func stiffness(_ axis: Int) -> Double {
    Double(points[axis]) * Double(points[axis])
  }

  /// Computes (A + diag(d)) x.
  ///
  /// - Parameters:
  ///   - x: A vector.
  ///   - diagonal: d.
  ///   - product: Becomes the product.
  func multiply(
    _ x: Span<Double>, diagonal: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    let columns = points[points.count - 1]
    let rows = x.count / columns
    let t = stiffness(points.count - 1)
    let s = points.count == 2 ? stiffness(0) : 0
    precondition(
      x.count == rows * columns && diagonal.count == x.count && product.count == x.count,
      "\(x.count), \(diagonal.count) and \(product.count) values on a grid \(points)")
    for row in 0..<rows {
      let start = row * columns
      let end = start + columns - 1
      let wrapped = t * (x[start] - x[end])
      for i in start + 1..<end {
        product[i] = t * ((x[i] - x[i - 1]) + (x[i] - x[i + 1])) + diagonal[i] * x[i]
      }
      product[start] = t * (x[start] - x[start + 1]) + wrapped + diagonal[start] * x[start]
      product[end] = t * (x[end] - x[end - 1]) - wrapped + diagonal[end] * x[end]
      guard points.count == 2 else { continue }
      let above = (row == 0 ? rows - 1 : row - 1) * columns
      let below = (row == rows - 1 ? 0 : row + 1) * columns
      for i in 0..<columns {
        let centre = x[start + i]
        product[start + i] += s * ((centre - x[above + i]) + (centre - x[below + i]))
      }
    }
  }

  /// Prepares the approximate inverse of A + diag(d).
  ///
  /// - Parameters:
  ///   - diagonal: d.
  ///   - least: The least c that may stand for d in two dimensions, positive.
  /// - Returns: False if the matrix is not positive definite, which is found in one dimension only.
  func prepare(diagonal: Span<Double>, least: Double) -> Bool {
    guard points.count == 2 else { return line.factor(stiffness: stiffness(0), diagonal: diagonal) }
    var sum = 0.0
    for i in 0..<diagonal.count { sum += diagonal[i] }
    let shift = max(least, sum / Double(diagonal.count))
    let eigenvalues = eigenvalues.span
    var factors = factors.mutableSpan
    for k in 0..<factors.count {
      factors[k] = 1 / ((eigenvalues[k] + shift) * Double(diagonal.count))
    }
    return true
  }

  /// Applies the approximate inverse that was prepared last.
  ///
  /// - Parameters:
  ///   - residual: A vector.
  ///   - direction: Becomes the product.
  func smooth(_ residual: Span<Double>, into direction: inout MutableSpan<Double>) {
    guard points.count == 2 else { return line.solve(residual, into: &direction) }
    var values = plane.values.mutableSpan
    for i in 0..<residual.count { values[i] = residual[i] }
    plane.forward()
    var spectrum = plane.spectrum.mutableSpan
    let factors = factors.span
    for k in 0..<factors.count {
      spectrum[2 * k] *= factors[k]
      spectrum[2 * k + 1] *= factors[k]
    }
    plane.backward()
    let result = plane.values.span
    for i in 0..<residual.count { direction[i] = result[i] }
  }
}
