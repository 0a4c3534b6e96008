import BlockKernels
import KrylovMethods
import MessagePassing

/// A small matrix that every rank knows, of which each multiplies its own rows.
struct TestSystem {
  /// The matrix.
  let matrix: DenseMatrix
  /// The rows of every rank; with three or more ranks the second one has none.
  let counts: [Int]
  /// The rows of this rank.
  let rows: Range<Int>

  init(_ matrix: DenseMatrix, on ranks: borrowing Communicator) {
    self.matrix = matrix
    // Uneven: rank r has a share of r + 2, the second of three or more has nothing.
    let shares = (0..<ranks.size).map { $0 == 1 && ranks.size > 2 ? 0 : $0 + 2 }
    let whole = shares.reduce(0, +)
    var (starts, sum) = ([0], 0)
    for share in shares {
      sum += share
      starts.append(matrix.rows * sum / whole)
    }
    counts = zip(starts, starts.dropFirst()).map { $1 - $0 }
    rows = starts[ranks.rank]..<starts[ranks.rank + 1]
  }

  /// The number of unknowns.
  var order: Int { matrix.rows }

  /// An operator with a matrix of the same order, computed row by row in the order of its columns.
  func multiplication(by matrix: DenseMatrix) -> ClosureOperator {
    let (counts, rows, order) = (counts, rows, order)
    // The elements of this rank's rows that are not zero.
    var (places, values, ends): ([Int], [Double], [Int]) = ([], [], [])
    for row in rows {
      for column in 0..<order where matrix[row, column] != 0 {
        places.append(column)
        values.append(matrix[row, column])
      }
      ends.append(places.count)
    }
    let elements = (places: places, values: values, ends: ends)
    return ClosureOperator(rowCount: rows.count) { vectors, results, columns, ranks in
      for c in 0..<columns {
        let own = vectors.extracting(c * rows.count..<(c + 1) * rows.count)
        var whole = [Double](repeating: 0, count: order)
        var span = whole.mutableSpan
        try ranks.allGather(own, counts: counts, into: &span)
        var first = 0
        for row in 0..<rows.count {
          var sum = 0.0
          for k in first..<elements.ends[row] {
            sum += elements.values[k] * whole[elements.places[k]]
          }
          first = elements.ends[row]
          results[c * rows.count + row] = sum
        }
      }
    }
  }

  /// The operator of the system.
  var operation: ClosureOperator { multiplication(by: matrix) }

  /// The inverse of the diagonal.
  var jacobi: DenseMatrix {
    var result = DenseMatrix(rows: order, columns: order)
    for i in 0..<order { result[i, i] = 1 / matrix[i, i] }
    return result
  }

  /// The inverses of the diagonal blocks of a size, which ranks may share.
  func blockInverse(_ size: Int) throws -> DenseMatrix {
    var result = DenseMatrix(rows: order, columns: order)
    for start in stride(from: 0, to: order, by: size) {
      let range = start..<min(start + size, order)
      let inverse = try Self.solve(matrix.block(range, range), Self.identity(range.count))
      for i in range { for j in range { result[i, j] = inverse[i - start, j - start] } }
    }
    return result
  }

  /// The rows of this rank of a block of vectors of all rows.
  func local(_ whole: DenseMatrix) -> [Double] {
    (0..<whole.columns).flatMap { c in rows.map { whole[$0, c] } }
  }

  /// Puts the rows of all ranks together.
  func gather(_ local: [Double], on ranks: borrowing Communicator) throws -> DenseMatrix {
    let columns = rows.isEmpty ? 0 : local.count / rows.count
    let largest = try ranks.allReduce(.max, columns)
    var result = DenseMatrix(rows: order, columns: largest)
    for c in 0..<largest {
      var whole = [Double](repeating: 0, count: order)
      var span = whole.mutableSpan
      try ranks.allGather(
        local.span.extracting(c * rows.count..<(c + 1) * rows.count), counts: counts, into: &span)
      for i in 0..<order { result[i, c] = whole[i] }
    }
    return result
  }

  /// Right-hand sides that scripts in other languages can make too.
  func rightHandSides(_ columns: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: order, columns: columns)
    for c in 0..<columns {
      for i in 0..<order {
        result[i, c] = Double((i * 7919 + c * 104729) % 1009) / 504 - 1
      }
    }
    return result
  }

  // MARK: Matrices

  /// The identity.
  static func identity(_ order: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: order, columns: order)
    for i in 0..<order { result[i, i] = 1 }
    return result
  }

  /// Second differences on a line, with rows and columns scaled unevenly.
  static func line(_ n: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: n, columns: n)
    for i in 0..<n {
      result[i, i] = 2
      if i > 0 { (result[i, i - 1], result[i - 1, i]) = (-1, -1) }
    }
    return scaled(result)
  }

  /// Convection and diffusion on a grid by central differences, with rows and columns scaled unevenly.
  static func plane(_ n: Int, convection: (x: Double, y: Double) = (0, 0)) -> DenseMatrix {
    var result = DenseMatrix(rows: n * n, columns: n * n)
    for i in 0..<n {
      for j in 0..<n {
        let row = i * n + j
        result[row, row] = 4
        if i > 0 { result[row, row - n] = -(1 + convection.x) }
        if i < n - 1 { result[row, row + n] = -(1 - convection.x) }
        if j > 0 { result[row, row - 1] = -(1 + convection.y) }
        if j < n - 1 { result[row, row + 1] = -(1 - convection.y) }
      }
    }
    return scaled(result)
  }

  private static func scaled(_ matrix: DenseMatrix) -> DenseMatrix {
    var result = matrix
    for i in 0..<matrix.rows {
      for j in 0..<matrix.columns {
        result[i, j] *= (1 + Double(i % 7) / 4) * (1 + Double(j % 7) / 4)
      }
    }
    return result
  }

  /// Solves by LAPACK.
  static func solve(_ matrix: DenseMatrix, _ right: DenseMatrix) throws -> DenseMatrix {
    var result = right
    let n = matrix.rows
    for c in 0..<right.columns {
      var elements = matrix.elements
      var column = Array(right.elements[c * n..<(c + 1) * n])
      var pivots = [Int32](repeating: 0, count: n)
      var a = elements.mutableSpan
      var b = column.mutableSpan
      var p = pivots.mutableSpan
      try LAPACK.solve(&a, order: n, rightHandSide: &b, pivots: &p)
      for i in 0..<n { result[i, c] = column[i] }
    }
    return result
  }
}
