import BlockKernels

/// A field of some samples minus a mean, `[sample][point]`: a column-major points × samples matrix.
struct CentredField {
  /// What was subtracted, by point.
  let mean: [Double]
  /// The number of samples.
  package let count: Int
  /// The differences.
  let values: AlignedBuffer<Double>

  /// Takes samples of a field.
  ///
  /// - Parameters:
  ///   - field: The field, `[sample][point]`.
  ///   - width: The number of points.
  ///   - samples: The samples to take.
  ///   - mean: What to subtract; nil for the mean of these samples, summed in their order.
  init(_ field: [Double], width: Int, _ samples: Range<Int>, mean: [Double]? = nil) {
    let mean = mean ?? Self.mean(field, width: width, samples)
    let values = AlignedBuffer<Double>(repeating: 0, count: width * samples.count)
    let start = samples.lowerBound * width
    var span = values.mutableSpan
    for sample in 0..<samples.count {
      let first = sample * width
      for point in 0..<width { span[first + point] = field[start + first + point] - mean[point] }
    }
    self.mean = mean
    self.values = values
    count = samples.count
  }

  /// Returns the point-wise mean of samples.
  static func mean(_ field: [Double], width: Int, _ samples: Range<Int>) -> [Double] {
    var sums = [Double](repeating: 0, count: width)
    for sample in samples {
      for point in 0..<width { sums[point] += field[sample * width + point] }
    }
    return sums.map { $0 / Double(max(samples.count, 1)) }
  }

  /// The matrix in a product.
  func factor(transposed: Bool = false) -> DenseFactor {
    DenseFactor(values, rows: mean.count, columns: count, isTransposed: transposed)
  }

  /// The transpose, samples × points column-major.
  func transposed() -> AlignedBuffer<Double> {
    let (rows, values) = (mean.count, values)
    let result = AlignedBuffer<Double>(repeating: 0, count: values.count)
    let span = values.span
    var target = result.mutableSpan
    for row in 0..<rows {
      for column in 0..<count { target[row * count + column] = span[column * rows + row] }
    }
    return result
  }
}
