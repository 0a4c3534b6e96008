import BlockKernels

extension DenseMatrix {
  /// A run of rows and columns.
  func block(rows range: Range<Int>, columns: Range<Int>) -> DenseMatrix {
    var result: [Double] = []
    result.reserveCapacity(range.count * columns.count)
    for column in columns {
      let start = column * rows
      result += elements[start + range.lowerBound..<start + range.upperBound]
    }
    return DenseMatrix(rows: range.count, columns: columns.count, elements: result)
  }

  /// Some rows, in the given order.
  func rows(_ chosen: ArraySlice<Int>) -> DenseMatrix {
    var result: [Double] = []
    result.reserveCapacity(chosen.count * columns)
    for column in 0..<columns {
      for row in chosen { result.append(elements[column * rows + row]) }
    }
    return DenseMatrix(rows: chosen.count, columns: columns, elements: result)
  }

  /// Some columns, in the given order.
  func columns(_ chosen: [Int]) -> DenseMatrix {
    var result: [Double] = []
    result.reserveCapacity(chosen.count * rows)
    for column in chosen { result += elements[column * rows..<(column + 1) * rows] }
    return DenseMatrix(rows: rows, columns: chosen.count, elements: result)
  }

  /// The rows and columns in the order of two trees.
  func ordered(_ rowOrder: [Int], _ columnOrder: [Int]) -> DenseMatrix {
    rows(rowOrder[...]).columns(columnOrder)
  }

  /// The first columns.
  func leadingColumns(_ count: Int) -> DenseMatrix {
    DenseMatrix(rows: rows, columns: count, elements: Array(elements.prefix(count * rows)))
  }

  /// The Frobenius norm.
  var frobeniusNorm: Double { sumOfSquares(elements).squareRoot() }

  /// Checks that all numbers are finite, and that their squares can be added.
  func checkRange(_ name: String) throws(HierarchicalMatrixError) {
    var largest = 0.0
    for (place, element) in elements.enumerated() {
      guard element.isFinite else {
        throw HierarchicalMatrixError(
          .input,
          "the element in row \(place % rows), column \(place / rows) of \(name) is \(element)")
      }
      largest = max(largest, abs(element))
    }
    guard largest == 0 || (1e-120...1e120).contains(largest) else {
      throw HierarchicalMatrixError(
        .input,
        "the largest element of \(name) is \(largest): scale to sizes between 1e-120 and 1e120")
    }
  }
}

/// Adds squares in eight lanes, these in order.
func sumOfSquares(_ values: [Double]) -> Double {
  var lanes = SIMD8<Double>.zero
  var place = 0
  while place + 8 <= values.count {
    var some = SIMD8<Double>.zero
    for lane in 0..<8 { some[lane] = values[place + lane] }
    lanes += some * some
    place += 8
  }
  var rest = 0.0
  while place < values.count {
    rest += values[place] * values[place]
    place += 1
  }
  for lane in 0..<8 { rest += lanes[lane] }
  return rest
}

/// Turns a failure of LAPACK into an error of this module.
func factored<Result>(
  _ body: () throws(LAPACKError) -> Result
) throws(HierarchicalMatrixError) -> Result {
  do throws(LAPACKError) {
    return try body()
  } catch {
    throw HierarchicalMatrixError(.factorization, error.description)
  }
}
