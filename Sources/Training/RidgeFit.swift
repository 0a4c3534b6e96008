import BlockKernels
import ClusterTrees
import ParallelHDF5

/// Normalized samples, read by one rank whatever part of the points it holds.
struct FieldSamples {
  private let source: SampleSource
  private let normalization: Normalization
  private let reader: SampleReader?

  /// The samples that are read together.
  private static let blockSize = 512

  init(_ source: SampleSource, _ normalization: Normalization) throws {
    self.source = source
    self.normalization = normalization
    let isWhole = source.inputColumns == nil && source.outputColumns == nil
    guard isWhole || !source.file.layout.samplesLast else {
      throw TrainingError.usage(
        "--initialize ridge reads samples that are the last dimension on one tree rank only: "
          + "use --grid Px1")
    }
    reader = isWhole ? nil : try SampleReader(source.file, (nil, nil), needsOutputs: true)
  }

  /// Visits samples in blocks: normalized inputs and outputs, and ‖u‖.
  ///
  /// The blocks do not depend on where the samples come from.
  func visit(
    _ samples: Range<Int>,
    _ body: (_ inputs: [[Double]], _ outputs: [[Double]], _ norms: [Double]) throws -> Void
  ) throws {
    let (inputs, outputs) = (source.file.points.count, source.file.outputCount)
    for first in stride(from: samples.lowerBound, to: samples.upperBound, by: Self.blockSize) {
      let part = Array(first..<min(first + Self.blockSize, samples.upperBound))
      let block =
        try reader.map { SampleSource.Block(data: try $0.read(part), rows: Array(part.indices)) }
        ?? source.block(part)
      let (data, rows) = (block.data, block.rows)
      var (x, y, norms): ([[Double]], [[Double]], [Double]) = ([], [], [])
      for row in rows {
        let u = data.outputs[row * outputs..<(row + 1) * outputs]
        x.append(
          zip(data.inputs[row * inputs..<(row + 1) * inputs], normalization.inputShift).map {
            ($0 - $1) / normalization.inputScale
          })
        y.append(
          zip(u, normalization.outputShift).map { ($0 - $1) / normalization.outputScale })
        norms.append(u.reduce(0) { $0 + $1 * $1 }.squareRoot())
      }
      try body(x, y, norms)
    }
  }

  /// Reads a number that stands beside the fields of a file.
  static func attribute(_ name: String, of path: String) throws -> Double? {
    try HDF5File.open(path).attributeIfPresent(name, as: Double.self)
  }

  /// Reads the name of the problem that a file was generated for; nil if it says none.
  static func problem(of path: String) throws -> String? {
    try HDF5File.open(path).attributeIfPresent("problem", as: String.self)
  }
}

/// Linear least squares with a penalty: min Σ w ‖y − M x − b‖² + λ ‖M‖², by the eigenvalues of the inputs'
/// covariance.
///
/// Sums run in double precision in blocks of samples, in their order.
struct RidgeFit {
  let meanInput: [Double]
  let meanOutput: [Double]
  /// A factor Q of the covariance of the inputs, without what is rounding.
  let spread: DenseMatrix
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
  init(_ samples: FieldSamples, _ training: Range<Int>, isWeighted: Bool) throws {
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
  /// - Throws: ``TrainingError`` (65) if all inputs are equal.
  func matrix(_ lambda: Double) throws(TrainingError) -> DenseMatrix {
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
