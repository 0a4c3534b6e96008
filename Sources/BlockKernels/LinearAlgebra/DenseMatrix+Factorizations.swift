internal import COpenBLAS

extension DenseMatrix {
  /// A factorization A P = Q R with column pivoting, without Q.
  public struct PivotedTriangle: Sendable {
    /// R, upper triangular, min(rows, columns) × columns.
    public let triangle: DenseMatrix
    /// The column of A that stands at each place.
    public let pivots: [Int]
  }

  /// A = U Σ Vᵀ with min(rows, columns) singular values.
  public struct SingularValues: Sendable {
    /// U, its columns orthonormal.
    public let left: DenseMatrix
    /// The diagonal of Σ, descending.
    public let values: [Double]
    /// Vᵀ, its rows orthonormal.
    public let rightTransposed: DenseMatrix
  }

  /// Factorizes with column pivoting.
  ///
  /// The corresponding LAPACK routine is `dgeqp3`.
  ///
  /// - Returns: The triangle and the pivots.
  /// - Throws: ``LAPACKError`` if the routine fails.
  public func pivotedTriangle() throws(LAPACKError) -> PivotedTriangle {
    var a = elements
    var pivots = [Int32](repeating: 0, count: columns)
    guard rows > 0 && columns > 0 else {
      return PivotedTriangle(
        triangle: DenseMatrix(rows: 0, columns: columns), pivots: Array(0..<columns))
    }
    _ = singleThreadedBLAS
    var (m, n, info) = (Int32(rows), Int32(columns), Int32(0))
    // At least the recommended size, with blocks of 32 columns.
    var size = Int32(2 * columns + (columns + 1) * 32)
    var tau = [Double](repeating: 0, count: min(rows, columns))
    var work = [Double](repeating: 0, count: Int(size))
    // a has m·n elements, pivots n, tau min(m, n), and work as many as its size says.
    unsafe dgeqp3_(&m, &n, &a, &m, &pivots, &tau, &work, &size, &info)
    guard info == 0 else { throw LAPACKError(routine: "dgeqp3", info: Int(info)) }
    return PivotedTriangle(
      triangle: Self.upperTriangle(a, rows, columns), pivots: pivots.map { Int($0) - 1 })
  }

  /// Factorizes A = Q R and drops Q.
  ///
  /// The corresponding LAPACK routine is `dgeqrf`.
  ///
  /// - Returns: R, min(rows, columns) × columns.
  /// - Throws: ``LAPACKError`` if the routine fails.
  public func triangle() throws(LAPACKError) -> DenseMatrix {
    guard rows > 0 && columns > 0 else { return DenseMatrix(rows: 0, columns: columns) }
    _ = singleThreadedBLAS
    var a = elements
    var (m, n, info, size) = (Int32(rows), Int32(columns), Int32(0), Int32(columns * 32))
    var tau = [Double](repeating: 0, count: min(rows, columns))
    var work = [Double](repeating: 0, count: Int(size))
    // a has m·n elements, tau min(m, n), and work as many as its size says.
    unsafe dgeqrf_(&m, &n, &a, &m, &tau, &work, &size, &info)
    guard info == 0 else { throw LAPACKError(routine: "dgeqrf", info: Int(info)) }
    return Self.upperTriangle(a, rows, columns)
  }

  /// Computes the inverse by LU with partial pivoting.
  ///
  /// The corresponding LAPACK routine is `dgesv`.
  ///
  /// - Returns: A⁻¹.
  /// - Throws: ``LAPACKError`` if A is singular.
  /// - Precondition: The matrix is square.
  package func inverse() throws(LAPACKError) -> DenseMatrix {
    precondition(rows == columns, "the inverse of a \(rows)×\(columns) matrix")
    var result = DenseMatrix.identity(rows)
    guard rows > 0 else { return result }
    _ = singleThreadedBLAS
    var a = elements
    var (n, info) = (Int32(rows), Int32(0))
    var pivots = [Int32](repeating: 0, count: rows)
    var right = n
    // a and the result have n·n elements, pivots n.
    unsafe dgesv_(&n, &right, &a, &n, &pivots, &result.elements, &n, &info)
    guard info == 0 else { throw LAPACKError(routine: "dgesv", info: Int(info)) }
    return result
  }

