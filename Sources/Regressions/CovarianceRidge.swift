package import BlockKernels
package import Datasets
package import MessagePassing

/// Linear least squares with a penalty: min Σ w ‖y − M x − b‖² + λ ‖M‖², by the eigenvalues of the inputs'
/// covariance.
///
/// Sums run in double precision in blocks of samples, in their order.
package struct CovarianceRidge {
  package let meanInput: [Double]
  package let meanOutput: [Double]
  /// A factor Q of the covariance of the inputs, without what is rounding.
  package let spread: DenseMatrix
  private let vectors: DenseMatrix
  private let values: [Double]
  /// Vᵀ Xᵀ Y, components × outputs.
  private let projected: DenseMatrix

  /// Sums over samples.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - training: Which of them.
  ///   - isWeighted: Whether a sample counts by 1/‖u‖², as in the relative loss.
  /// - Throws: `LAPACKError` if there are no eigenvalues, an `ExitStatusError` if samples cannot be read.
  package init(_ samples: FieldSamples, _ training: Range<Int>, isWeighted: Bool) throws {
    func weight(_ norm: Double) -> Double { isWeighted ? 1 / (norm * norm) : 1 }
    var (x, y, total): ([Double], [Double], Double) = ([], [], 0)
    try samples.visit(training) { inputs, outputs, norms in
      if x.isEmpty {
        x = [Double](repeating: 0, count: inputs[0].count)
        y = [Double](repeating: 0, count: outputs[0].count)
      }
      for row in norms.indices {
        let w = weight(norms[row])
        for place in x.indices { x[place] += w * inputs[row][place] }
        for place in y.indices { y[place] += w * outputs[row][place] }
        total += w
      }
    }
    let (meanInput, meanOutput) = (x.map { $0 / total }, y.map { $0 / total })
    var covariance = DenseMatrix(rows: x.count, columns: x.count)
    var mixed = DenseMatrix(rows: x.count, columns: y.count)
    try samples.visit(training) { inputs, outputs, norms in
      // Samples are columns; the weights have the mean one.
      func matrix(_ fields: [[Double]], _ mean: [Double]) -> DenseMatrix {
        DenseMatrix(
          rows: mean.count, columns: fields.count,
          elements: zip(fields, norms).flatMap { field, norm in
            let root = (weight(norm) / total).squareRoot()
            return zip(field, mean).map { ($0 - $1) * root }
          })
      }
      let (a, b) = (matrix(inputs, meanInput), matrix(outputs, meanOutput))
      covariance.add(a, times: a, transposesRight: true)
      mixed.add(a, times: b, transposesRight: true)
    }
    (self.meanInput, self.meanOutput) = (meanInput, meanOutput)
    let (values, vectors) = try covariance.symmetricEigenvectors()
    (self.values, self.vectors) = (values, vectors)
    projected = vectors.times(mixed, transposesLeft: true)
    let largest = max(values.last ?? 0, 0)
    // A covariance of n points summed in double precision, and its eigenvalues, are off by n ε λ₁ or so (Golub and
    // Van Loan, Matrix Computations, section 8.1).
    let rounding = Double(x.count) * Double.ulpOfOne * largest
    let kept = values.indices.filter { values[$0] > rounding }
    var spread = vectors.block(0..<vectors.rows, kept)
    for (column, index) in kept.enumerated() {
      let root = values[index].squareRoot()
      for row in 0..<spread.rows { spread[row, column] *= root }
    }
    self.spread = spread
  }

  /// Returns M, outputs × inputs.
  ///
  /// - Parameter lambda: λ in multiples of the largest eigenvalue.
  /// - Returns: The matrix.
  /// - Throws: `RunError` (65) if all inputs are equal.
  package func matrix(_ lambda: Double) throws(RunError) -> DenseMatrix {
    guard let largest = values.last, largest > 0 else {
      throw .data("all training inputs are equal: no linear start is possible")
    }
    var scaled = projected
    for column in 0..<scaled.columns {
      for row in 0..<scaled.rows {
        scaled[row, column] /= max(values[row], 0) + lambda * largest
      }
    }
    return scaled.times(vectors, transposesLeft: true, transposesRight: true)
  }
}
