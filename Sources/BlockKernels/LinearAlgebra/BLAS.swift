internal import COpenBLAS

/// A matrix of a large product in double precision, column-major, as it stands or transposed.
public struct DenseFactor {
  /// The storage.
  public let values: AlignedBuffer<Double>
  /// The rows of the matrix in the storage.
  public let rows: Int
  /// The columns of the matrix in the storage.
  public let columns: Int
  /// Whether the product takes the transpose.
  public let isTransposed: Bool

  /// Describes a matrix.
  ///
  /// - Parameters:
  ///   - values: The storage.
  ///   - rows: The rows of the matrix in the storage.
  ///   - columns: The columns of the matrix in the storage.
  ///   - isTransposed: Whether the product takes the transpose.
  /// - Precondition: The storage is large enough.
  public init(
    _ values: AlignedBuffer<Double>, rows: Int, columns: Int, isTransposed: Bool = false
  ) {
    precondition(
      rows >= 0 && columns >= 0 && values.count >= rows * columns,
      "\(rows)×\(columns) matrix in \(values.count) elements")
    self.values = values
    self.rows = rows
    self.columns = columns
    self.isTransposed = isTransposed
  }

  /// The rows and columns that the product sees.
  var shape: (rows: Int, columns: Int) { isTransposed ? (columns, rows) : (rows, columns) }
}

/// Large products of dense matrices in double precision, column-major.
public enum BLAS {
  /// Computes C ← A B.
  ///
  /// The corresponding BLAS routine is `dgemm`.
  ///
  /// - Parameters:
  ///   - a: A.
  ///   - b: B.
  ///   - c: C, replaced; not the storage of A or B.
  /// - Precondition: The shapes fit.
  public static func multiply(_ a: DenseFactor, _ b: DenseFactor, into c: AlignedBuffer<Double>) {
    let (m, k, n) = (a.shape.rows, a.shape.columns, b.shape.columns)
    precondition(
      b.shape.rows == k && c.count >= m * n,
      "product of \(a.shape) and \(b.shape) matrices into \(c.count) elements")
    guard k > 0 && m > 0 && n > 0 else { return c.fill(0) }
    let (left, right) = (a.values, b.values)
    var span = c.mutableSpan
    multiply(
      left.span, transposed: a.isTransposed, right.span, transposedRight: b.isTransposed,
      ldb: b.rows, into: &span, ldc: m, m: m, n: n, k: k)
  }

  /// Computes C ← s A B + t C, where A and B may be transposed; all matrices are column-major.
  ///
  /// The corresponding BLAS routine is `dgemm`.
  ///
  /// - Parameters:
  ///   - a: A, m×k, or k×m if it is transposed, without space between its columns.
  ///   - transposed: Whether A is transposed.
  ///   - b: B, k×n, or n×k if it is transposed.
  ///   - transposedRight: Whether B is transposed.
  ///   - ldb: The distance of the columns of B.
  ///   - c: C, m×n.
  ///   - ldc: The distance of the columns of C.
  ///   - m: The rows of C.
  ///   - n: The columns of C.
  ///   - k: The length of the sums.
  ///   - scale: s.
  ///   - keep: t.
  ///   - cStart: The place of the first element of C in its span.
  /// - Precondition: The matrices lie in their spans.
  public static func multiply(
    _ a: Span<Double>, transposed: Bool, _ b: Span<Double>, transposedRight: Bool = false,
    ldb: Int, into c: inout MutableSpan<Double>, ldc: Int, m: Int, n: Int, k: Int,
    scale: Double = 1, keep: Double = 0, cStart: Int = 0
  ) {
    let (rows, columns) = transposedRight ? (n, k) : (k, n)
    precondition(
      m >= 1 && n >= 1 && k >= 1 && a.count >= m * k && ldb >= rows && ldc >= m
        && b.count >= (columns - 1) * ldb + rows && cStart >= 0
        && c.count >= cStart + (n - 1) * ldc + m,
      "a matrix of the product does not lie inside its storage")
    _ = singleThreadedBLAS
    // The precondition says that all matrices lie in their spans.
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe cblas_dgemm(
            CblasColMajor, transposed ? CblasTrans : CblasNoTrans,
            transposedRight ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), scale,
            a.baseAddress, Int32(transposed ? k : m), b.baseAddress, Int32(ldb), keep,
            c.baseAddress.map { unsafe $0 + cStart }, Int32(ldc))
        }
      }
    }
  }

  /// Computes the lower triangle of the symmetric C ← A Aᵀ; the rest of C stays as it is.
  ///
  /// The corresponding BLAS routine is `dsyrk`.
  ///
  /// - Parameters:
  ///   - a: A.
  ///   - c: C, replaced; not the storage of A.
  /// - Precondition: The shapes fit.
  public static func multiplyByTranspose(_ a: DenseFactor, into c: AlignedBuffer<Double>) {
    let (n, k) = a.shape
    precondition(c.count >= n * n, "Gram matrix of order \(n) into \(c.count) elements")
    guard n > 0 && k > 0 else { return c.fill(0) }
    _ = singleThreadedBLAS
    let values = a.values
    let span = values.span
    var cSpan = c.mutableSpan
    unsafe span.withUnsafeBufferPointer { x in
      unsafe cSpan.withUnsafeMutableBufferPointer { z in
        // The matrices lie inside of their storage, as checked above and at their creation.
        unsafe cblas_dsyrk(
          CblasColMajor, CblasLower, a.isTransposed ? CblasTrans : CblasNoTrans, Int32(n),
          Int32(k), 1, x.baseAddress, Int32(a.rows), 0, z.baseAddress, Int32(n))
      }
    }
  }
}
