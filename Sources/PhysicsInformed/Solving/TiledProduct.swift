import BlockKernels

/// A matrix in a buffer: where it begins and how far its columns are apart.
struct Placed {
  let values: AlignedBuffer<Double>
  let start: Int
  let leading: Int

  init(_ values: AlignedBuffer<Double>, at start: Int = 0, leading: Int) {
    (self.values, self.start, self.leading) = (values, start, leading)
  }
}

/// Large products as many small ones, whose order follows from the shape.
///
/// The small products are compiled for the processor; the BLAS may not know it and then takes kernels of old ones.
final class TiledProduct {
  private static let (tile, depth) = (64, 256)

  private var kernels: [ProductShape: MatrixProduct<Double>] = [:]

  /// Computes C ← A B or C ← C + A B, all column-major.
  ///
  /// - Parameters:
  ///   - a: A, m × k.
  ///   - b: B, k × n.
  ///   - c: C, m × n; in another buffer than A and B.
  ///   - m: The rows of C.
  ///   - n: The columns of C.
  ///   - k: The length of the sums.
  ///   - accumulates: Whether C is added to.
  ///   - isLower: Whether tiles above the diagonal are left as they are.
  func multiply(
    _ a: Placed, _ b: Placed, into c: Placed, m: Int, n: Int, k: Int, accumulates: Bool,
    isLower: Bool = false
  ) {
    let (left, right) = (a.values.span, b.values.span)
    let target = c.values
    var result = target.mutableSpan
    for inner in stride(from: 0, to: k, by: Self.depth) {
      for column in stride(from: 0, to: n, by: Self.tile) {
        for row in stride(from: isLower ? column : 0, to: m, by: Self.tile) {
          let shape = ProductShape(
            m: min(Self.tile, m - row), n: min(Self.tile, n - column),
            k: min(Self.depth, k - inner), lda: a.leading, ldb: b.leading, ldc: c.leading,
            accumulates: accumulates || inner > 0)
          kernel(shape)(
            left, at: a.start + inner * a.leading + row, right,
            at: b.start + column * b.leading + inner, into: &result,
            at: c.start + column * c.leading + row)
        }
      }
    }
  }

  private func kernel(_ shape: ProductShape) -> MatrixProduct<Double> {
    if let found = kernels[shape] { return found }
    let made = MatrixProduct<Double>(shape)
    kernels[shape] = made
    return made
  }
}
