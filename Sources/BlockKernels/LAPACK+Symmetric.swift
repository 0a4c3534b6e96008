internal import COpenBLAS

extension LAPACK {
  /// Replaces a symmetric positive definite matrix by its Cholesky factor, A = L Lᵀ.
  ///
  /// The corresponding LAPACK routine is `dpotrf`.
  ///
  /// - Parameters:
  ///   - matrix: A, column-major n×n, of which the lower triangle is read and replaced by L.
  ///   - n: The order of A.
  /// - Precondition: The span is large enough.
  /// - Throws: ``LAPACKError`` if A is not positive definite in the arithmetic of the machine.
  /// - Complexity: n³/3 flops.
  public static func factorize(
    _ matrix: inout MutableSpan<Double>, order n: Int
  ) throws(LAPACKError) {
    precondition(matrix.count >= n * n, "order \(n) with \(matrix.count) elements")
    _ = singleThreadedBLAS
    var (order, leading) = (Int32(n), Int32(max(n, 1)))
    var triangle = CChar(UInt8(ascii: "L"))
    var info: Int32 = 0
    // LAPACK reads and writes n·n elements, which the precondition guarantees.
    unsafe matrix.withUnsafeMutableBufferPointer { a in
      unsafe dpotrf_(&triangle, &order, a.baseAddress, &leading, &info)
    }
    guard info == 0 else { throw LAPACKError(routine: "dpotrf", info: Int(info)) }
  }

  /// Solves A X = B with a Cholesky factor.
  ///
  /// The corresponding LAPACK routine is `dpotrs`.
  ///
  /// - Parameters:
  ///   - factor: What ``factorize(_:order:)`` left, column-major n×n.
  ///   - n: The order of A.
  ///   - rightHandSides: B, column-major with n rows; becomes X.
  ///   - count: The columns of B.
  /// - Precondition: The spans are large enough.
  /// - Throws: ``LAPACKError`` if an argument is not admissible.
  public static func solve(
    factor: Span<Double>, order n: Int, rightHandSides: inout MutableSpan<Double>, count: Int
  ) throws(LAPACKError) {
    precondition(
      factor.count >= n * n && rightHandSides.count >= n * count,
      "order \(n) with \(factor.count) and \(rightHandSides.count) elements")
    _ = singleThreadedBLAS
    var (order, columns, leading) = (Int32(n), Int32(count), Int32(max(n, 1)))
    var triangle = CChar(UInt8(ascii: "L"))
    var info: Int32 = 0
    // LAPACK reads n·n and writes n·count elements, which the precondition guarantees.
    unsafe factor.withUnsafeBufferPointer { a in
      unsafe rightHandSides.withUnsafeMutableBufferPointer { b in
        unsafe dpotrs_(
          &triangle, &order, &columns, a.baseAddress, &leading, b.baseAddress, &leading, &info)
      }
    }
    guard info == 0 else { throw LAPACKError(routine: "dpotrs", info: Int(info)) }
  }

  /// Computes the eigenvalues and eigenvectors of a symmetric matrix, A = Q Λ Qᵀ.
  ///
  /// The corresponding LAPACK routine is `dsyevd`.
  ///
  /// - Parameters:
  ///   - matrix: A, column-major n×n, of which the lower triangle is read; becomes Q.
  ///   - n: The order of A.
  /// - Returns: The eigenvalues, ascending.
  /// - Precondition: The span is large enough, and n < 2¹⁵, so that the scratch can be counted.
  /// - Throws: ``LAPACKError`` if the iteration does not converge.
  public static func diagonalize(
    _ matrix: inout MutableSpan<Double>, order n: Int
  ) throws(LAPACKError) -> [Double] {
    precondition(
      matrix.count >= n * n && n < 1 << 15, "order \(n) with \(matrix.count) elements")
    guard n > 0 else { return [] }
    _ = singleThreadedBLAS
    var values = [Double](repeating: 0, count: n)
    var scratch = [Double](repeating: 0, count: 1 + 6 * n + 2 * n * n)
    var integers = [Int32](repeating: 0, count: 3 + 5 * n)
    var (job, triangle) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")))
    var (order, leading) = (Int32(n), Int32(max(n, 1)))
    var (length, integerLength) = (Int32(scratch.count), Int32(integers.count))
    var info: Int32 = 0
    // The scratch has the lengths that the routine asks for, the rest the precondition guarantees.
    unsafe matrix.withUnsafeMutableBufferPointer { a in
      unsafe dsyevd_(
        &job, &triangle, &order, a.baseAddress, &leading, &values, &scratch, &length, &integers,
        &integerLength, &info)
    }
    guard info == 0 else { throw LAPACKError(routine: "dsyevd", info: Int(info)) }
    return values
  }
}
