internal import COpenBLAS

/// A failure of a LAPACK routine.
public struct LAPACKError: Error, Equatable, CustomStringConvertible {
  /// The routine.
  public let routine: String
  /// Its `info`: a positive one is the number of the pivot or minor at fault, or counts what did not converge.
  public let info: Int

  /// What went wrong, in words.
  public var description: String {
    guard info > 0 else { return "\(routine): argument \(-info) is not admissible" }
    switch routine {
    case "dpotrf": return "\(routine): the matrix is not positive definite (minor \(info))"
    case "dsyevr": return "\(routine): internal error \(info)"
    case "dsyevd", "dsterf": return "\(routine): \(info) eigenvalues did not converge"
    default: return "\(routine): the matrix is singular (pivot \(info) is zero)"
    }
  }
}

/// The LAPACK routines that the program uses.
public enum LAPACK {
  /// Solves A x = b by LU with partial pivoting.
  ///
  /// The corresponding LAPACK routine is `dgesv`.
  ///
  /// - Parameters:
  ///   - matrix: A, column-major n×n; overwritten by its factors.
  ///   - n: The order of A.
  ///   - rightHandSide: b; becomes x.
  ///   - pivots: Scratch of n elements.
  /// - Precondition: The spans are large enough.
  /// - Throws: ``LAPACKError`` if A is singular.
  public static func solve(
    _ matrix: inout MutableSpan<Double>, order n: Int,
    rightHandSide: inout MutableSpan<Double>, pivots: inout MutableSpan<Int32>
  ) throws(LAPACKError) {
    precondition(
      matrix.count >= n * n && rightHandSide.count >= n && pivots.count >= n,
      "order \(n) with \(matrix.count), \(rightHandSide.count), \(pivots.count) elements")
    _ = singleThreadedBLAS
    var order = Int32(n)
    var columns: Int32 = 1
    var info: Int32 = 0
    // LAPACK reads and writes n·n, n and n elements, which the precondition guarantees.
    unsafe matrix.withUnsafeMutableBufferPointer { a in
      unsafe rightHandSide.withUnsafeMutableBufferPointer { b in
        unsafe pivots.withUnsafeMutableBufferPointer { p in
          var leading = max(order, 1)
          unsafe dgesv_(
            &order, &columns, a.baseAddress, &leading, p.baseAddress, b.baseAddress, &leading,
            &info)
        }
      }
    }
    guard info == 0 else { throw LAPACKError(routine: "dgesv", info: Int(info)) }
  }
}
