import BlockKernels
import BlockSparse
import Datasets
import MessagePassing
import NetworkExecution
import OperatorNetworks

/// The statistics of a dataset that training needs: means and deviations of both fields, norms of the outputs.
///
/// All samples are read twice: once for means and largest values, which also finds values that are not finite, and
/// once for squares. Sums run in double precision in the order of the samples and of the points.
struct FieldSurvey {
  let inputs: FieldStatistics
  let outputs: FieldStatistics
  /// For each sample Σ (u/t)² and how many numbers of u are not zero, t the power of two.
  private let sums: [Double]
  private let power: Double

  /// Reads all samples.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - source: The samples.
  ///   - training: The samples for the statistics, the first ones.
  ///   - network: The network.
  ///   - share: What this rank holds of it.
  ///   - grid: The process grid.
  /// - Throws: `MPIError` if the gathering fails, an `ExitStatusError` if samples cannot be read.
  /// - Precondition: `training` is not empty.
  init(
    _ source: SampleSource, training: Range<Int>, _ network: Network, _ share: RankShare,
    on grid: borrowing ProcessGrid
  ) throws {
    let boxes = BoxSums(network, share)
    let columns = Self.columns(source, share.outputPoints(network), network.outputOrder.count)
    var points = try grid.world.agree { try PointSurvey(source, training: training) }
    let largest = try grid.tree.maximum(points.outputs.largest.max() ?? 0)
    let exponent = largest.isNormal ? min(max(Int(largest.exponent), -1000), 1000) : 0
    power = Double(sign: .plus, exponent: exponent, significand: 1)
    let factor = 1 / power
    points = try grid.world.agree {
      var found = points
      try found.addSquares(source, training: training, boxes, columns, factor: factor)
      return found
    }
    inputs = try FieldStatistics(
      points.inputs, columns: source.inputColumns, order: network.inputOrder,
      share.inputBoxes.map { network.values[0].layout.channels(of: $0) }, on: grid.tree)
    outputs = try FieldStatistics(
      points.outputs, columns: source.outputColumns, order: network.outputOrder,
      share.outputBoxes.map { network.values[network.output].layout.channels(of: $0) },
      on: grid.tree)
    sums = try boxes.finish(
      Array(points.nodes.joined()), width: 2 * source.file.sampleCount, on: grid.tree)
  }

  /// Returns the norms of the outputs of all samples.
  ///
  /// - Parameter scale: What fields are divided by.
  /// - Returns: ‖u / scale‖² of each.
  func norms(scale: Double) -> SampleNorms {
    let factor = power / scale
    let samples = 0..<sums.count / 2
    return SampleNorms(
      squares: samples.map { sums[2 * $0] * factor * factor },
      areZero: samples.map { sums[2 * $0 + 1] == 0 })
  }

  /// Finds the column of the outputs for each point that this rank computes.
  private static func columns(
    _ source: SampleSource, _ points: [Int32], _ count: Int
  ) -> [Int32] {
    guard let columns = source.outputColumns else { return points }
    var places = [Int32](repeating: 0, count: count)
    for (column, point) in columns.enumerated() { places[Int(point)] = Int32(column) }
    return points.map { places[Int($0)] }
  }
}

/// The part of a survey that one rank makes, of its columns.
struct PointSurvey {
  private(set) var inputs: PointStatistics
  private(set) var outputs: PointStatistics
  /// Sums for each sample over the boxes of each node of this rank, `[node][2 · sample]`.
  private(set) var nodes: [[Double]] = []

  /// Forms means and largest values of the training samples; all samples are read and so checked.
  init(_ source: SampleSource, training: Range<Int>) throws {
    var (x, y) = (PointStatistics(), PointStatistics())
    try Self.visit(source) { data, rows, count in
      let chosen = rows.prefix(max(0, training.upperBound - count))
      x.addValues(data.inputs, width: data.inputWidth, chosen)
      y.addValues(data.outputs, width: data.outputWidth, chosen)
    }
    x.finishMeans(samples: training.count)
    y.finishMeans(samples: training.count)
    (inputs, outputs) = (x, y)
  }

  /// Forms the squares: of the differences from the means, and of the outputs of all samples.
  mutating func addSquares(
    _ source: SampleSource, training: Range<Int>, _ boxes: BoxSums, _ columns: [Int32],
    factor: Double
  ) throws {
    var (x, y) = (inputs, outputs)
    var found = [[Double]](repeating: [], count: boxes.nodeCount)
    try Self.visit(source) { data, rows, count in
      let chosen = rows.prefix(max(0, training.upperBound - count))
      x.addSquares(data.inputs, width: data.inputWidth, chosen)
      y.addSquares(data.outputs, width: data.outputWidth, chosen)
      let width = data.outputWidth
      let own = boxes.sum(width: 2 * rows.count) { channels, sums, place in
        for (index, row) in rows.enumerated() {
          for channel in channels {
            let given = data.outputs[row * width + Int(columns[channel])]
            let value = given * factor
            sums[place + 2 * index] += value * value
            sums[place + 2 * index + 1] += given == 0 ? 0 : 1
          }
        }
      }
      let size = 2 * rows.count
      for node in found.indices { found[node] += own[node * size..<(node + 1) * size] }
    }
    (inputs, outputs, nodes) = (x, y, found)
  }

  /// Visits all samples; the body also receives how many came before.
  private static func visit(
    _ source: SampleSource, _ body: (_ data: Dataset, _ rows: Range<Int>, _ count: Int) -> Void
  ) throws {
    var count = 0
    try source.visit(0..<source.file.sampleCount) { data, rows in
      body(data, rows, count)
      count += rows.count
    }
  }
}