  private static func upperTriangle(_ a: [Double], _ rows: Int, _ columns: Int) -> DenseMatrix {
    let count = min(rows, columns)
    var result = DenseMatrix(rows: count, columns: columns)
    for column in 0..<columns {
      for row in 0..<min(column + 1, count) { result[row, column] = a[column * rows + row] }
    }
    return result
  }

  /// Computes singular values and vectors.
  ///
  /// The corresponding LAPACK routine is `dgesdd`.
  ///
  /// - Returns: U, Σ and Vᵀ.
  /// - Throws: ``LAPACKError`` if the iteration does not converge.
  public func singularValueDecomposition() throws(LAPACKError) -> SingularValues {
    let count = min(rows, columns)
    var left = DenseMatrix(rows: rows, columns: count)
    var right = DenseMatrix(rows: count, columns: columns)
    var values = [Double](repeating: 0, count: count)
    guard count > 0 else {
      return SingularValues(left: left, values: values, rightTransposed: right)
    }
    _ = singleThreadedBLAS
    var a = elements
    var (m, n, k, info) = (Int32(rows), Int32(columns), Int32(count), Int32(0))
    // LAPACK's documentation asks for 4·k² + 7·k beside the larger dimension; blocks want more.
    var size = Int32(4 * count * count + 7 * count + 64 * (rows + columns))
    var work = [Double](repeating: 0, count: Int(size))
    var integers = [Int32](repeating: 0, count: 8 * count)
    // a has m·n elements, the vectors m·k and k·n, and the scratch what the routine asks for.
    unsafe dgesdd_(
      "S", &m, &n, &a, &m, &values, &left.elements, &m, &right.elements, &k, &work, &size,
      &integers, &info)
    guard info == 0 else { throw LAPACKError(routine: "dgesdd", info: Int(info)) }
    return SingularValues(left: left, values: values, rightTransposed: right)
  }

  /// Computes singular values alone.
  ///
  /// The corresponding LAPACK routine is `dgesdd`.
  ///
  /// - Returns: The min(rows, columns) values, descending.
  /// - Throws: ``LAPACKError`` if the iteration does not converge.
  public func singularValues() throws(LAPACKError) -> [Double] {
    let count = min(rows, columns)
    var values = [Double](repeating: 0, count: count)
    guard count > 0 else { return values }
    _ = singleThreadedBLAS
    var a = elements
    var (m, n, one, info) = (Int32(rows), Int32(columns), Int32(1), Int32(0))
    // LAPACK's documentation asks for 7·k beside the larger dimension; blocks want more.
    var size = Int32(7 * count + 64 * (rows + columns))
    var work = [Double](repeating: 0, count: Int(size))
    var integers = [Int32](repeating: 0, count: 8 * count)
    var (left, right) = (0.0, 0.0)
    // a has m·n elements and the scratch what the routine asks for; vectors are not touched.
    unsafe dgesdd_(
      "N", &m, &n, &a, &m, &values, &left, &one, &right, &one, &work, &size, &integers, &info)
    guard info == 0 else { throw LAPACKError(routine: "dgesdd", info: Int(info)) }
    return values
  }

  /// Computes the eigenvalues, ascending, and the eigenvectors of a symmetric matrix.
  ///
  /// The corresponding LAPACK routine is `dsyevd`, which reads the lower triangle.
  ///
  /// - Returns: The values, and the vectors as columns.
  /// - Throws: ``LAPACKError`` if the iteration does not converge.
  /// - Precondition: The matrix is square.
  public func symmetricEigenvectors() throws(LAPACKError) -> (
    values: [Double], vectors: DenseMatrix
  ) {
    precondition(rows == columns, "eigenvalues of a \(rows)×\(columns) matrix")
    var vectors = self
    var span = vectors.elements.mutableSpan
    let values = try LAPACK.diagonalize(&span, order: rows)
    return (values, vectors)
  }
}
