internal import BlockKernels

/// A symmetric Toeplitz matrix that is applied by Fourier transforms.
///
/// The matrix t(|i - j|) is embedded in a circulant one whose order is at least 2 n, of the form
/// 2^a 3^b 5^c with a ≥ 1, where FFTW is fast.
struct SymmetricToeplitz: ~Copyable {
  /// The order of the matrix.
  let order: Int
  private let transform: RealTransform
  /// The eigenvalues of the circulant matrix over its order.
  private let eigenvalues: AlignedBuffer<Double>

  /// Prepares a matrix.
  ///
  /// - Parameters:
  ///   - order: The order n.
  ///   - entry: The entry at a distance of 0 ... n - 1 from the diagonal.
  /// - Throws: ``ProblemError`` if FFTW makes no plan.
  init(order: Int, entry: (Int) -> Double) throws(ProblemError) {
    transform = try RealTransform(length: Self.transformLength(atLeast: 2 * order))
    eigenvalues = AlignedBuffer(repeating: 0, count: transform.length / 2 + 1)
    self.order = order
    Self.fill(eigenvalues, with: transform, order: order, entry: entry)
  }

  /// Transforms the first column of the circulant matrix.
  private static func fill(
    _ eigenvalues: AlignedBuffer<Double>, with transform: borrowing RealTransform, order: Int,
    entry: (Int) -> Double
  ) {
    let length = transform.length
    var column = transform.values.mutableSpan
    column[0] = entry(0)
    for distance in 1..<max(order, 1) {
      let value = entry(distance)
      column[distance] = value
      column[length - distance] = value
    }
    transform.forward()
    let spectrum = transform.spectrum.span
    var target = eigenvalues.mutableSpan
    // The circulant matrix is symmetric, so the imaginary parts are rounding errors.
    for k in 0...length / 2 { target[k] = spectrum[2 * k] / Double(length) }
  }

  /// Finds the least number 2^a 3^b 5^c with a ≥ 1 that is not below a bound.
  ///
  /// - Parameter bound: The bound.
  /// - Returns: The length.
  static func transformLength(atLeast bound: Int) -> Int {
    var best = 2
    while best < bound { best *= 2 }
    var five = 1
    while five < best {
      var odd = five
      while odd < best {
        var length = 2 * odd
        while length < bound { length *= 2 }
        best = min(best, length)
        odd *= 3
      }
      five *= 5
    }
    return best
  }

  /// The vector, and after `multiply` the product; the first `order` elements count.
  var values: AlignedBuffer<Double> { transform.values }

  /// Replaces the vector by its product with the matrix.
  func multiply() {
    let length = transform.length
    var values = transform.values.mutableSpan
    for i in order..<length { values[i] = 0 }
    transform.forward()
    var spectrum = transform.spectrum.mutableSpan
    let factors = eigenvalues.span
    for k in 0...length / 2 {
      spectrum[2 * k] *= factors[k]
      spectrum[2 * k + 1] *= factors[k]
    }
    transform.backward()
  }
}
