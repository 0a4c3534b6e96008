internal import COpenBLAS

extension LAPACK {
  /// Replaces a square matrix by its factors with partial pivoting, P A = L U.
  ///
  /// The corresponding LAPACK routine is `dgetrf`.
  ///
  /// - Parameters:
  ///   - matrix: A, column-major n×n; replaced by U and, below the diagonal, by L, whose diagonal is one.
  ///   - n: The order of A.
  ///   - pivots: n numbers; row i was exchanged with row `pivots[i]`, counted from one, for ascending i.
  /// - Precondition: The spans are large enough.
  /// - Throws: ``LAPACKError`` if a pivot is exactly zero.
  /// - Complexity: 2 n³/3 flops.
  public static func factorize(
    _ matrix: inout MutableSpan<Double>, order n: Int, pivots: inout MutableSpan<Int32>
  ) throws(LAPACKError) {
    precondition(
      matrix.count >= n * n && pivots.count >= n,
      "order \(n) with \(matrix.count) and \(pivots.count) elements")
    _ = singleThreadedBLAS
    var (order, leading) = (Int32(n), Int32(max(n, 1)))
    var info: Int32 = 0
    // LAPACK reads and writes n·n and n elements, which the precondition guarantees.
    unsafe matrix.withUnsafeMutableBufferPointer { a in
      unsafe pivots.withUnsafeMutableBufferPointer { p in
        unsafe dgetrf_(&order, &order, a.baseAddress, &leading, p.baseAddress, &info)
      }
    }
    guard info == 0 else { throw LAPACKError(routine: "dgetrf", info: Int(info)) }
  }
}
