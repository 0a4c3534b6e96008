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

  /// Computes the eigenvalues of a symmetric tridiagonal matrix.
  ///
  /// The corresponding LAPACK routine is `dsterf`.
  ///
  /// - Parameters:
  ///   - diagonal: The n elements of the diagonal; become the eigenvalues, ascending.
  ///   - offDiagonal: The n − 1 elements beside it; destroyed.
  /// - Precondition: The spans have these lengths.
  /// - Throws: ``LAPACKError`` if an element is not finite or the iteration does not converge.
  /// - Complexity: O(n²) operations, no allocation.
  public static func tridiagonalEigenvalues(
    diagonal: inout MutableSpan<Double>, offDiagonal: inout MutableSpan<Double>
  ) throws(LAPACKError) {
    precondition(
      offDiagonal.count == max(diagonal.count - 1, 0),
      "\(offDiagonal.count) elements beside a diagonal of \(diagonal.count)")
    guard diagonal.count > 0 else { return }
    _ = singleThreadedBLAS
    // The routine may not return for numbers that are not finite.
    for index in diagonal.indices {
      let isFinite =
        diagonal[index].isFinite && (index == 0 || offDiagonal[index - 1].isFinite)
      guard isFinite else { throw LAPACKError(routine: "dsterf", info: -2) }
    }
    var order = Int32(diagonal.count)
    var info: Int32 = 0
    // LAPACK reads and writes n and n − 1 elements, which the precondition guarantees.
    unsafe diagonal.withUnsafeMutableBufferPointer { d in
      unsafe offDiagonal.withUnsafeMutableBufferPointer { e in
        unsafe dsterf_(&order, d.baseAddress, e.baseAddress, &info)
      }
    }
    guard info == 0 else { throw LAPACKError(routine: "dsterf", info: Int(info)) }
  }
}
