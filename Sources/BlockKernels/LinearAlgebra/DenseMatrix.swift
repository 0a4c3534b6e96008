/// A matrix of double precision for the work that precedes training; column-major.
public struct DenseMatrix: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The elements, one column behind the other.
  public var elements: [Double]

  /// Creates a matrix.
  ///
  /// - Parameters:
  ///   - rows: The number of rows.
  ///   - columns: The number of columns.
  ///   - elements: The elements, one column behind the other; zeros if nil.
  public init(rows: Int, columns: Int, elements: [Double]? = nil) {
    let elements = elements ?? [Double](repeating: 0, count: rows * columns)
    precondition(
      rows >= 0 && columns >= 0 && elements.count == rows * columns,
      "\(elements.count) elements of a \(rows)×\(columns) matrix")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// One element.
  ///
  /// - Parameters:
  ///   - row: Its row.
  ///   - column: Its column.
  public subscript(row: Int, column: Int) -> Double {
    get { elements[column * rows + row] }
    set { elements[column * rows + row] = newValue }
  }

  /// The transposed matrix.
  public var transposed: DenseMatrix {
    var result = DenseMatrix(rows: columns, columns: rows)
    for column in 0..<columns {
      for row in 0..<rows { result.elements[row * columns + column] = self[row, column] }
    }
    return result
  }

  /// Takes rows and columns out of the matrix.
  ///
  /// - Parameters:
  ///   - chosenRows: The rows.
  ///   - chosenColumns: The columns.
  /// - Returns: The matrix of them, in the given order.
  public func block(
    _ chosenRows: some Collection<Int>, _ chosenColumns: some Collection<Int>
  ) -> DenseMatrix {
    var result: [Double] = []
    result.reserveCapacity(chosenRows.count * chosenColumns.count)
    for column in chosenColumns {
      for row in chosenRows { result.append(elements[column * rows + row]) }
    }
    return DenseMatrix(
      rows: chosenRows.count, columns: chosenColumns.count, elements: result)
  }

  /// Multiplies, by the BLAS.
  ///
  /// - Parameters:
  ///   - other: The right factor.
  ///   - transposesLeft: Whether this matrix is transposed.
  ///   - transposesRight: Whether the other one is.
  /// - Returns: The product.
  public func times(
    _ other: DenseMatrix, transposesLeft: Bool = false, transposesRight: Bool = false
  ) -> DenseMatrix {
    var result = DenseMatrix(
      rows: transposesLeft ? columns : rows,
      columns: transposesRight ? other.rows : other.columns)
    result.add(
      self, times: other, transposesLeft: transposesLeft, transposesRight: transposesRight)
    return result
  }

  /// Adds a product, by the BLAS.
  ///
  /// - Parameters:
  ///   - left: The left factor.
  ///   - right: The right factor.
  ///   - transposesLeft: Whether the left factor is transposed.
  ///   - transposesRight: Whether the right one is.
  public mutating func add(
    _ left: DenseMatrix, times right: DenseMatrix, transposesLeft: Bool = false,
    transposesRight: Bool = false
  ) {
    let inner = transposesLeft ? left.rows : left.columns
    precondition(
      inner == (transposesRight ? right.columns : right.rows)
        && rows == (transposesLeft ? left.columns : left.rows)
        && columns == (transposesRight ? right.rows : right.columns),
      "\(left.rows)×\(left.columns) times \(right.rows)×\(right.columns) to \(rows)×\(columns)")
    guard rows > 0 && columns > 0 && inner > 0 else { return }
    let (m, n) = (rows, columns)
    var span = elements.mutableSpan
    BLAS.multiply(
      left.elements.span, transposed: transposesLeft, right.elements.span,
      transposedRight: transposesRight, ldb: right.rows, into: &span, ldc: m, m: m, n: n,
      k: inner, keep: 1)
  }
}
