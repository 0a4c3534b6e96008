internal import COpenBLAS

extension BLAS {
  /// Computes C ← s A B + t C or C ← s Aᵀ B + t C, all matrices column-major.
  ///
  /// The corresponding BLAS routine is `dgemm`.
  ///
  /// - Parameters:
  ///   - a: A, m×k, or k×m if it is transposed, without space between its columns.
  ///   - transposed: Whether A is transposed.
  ///   - b: B, k×n.
  ///   - ldb: The distance of the columns of B.
  ///   - c: C, m×n.
  ///   - ldc: The distance of the columns of C.
  ///   - m: The rows of C.
  ///   - n: The columns of C.
  ///   - k: The length of the sums.
  ///   - scale: s.
  ///   - keep: t.
  /// - Precondition: The matrices lie in their spans.
  public static func multiply(
    _ a: Span<Double>, transposed: Bool, _ b: Span<Double>, ldb: Int,
    into c: inout MutableSpan<Double>, ldc: Int, m: Int, n: Int, k: Int, scale: Double = 1,
    keep: Double = 0
  ) {
    precondition(
      m >= 1 && n >= 1 && k >= 1 && a.count >= m * k && ldb >= k && ldc >= m
        && b.count >= (n - 1) * ldb + k && c.count >= (n - 1) * ldc + m,
      "a matrix of the product does not lie inside its storage")
    _ = singleThreadedBLAS
    // The precondition says that all matrices lie in their spans.
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe cblas_dgemm(
            CblasColMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, Int32(m),
            Int32(n), Int32(k), scale, a.baseAddress, Int32(transposed ? k : m), b.baseAddress,
            Int32(ldb), keep, c.baseAddress, Int32(ldc))
        }
      }
    }
  }
}
