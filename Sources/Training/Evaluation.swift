public import BlockKernels
public import MessagePassing
public import OperatorNetworks

/// The errors of a network on samples: ‖u − û‖₂ / ‖u‖₂ of each, in physical units.
public struct ErrorStatistics: Sendable, Equatable {
  /// The number of samples.
  public let samples: Int
  /// The mean of the errors.
  public let mean: Double
  /// The largest error.
  public let maximum: Double
  /// The standard deviation of the errors.
  public let deviation: Double
  /// The mean of the squared errors.
  public let squaredMean: Double
  /// The mean error of predicting the point-wise mean of the training outputs.
  public let meanPredictor: Double

  init(errors: [Double], meanPredictorErrors: [Double]) {
    let count = Double(errors.count)
    let mean = errors.reduce(0, +) / count
    samples = errors.count
    self.mean = mean
    maximum = errors.max() ?? .nan
    deviation = (errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    squaredMean = errors.reduce(0) { $0 + $1 * $1 } / count
    meanPredictor = meanPredictorErrors.reduce(0, +) / count
  }
}

/// Evaluates a network on the samples of a dataset, spread over ranks.
public struct Evaluator<Scalar: KernelScalar & MPIScalar> {
  private let executor: NetworkExecutor<Scalar>
  private let shard: ShardBuffer<Scalar>
  private let normalization: Normalization

  /// Creates an evaluator.
  ///
  /// - Parameters:
  ///   - executor: What computes the network.
  ///   - normalization: How fields are normalized.
  public init(_ executor: NetworkExecutor<Scalar>, normalization: Normalization) {
    self.executor = executor
    self.normalization = normalization
    shard = ShardBuffer(executor.network, samples: executor.samples, normalization: normalization)
  }

  /// Returns the share of a rank in the samples: whole shards.
  ///
  /// So a sample has the same place in its shard, and the same bits, on any number of ranks.
  ///
  /// - Parameters:
  ///   - count: The number of samples.
  ///   - pieces: The number of ranks.
  ///   - piece: The rank.
  /// - Returns: The samples, counted from zero.
  public func share(of count: Int, pieces: Int, piece: Int) -> Range<Int> {
    let size = executor.samples
    let shards = evenPiece(of: (count + size - 1) / size, pieces: pieces, piece: piece)
    return min(shards.lowerBound * size, count)..<min(shards.upperBound * size, count)
  }

  /// Predicts the outputs of samples.
  ///
  /// - Parameters:
  ///   - data: The dataset.
  ///   - samples: The samples.
  ///   - parameters: The parameters of the network.
  ///   - body: Receives each sample and its output, in physical units and in the order of the points.
  public func predict(
    _ data: Dataset, samples: Range<Int>, parameters: Span<Scalar>,
    _ body: (_ sample: Int, _ output: [Double]) -> Void
  ) {
    var output = [Double](repeating: 0, count: executor.network.outputOrder.count)
    for start in stride(from: samples.lowerBound, to: samples.upperBound, by: executor.samples) {
      let chosen = Array(start..<min(start + executor.samples, samples.upperBound))
      shard.load(data, chosen, into: executor.input)
      executor.forward(parameters)
      for (column, sample) in chosen.enumerated() {
        shard.store(column, of: executor.output, into: &output, at: 0)
        body(sample, output)
      }
    }
  }

  /// Computes the errors on samples.
  ///
  /// Collective.
  ///
  /// Errors are gathered and summed in the order of the samples, so they do not depend on the ranks.
  ///
  /// - Parameters:
  ///   - data: The dataset.
  ///   - samples: The samples.
  ///   - parameters: The parameters of the network.
  ///   - communicator: The ranks that share the work.
  /// - Returns: The statistics, or nil without samples.
  /// - Throws: `MPIError` if the gathering fails.
  public func errors(
    _ data: Dataset, samples: Range<Int>, parameters: Span<Scalar>,
    on communicator: borrowing Communicator
  ) throws(MPIError) -> ErrorStatistics? {
    guard !samples.isEmpty else { return nil }
    let pieces = (0..<communicator.size).map {
      share(of: samples.count, pieces: communicator.size, piece: $0)
    }
    let own = pieces[communicator.rank]
    let count = data.outputCount
    var local: [Double] = []
    local.reserveCapacity(2 * own.count)
    predict(
      data, samples: samples.lowerBound + own.lowerBound..<samples.lowerBound + own.upperBound,
      parameters: parameters
    ) { sample, output in
      let truth = data.outputs[sample * count..<(sample + 1) * count]
      local.append(relativeError(truth, output, scale: normalization.outputScale))
      local.append(relativeError(truth, normalization.meanOutput, scale: normalization.outputScale))
    }
    var all = [Double](repeating: 0, count: 2 * samples.count)
    var span = all.mutableSpan
    try communicator.allGather(local.span, counts: pieces.map { 2 * $0.count }, into: &span)
    return ErrorStatistics(
      errors: (0..<samples.count).map { all[2 * $0] },
      meanPredictorErrors: (0..<samples.count).map { all[2 * $0 + 1] })
  }
}

/// Returns ‖u − û‖₂ / ‖u‖₂; both are divided by the scale first, so that squares do not vanish.
func relativeError(_ truth: ArraySlice<Double>, _ prediction: [Double], scale: Double) -> Double {
  var (difference, norm) = (0.0, 0.0)
  let factor = 1 / scale
  for (value, predicted) in zip(truth, prediction) {
    let (a, b) = (value * factor, predicted * factor)
    difference += (a - b) * (a - b)
    norm += a * a
  }
  return difference == 0 ? 0 : (difference / norm).squareRoot()
}
