import BlockSparse
import Datasets
import MessagePassing
import NetworkExecution
import OperatorNetworks

extension Normalization {
  /// Fits a normalization to the points that this rank has; sums run in double precision in the order of the
  /// samples and of the points.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - source: The samples.
  ///   - training: The samples to look at.
  ///   - options: What to subtract and what to divide by.
  ///   - network: The network.
  ///   - share: What this rank holds of it.
  ///   - tree: The tree ranks.
  /// - Throws: `MPIError` if the gathering fails, an `ExitStatusError` if samples cannot be read.
  /// - Precondition: `training` is not empty.
  init(
    _ source: SampleSource, training: Range<Int>, options: TrainingOptions, _ network: Network,
    _ share: RankShare, on tree: borrowing Communicator
  ) throws {
    let inputs = try FieldStatistics(
      PointStatistics(source, training) { ($0.inputs, $0.inputWidth) },
      columns: source.inputColumns, order: network.inputOrder,
      share.inputBoxes.map { network.values[0].layout.channels(of: $0) }, on: tree)
    let outputs = try FieldStatistics(
      PointStatistics(source, training) { ($0.outputs, $0.outputWidth) },
      columns: source.outputColumns, order: network.outputOrder,
      share.outputBoxes.map { network.values[network.output].layout.channels(of: $0) }, on: tree)
    for (name, field, scale) in [
      ("inputs", inputs, options.inputScale), ("outputs", outputs, options.outputScale),
    ] where scale == .deviation {
      try Dataset.checkSquare(of: field.largest, "\(source.file.path): the training \(name)")
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
  let samples: Int
  let means: [Double]
  let squares: [Double]
  /// The largest |x| at each point.
  let largest: [Double]

  init(samples: Int, means: [Double], squares: [Double], largest: [Double]) {
    self.samples = samples
    self.means = means
    self.squares = squares
    self.largest = largest
  }

  /// Takes the statistics of a field's columns.
  ///
  /// - Parameters:
  ///   - source: The samples.
  ///   - samples: The samples to look at.
  ///   - field: Returns the values, `[row][column]`, and the number of columns.
  /// - Throws: An `ExitStatusError` if samples cannot be read.
  init(
    _ source: SampleSource, _ samples: Range<Int>,
    _ field: (Dataset) -> (values: [Double], width: Int)
  ) throws {
    var sums: [Double] = []
    var largest: [Double] = []
    try source.visit(samples) { data, rows in
      let (values, width) = field(data)
      if sums.isEmpty {
        sums = [Double](repeating: 0, count: width)
        largest = sums
      }
      for row in rows {
        for column in 0..<width {
          let value = values[row * width + column]
          sums[column] += value
          largest[column] = max(largest[column], abs(value))
        }
      }
    }
    let means = sums.map { $0 / Double(samples.count) }
    var squares = [Double](repeating: 0, count: means.count)
    try source.visit(samples) { data, rows in
      let (values, width) = field(data)
      for row in rows {
        for column in 0..<width {
          let difference = values[row * width + column] - means[column]
          squares[column] += difference * difference
        }
      }
    }
    self.init(samples: samples.count, means: means, squares: squares, largest: largest)
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
