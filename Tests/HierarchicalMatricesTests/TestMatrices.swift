import BlockKernels
import Foundation

/// The matrices that the tests compress.
enum TestMatrices {
  /// A matrix by its elements.
  static func matrix(
    _ rows: Int, _ columns: Int, _ element: (Int, Int) -> Double
  ) -> DenseMatrix {
    var result = DenseMatrix(rows: rows, columns: columns)
    for column in 0..<columns {
      for row in 0..<rows { result.elements[column * rows + row] = element(row, column) }
    }
    return result
  }

  /// A kernel of the distance of points (i + ½)/n, with a value for the diagonal.
  static func kernel(
    _ count: Int, diagonal: Double? = nil, _ value: (Double) -> Double
  ) -> DenseMatrix {
    matrix(count, count) { row, column in
      if row == column, let diagonal { return diagonal }
      return value(abs(Double(row - column)) / Double(count))
    }
  }

  /// log |x − y|, log(1/n) on the diagonal.
  static func logarithm(_ count: Int) -> DenseMatrix {
    kernel(count, diagonal: log(1 / Double(count))) { log($0) }
  }

  /// 1/((i + ½) − (j + 1)).
  static func cauchy(_ count: Int) -> DenseMatrix {
    matrix(count, count) { 1 / (Double($0) + 0.5 - Double($1 + 1)) }
  }

  /// 1/(i + j + 1).
  static func hilbert(_ rows: Int, _ columns: Int) -> DenseMatrix {
    matrix(rows, columns) { 1 / Double($0 + $1 + 1) }
  }

  /// Standard normal numbers.
  static func normal(_ rows: Int, _ columns: Int, seed: Int64) -> DenseMatrix {
    var stream = RandomStream(seed: seed, purpose: 7, index: 0)
    return DenseMatrix(
      rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in stream.normal() })
  }

  /// A random order.
  static func permutation(_ count: Int, seed: Int64) -> [Int] {
    var stream = RandomStream(seed: seed, purpose: 8, index: 0)
    return (0..<count).shuffled(using: &stream)
  }

  /// Rows and columns in other orders.
  static func shuffled(_ a: DenseMatrix, seed: Int64) -> DenseMatrix {
    a.block(permutation(a.rows, seed: seed), permutation(a.columns, seed: seed + 1))
  }
}

/// The square root of the sum of squares.
func frobeniusNorm(_ a: DenseMatrix) -> Double {
  a.elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
}

/// The norm of a difference.
func distance(_ a: DenseMatrix, _ b: DenseMatrix) -> Double {
  zip(a.elements, b.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
}
