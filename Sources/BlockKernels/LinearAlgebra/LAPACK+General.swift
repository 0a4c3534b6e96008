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

  /// Solves A X = B with factors that have pivots.
  ///
  /// The corresponding LAPACK routine is `dgetrs`.
  ///
  /// - Parameters:
  ///   - factors: What ``factorize(_:order:pivots:)`` left, column-major n×n.
  ///   - pivots: The n pivots.
  ///   - n: The order of A.
  ///   - rightHandSides: B, column-major with n rows; becomes X.
  ///   - count: The columns of B.
  /// - Precondition: The spans are large enough.
  /// - Throws: ``LAPACKError`` if an argument is not admissible.
  public static func solve(
    factors: Span<Double>, pivots: Span<Int32>, order n: Int,
    rightHandSides: inout MutableSpan<Double>, count: Int
  ) throws(LAPACKError) {
    precondition(
      factors.count >= n * n && pivots.count >= n && rightHandSides.count >= n * count,
      "order \(n) with \(factors.count), \(pivots.count) and \(rightHandSides.count) elements")
    _ = singleThreadedBLAS
    var (order, columns, leading) = (Int32(n), Int32(count), Int32(max(n, 1)))
    var plain = CChar(UInt8(ascii: "N"))
    var info: Int32 = 0
    // LAPACK reads n·n and n elements and writes n·count, which the precondition guarantees.
    unsafe factors.withUnsafeBufferPointer { a in
      unsafe pivots.withUnsafeBufferPointer { p in
        unsafe rightHandSides.withUnsafeMutableBufferPointer { b in
          unsafe dgetrs_(
            &plain, &order, &columns, a.baseAddress, &leading, p.baseAddress, b.baseAddress,
            &leading, &info)
        }
      }
    }
    guard info == 0 else { throw LAPACKError(routine: "dgetrs", info: Int(info)) }
  }
}

extension DenseMatrix {
  /// Computes the eigenvalues of a general matrix.
  ///
  /// The corresponding LAPACK routine is `dgeev`.
  ///
  /// - Returns: Real and imaginary parts; conjugate pairs stand side by side.
  /// - Throws: ``LAPACKError`` if the iteration does not converge.
  /// - Precondition: The matrix is square.
  public func eigenvalues() throws(LAPACKError) -> [(real: Double, imaginary: Double)] {
    precondition(rows == columns, "eigenvalues of a \(rows)×\(columns) matrix")
    guard rows > 0 else { return [] }
    _ = singleThreadedBLAS
    var a = elements
    var (n, one, info) = (Int32(rows), Int32(1), Int32(0))
    // LAPACK's documentation asks for 3·n; blocks want more.
    var size = Int32(66 * rows)
    var work = [Double](repeating: 0, count: Int(size))
    var real = [Double](repeating: 0, count: rows)
    var imaginary = real
    var (left, right) = (0.0, 0.0)
    // a has n·n elements, the values n, and the scratch what the routine asks for; vectors are not touched.
    unsafe dgeev_(
      "N", "N", &n, &a, &n, &real, &imaginary, &left, &one, &right, &one, &work, &size, &info)
    guard info == 0 else { throw LAPACKError(routine: "dgeev", info: Int(info)) }
    return zip(real, imaginary).map { ($0, $1) }
  }
}
