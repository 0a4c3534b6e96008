import BlockSparse
import Datasets
import MessagePassing
import NetworkExecution
import OperatorNetworks

extension Normalization {
  /// Fits a normalization to what a survey found in the training part.
  ///
  /// - Parameters:
  ///   - survey: The survey.
  ///   - options: What to subtract and what to divide by.
  ///   - path: The dataset.
  /// - Throws: `RunError` (65) if values cannot be squared.
  init(_ survey: FieldSurvey, _ options: TrainingOptions, of path: String) throws(RunError) {
    let (inputs, outputs) = (survey.inputs, survey.outputs)
    for (name, field, scale) in [
      ("inputs", inputs, options.inputScale), ("outputs", outputs, options.outputScale),
    ] where scale == .deviation {
      try Dataset.checkSquare(of: field.largest, "\(path): the training \(name)")
    }
    self.init(inputs, outputs, options)
    remarks = [
      inputs.remark(options.inputScale, pointwise: options.inputShift == .pointwise, "inputs"),
      outputs.remark(options.outputScale, pointwise: options.outputShift == .pointwise, "outputs"),
    ].compactMap { $0 }
  }

  /// Takes a normalization from statistics.
  init(_ inputs: FieldStatistics, _ outputs: FieldStatistics, _ options: TrainingOptions) {
    self.init(
      inputShift: inputs.shift(options.inputShift),
      inputScale: inputs.scale(options.inputScale, pointwise: options.inputShift == .pointwise),
      outputShift: outputs.shift(options.outputShift),
      outputScale: outputs.scale(
        options.outputScale, pointwise: options.outputShift == .pointwise),
      meanOutput: outputs.pointwiseMean)
  }
}

/// The mean over samples, and the squares of the differences from it, at each point.
struct PointStatistics {
  private(set) var samples = 0
  /// The means; sums until they are finished.
  private(set) var means: [Double] = []
  private(set) var squares: [Double] = []
  /// The largest |x| at each point.
  private(set) var largest: [Double] = []

  init() {}

  init(samples: Int, means: [Double], squares: [Double], largest: [Double]) {
    self.samples = samples
    self.means = means
    self.squares = squares
    self.largest = largest
  }

  /// Adds rows of a field, `[row][column]`, to the sums.
  mutating func addValues(_ values: [Double], width: Int, _ rows: Range<Int>) {
    if means.isEmpty {
      means = [Double](repeating: 0, count: width)
      (squares, largest) = (means, means)
    }
    for row in rows {
      for column in 0..<width {
        let value = values[row * width + column]
        means[column] += value
        largest[column] = max(largest[column], abs(value))
      }
    }
  }

  /// Divides the sums by the number of samples.
  mutating func finishMeans(samples: Int) {
    self.samples = samples
    for column in means.indices { means[column] /= Double(samples) }
  }

  /// Adds the squares of the differences of rows from the means.
  mutating func addSquares(_ values: [Double], width: Int, _ rows: Range<Int>) {
    for row in rows {
      for column in 0..<width {
        let difference = values[row * width + column] - means[column]
        squares[column] += difference * difference
      }
    }
  }
}

/// The means and deviations of a field over samples.
struct FieldStatistics {
  /// The largest |x|.
  let largest: Double
  let pointwiseMean: [Double]
  let mean: Double
  /// The deviation from the mean over all entries, and from the means of the points.
  let deviation: Double
  let pointwiseDeviation: Double

  /// Sums up the statistics of all points, in their order.
  init(_ points: PointStatistics) {
    let (means, count) = (points.means, points.means.count)
    let mean = means.reduce(0, +) / Double(count)
    let within = points.squares.reduce(0, +) / Double(count * points.samples)
    let between = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    largest = points.largest.max() ?? 0
    pointwiseMean = means
    self.mean = mean
    pointwiseDeviation = within.squareRoot()
    deviation = (within + between).squareRoot()
  }

  /// Gathers the statistics of all ranks' points.
  ///
  /// - Parameters:
  ///   - own: The statistics of this rank's columns.
  ///   - columns: The points of the columns; nil if they are all points in their order.
  ///   - order: The point of each channel of the field.
  ///   - channels: For each rank the channels that it owns.
  ///   - tree: The tree ranks.
  /// - Throws: `MPIError` if the gathering fails.
  init(
    _ own: PointStatistics, columns: [Int32]?, order: [Int32], _ channels: [Range<Int>],
    on tree: borrowing Communicator
  ) throws(MPIError) {
    guard let columns else {
      self.init(own)
      return
    }
    var places = [Int](repeating: 0, count: order.count)
    for (column, point) in columns.enumerated() { places[Int(point)] = column }
    func gather(_ values: [Double]) throws(MPIError) -> [Double] {
      let part = channels[tree.rank].map { values[places[Int(order[$0])]] }
      var all = [Double](repeating: 0, count: order.count)
      var span = all.mutableSpan
      try tree.allGather(part.span, counts: channels.map(\.count), into: &span)
      var result = all
      for (channel, point) in order.enumerated() { result[Int(point)] = all[channel] }
      return result
    }
    self.init(
      PointStatistics(
        samples: own.samples, means: try gather(own.means), squares: try gather(own.squares),
        largest: try gather(own.largest)))
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
      return scale > rounding ? scale : 1
    }
  }

  /// Deviations up to this are rounding errors: a field whose values are equal has a mean that is off by some of its
  /// last digits.
  private var rounding: Double { 1e-12 * largest }

  /// Returns a remark about a field that is not divided by its deviation; nil if it is.
  func remark(_ kind: ScaleKind, pointwise: Bool, _ name: String) -> String? {
    guard kind == .deviation, (pointwise ? pointwiseDeviation : deviation) <= rounding else {
      return nil
    }
    return
      "the training \(name) do not vary\(pointwise ? " from sample to sample" : ""), but for rounding: they "
      + "are not divided by their deviation"
  }
}
