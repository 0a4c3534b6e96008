import BlockKernels
import Datasets
import MessagePassing

/// A regression that is linear in its features: û(x) = ū + Aᵀ φ(x − x̄).
struct RegressionModel {
  /// What φ is.
  enum Features {
    /// Nothing: û is the mean.
    case none
    /// The input itself.
    case inputs
    /// The kernel between the input and given ones, with the squares of their norms.
    case kernel(RegressionKernel, CentredField, [Double])
  }

  let features: Features
  /// x̄ and ū, by point.
  let inputMean: [Double]
  let outputMean: [Double]
  /// A, `[point][feature]`: a column-major features × points matrix.
  let coefficients: AlignedBuffer<Double>

  /// The number of features.
  private var count: Int {
    switch features {
    case .none: 0
    case .inputs: inputMean.count
    case .kernel(_, let points, _): points.count
    }
  }

  /// The samples that are predicted together, on any number of ranks.
  static let blockSize = 256

  /// Predicts the outputs of samples, `[sample][point]`.
  ///
  /// - Parameters:
  ///   - data: The dataset.
  ///   - samples: The samples, at most a block.
  /// - Returns: The outputs.
  func predict(_ data: Dataset, _ samples: Range<Int>) -> [Double] {
    let width = outputMean.count
    let result = AlignedBuffer<Double>(repeating: 0, count: width * samples.count)
    let weights = DenseFactor(coefficients, rows: count, columns: width, isTransposed: true)
    let inputs = CentredField(
      data.inputs, width: inputMean.count, samples, mean: inputMean)
    switch features {
    case .none: break
    case .inputs: BLAS.multiply(weights, inputs.factor(), into: result)
    case .kernel(let kernel, let points, let squares):
      let values = kernel.matrix(points, squares: squares, inputs)
      BLAS.multiply(
        weights, DenseFactor(values, rows: count, columns: samples.count), into: result)
    }
    var outputs = result.array()
    for index in outputs.indices { outputs[index] += outputMean[index % width] }
    return outputs
  }

  /// Copies the coefficients of the first rank to all others.
  ///
  /// Collective.
  func broadcast(on world: borrowing Communicator) throws(MPIError) {
    let coefficients = coefficients
    var span = coefficients.mutableSpan
    try world.broadcast(&span, from: 0)
  }
}

/// The errors of a regression on samples, and the predictions of this rank's part of them.
struct RegressionErrors {
  let statistics: ErrorStatistics
  /// The samples of this rank, and their outputs if they were to be kept.
  let own: Range<Int>
  let outputs: [Double]

  /// Predicts samples, in whole blocks on each rank, so that results do not depend on the number of ranks.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - model: The regression.
  ///   - data: The dataset.
  ///   - samples: The samples, at least one.
  ///   - meanOutput: The output of the mean predictor.
  ///   - keepsOutputs: Whether to keep the predictions.
  ///   - world: The ranks.
  /// - Throws: `MPIError` if the gathering fails.
  init(
    _ model: RegressionModel, _ data: Dataset, _ samples: Range<Int>, meanOutput: [Double],
    keepsOutputs: Bool = false, on world: borrowing Communicator
  ) throws(MPIError) {
    let (size, ranks) = (RegressionModel.blockSize, world.size)
    let blocks = (samples.count + size - 1) / size
    let pieces = (0..<ranks).map { rank in
      let piece = evenPiece(of: blocks, pieces: ranks, piece: rank)
      let end = min(piece.upperBound * size, samples.count)
      return min(piece.lowerBound * size, end)..<end
    }
    let (piece, first) = (pieces[world.rank], samples.lowerBound)
    let own = first + piece.lowerBound..<first + piece.upperBound
    var outputs: [Double] = []
    var errors: [Double] = []
    for start in stride(from: own.lowerBound, to: own.upperBound, by: size) {
      let block = start..<min(start + size, own.upperBound)
      let values = model.predict(data, block)
      errors += Self.errors(values, data, block, meanOutput)
      if keepsOutputs { outputs += values }
    }
    var all = [Double](repeating: 0, count: 2 * samples.count)
    var span = all.mutableSpan
    try world.allGather(errors.span, counts: pieces.map { 2 * $0.count }, into: &span)
    // An output that is zero has no relative error.
    let counted = samples.filter { all[2 * ($0 - first)] != Self.undefined }
    statistics = ErrorStatistics(
      errors: counted.map { all[2 * ($0 - first)] },
      meanPredictorErrors: counted.map { all[2 * ($0 - first) + 1] },
      zeroSamples: samples.filter { all[2 * ($0 - first)] == Self.undefined })
    (self.own, self.outputs) = (own, outputs)
  }

  /// The error of an output that is zero.
  static let undefined = -1.0

  /// Returns ‖û − u‖/‖u‖ and ‖ū − u‖/‖u‖ of samples; ``undefined`` where u is zero.
  static func errors(
    _ values: [Double], _ data: Dataset, _ samples: Range<Int>, _ meanOutput: [Double]
  ) -> [Double] {
    let width = meanOutput.count
    return samples.flatMap { sample in
      let (truth, guess) = (sample * width, (sample - samples.lowerBound) * width)
      var largest = 0.0
      for point in 0..<width { largest = max(largest, abs(data.outputs[truth + point])) }
      // Divided by the largest value first, so that the squares of tiny fields do not vanish.
      guard largest > 0 else { return [undefined, undefined] }
      let factor = 1 / largest
      var (norm, error, mean) = (0.0, 0.0, 0.0)
      for point in 0..<width {
        let value = data.outputs[truth + point]
        let (a, b, c) = (
          value * factor, (values[guess + point] - value) * factor,
          (meanOutput[point] - value) * factor
        )
        (norm, error, mean) = (norm + a * a, error + b * b, mean + c * c)
      }
      return [error, mean].map { ($0 / norm).squareRoot() }
    }
  }
}
