import SpecialFunctions

/// A kernel of the distances of points on a uniform grid, exp(−f(d/ℓ)).
///
/// The points stand at i/(n − 1), n the longest side. The exponentials have the same bits on every processor.
struct GridKernel {
  private let shape: [Int]
  /// The values for each difference of indices, in the order of the points.
  private let values: [Double]

  /// Computes the values.
  ///
  /// - Parameters:
  ///   - shape: The points in each dimension.
  ///   - length: ℓ.
  ///   - exponent: f, of numbers that are not negative and may be infinite.
  init(_ shape: [Int], length: Double, exponent: (Double) -> Double) {
    self.shape = shape
    let longest = shape.max() ?? 1
    let h = longest > 1 ? 1 / Double(longest - 1) : 0
    var exponents: [Double] = []
    var differences = [Int](repeating: 0, count: shape.count)
    for _ in 0..<shape.reduce(1, *) {
      let square = differences.reduce(0.0) { $0 + Double($1) * Double($1) }
      // Beyond 800 the exponential is zero, and the lanes would not know it.
      exponents.append(min(exponent(square.squareRoot() * h / length), 800))
      for axis in shape.indices.reversed() {
        differences[axis] += 1
        if differences[axis] < shape[axis] { break }
        differences[axis] = 0
      }
    }
    var values: [Double] = []
    for start in stride(from: 0, to: exponents.count, by: 8) {
      let count = min(8, exponents.count - start)
      var lanes = VectorFunctions.Lanes()
      for lane in 0..<count { lanes[lane] = exponents[start + lane] }
      let results = VectorFunctions.exponentialOfNegative(lanes)
      for lane in 0..<count { values.append(results[lane]) }
    }
    self.values = values
  }

  /// Builds the matrix of all pairs.
  ///
  /// - Parameter nugget: What is added to the diagonal.
  /// - Returns: The matrix, all entries stored.
  func matrix(nugget: Double) -> SparseMatrix {
    let count = values.count
    var builder = RowBuilder(rowCount: count, entryCount: count * count)
    // Grids of fewer dimensions have one point in the others.
    let sizes = [Int](repeating: 1, count: 3 - shape.count) + shape
    for row in 0..<count {
      let (i, j, k) = (row / (sizes[1] * sizes[2]), row / sizes[2] % sizes[1], row % sizes[2])
      var column: Int32 = 0
      for otherI in 0..<sizes[0] {
        for otherJ in 0..<sizes[1] {
          let start = (abs(i - otherI) * sizes[1] + abs(j - otherJ)) * sizes[2]
          for otherK in 0..<sizes[2] {
            let value = values[start + abs(k - otherK)]
            builder.append(Int(column) == row ? value + nugget : value, at: column)
            column += 1
          }
        }
      }
      builder.endRow()
    }
    return builder.finish(columnCount: count)
  }
}
