import ClusterTrees

/// How fields are normalized: x ↦ (x − shift) / scale, fitted to the training part.
public struct Normalization: Sendable, Equatable {
  /// What is subtracted from the inputs, by point.
  public let inputShift: [Double]
  /// What the inputs are divided by.
  public let inputScale: Double
  /// What is subtracted from the outputs, by point.
  public let outputShift: [Double]
  /// What the outputs are divided by.
  public let outputScale: Double
  /// The mean of the training outputs, by point: what the mean predictor says.
  public let meanOutput: [Double]

  /// Creates a normalization from its numbers.
  init(
    inputShift: [Double], inputScale: Double, outputShift: [Double], outputScale: Double,
    meanOutput: [Double]
  ) {
    self.inputShift = inputShift
    self.inputScale = inputScale
    self.outputShift = outputShift
    self.outputScale = outputScale
    self.meanOutput = meanOutput
  }

  /// Fits a normalization; sums run in double precision in the order of the samples.
  ///
  /// - Parameters:
  ///   - data: The dataset.
  ///   - training: The samples to look at.
  ///   - options: What to subtract and what to divide by.
  /// - Precondition: `training` is not empty.
  public init(_ data: Dataset, training: Range<Int>, options: TrainingOptions) {
    let inputs = FieldStatistics(data.inputs, count: data.points.count, samples: training)
    let outputs = FieldStatistics(data.outputs, count: data.outputCount, samples: training)
    inputShift = inputs.shift(options.inputShift)
    inputScale = inputs.scale(options.inputScale, pointwise: options.inputShift == .pointwise)
    outputShift = outputs.shift(options.outputShift)
    outputScale = outputs.scale(options.outputScale, pointwise: options.outputShift == .pointwise)
    meanOutput = outputs.pointwiseMean
  }
}

/// The means and deviations of a field over samples.
struct FieldStatistics {
  let pointwiseMean: [Double]
  let mean: Double
  /// The deviation from the mean over all entries, and from the means of the points.
  let deviation: Double
  let pointwiseDeviation: Double

  init(_ values: [Double], count: Int, samples: Range<Int>) {
    var sums = [Double](repeating: 0, count: count)
    for sample in samples {
      for point in 0..<count { sums[point] += values[sample * count + point] }
    }
    let means = sums.map { $0 / Double(samples.count) }
    let mean = means.reduce(0, +) / Double(count)
    var squares = [Double](repeating: 0, count: count)
    for sample in samples {
      for point in 0..<count {
        let difference = values[sample * count + point] - means[point]
        squares[point] += difference * difference
      }
    }
    let within = squares.reduce(0, +) / Double(count * samples.count)
    let between = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    pointwiseMean = means
    self.mean = mean
    pointwiseDeviation = within.squareRoot()
    deviation = (within + between).squareRoot()
  }

  func shift(_ kind: ShiftKind) -> [Double] {
    switch kind {
    case .none: [Double](repeating: 0, count: pointwiseMean.count)
    case .mean: [Double](repeating: mean, count: pointwiseMean.count)
    case .pointwise: pointwiseMean
    case .value(let value): [Double](repeating: value, count: pointwiseMean.count)
    }
  }

  func scale(_ kind: ScaleKind, pointwise: Bool) -> Double {
    switch kind {
    case .none: return 1
    case .value(let value): return value
    case .deviation:
      let scale = pointwise ? pointwiseDeviation : deviation
      return scale > 0 ? scale : 1
    }
  }
}
