/// Sums over vectors in eight lanes, in a fixed order, so that they have the same bits everywhere.
package enum VectorSums {
  private typealias Lanes = VectorFunctions.Lanes

  /// Computes a scalar product.
  ///
  /// - Parameters:
  ///   - x: One vector.
  ///   - y: The other one.
  /// - Returns: Σ x_i y_i.
  /// - Precondition: The vectors have the same length.
  package static func dot(_ x: Span<Double>, _ y: Span<Double>) -> Double {
    precondition(x.count == y.count, "\(x.count) and \(y.count) values")
    let whole = x.count / Lanes.scalarCount * Lanes.scalarCount
    // The reads of whole lanes stay inside both spans.
    var sum = unsafe x.withUnsafeBytes { x in
      unsafe y.withUnsafeBytes { y in
        var sum = Lanes.zero
        for offset in stride(from: 0, to: 8 * whole, by: 64) {
          sum +=
            unsafe x.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            * y.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
        }
        return sum
      }
    }
    for i in whole..<x.count { sum[i - whole] += x[i] * y[i] }
    return VectorFunctions.sum(sum)
  }

  /// Computes the Euclidean norm.
  ///
  /// - Parameter x: A vector.
  /// - Returns: Its norm.
  package static func norm(_ x: Span<Double>) -> Double { dot(x, x).squareRoot() }
}
