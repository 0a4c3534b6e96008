public import BlockKernels
import BlockSparse
public import Datasets
public import MessagePassing
public import NetworkExecution
import OperatorNetworks

/// Evaluates a network on the samples of a dataset, spread over a process grid.
public struct Evaluator<Scalar: KernelScalar & MPIScalar> {
  private let executor: NetworkExecutor<Scalar>
  private let source: SampleSource
  private let shard: ShardBuffer<Scalar>
  private let normalization: Normalization
  private let sums: BoxSums

  /// Creates an evaluator.
  ///
  /// - Parameters:
  ///   - executor: What computes the network.
  ///   - source: The samples.
  ///   - normalization: How fields are normalized.
  public init(
    _ executor: NetworkExecutor<Scalar>, _ source: SampleSource, normalization: Normalization
  ) {
    self.executor = executor
    self.source = source
    self.normalization = normalization
    shard = ShardBuffer(
      executor.network, executor.share, source, samples: executor.samples,
      normalization: normalization)
    sums = BoxSums(executor.network, executor.share)
  }

  /// Returns the share of a data group in the samples: whole shards.
  ///
  /// So a sample has the same place in its shard, and the same bits, on any number of ranks.
  ///
  /// - Parameters:
  ///   - count: The number of samples.
  ///   - pieces: The number of groups.
  ///   - piece: The group.
  /// - Returns: The samples, counted from zero.
  public func share(of count: Int, pieces: Int, piece: Int) -> Range<Int> {
    let size = executor.samples
    let shards = evenPiece(of: (count + size - 1) / size, pieces: pieces, piece: piece)
    return min(shards.lowerBound * size, count)..<min(shards.upperBound * size, count)
  }

  /// Predicts the outputs of a data group's samples.
  ///
  /// Collective for the tree ranks.
  ///
  /// - Parameters:
  ///   - samples: The samples, equal on all tree ranks.
  ///   - parameters: The parameters that this rank holds.
  ///   - grid: The process grid.
  ///   - body: Receives each sample and its output, in physical units and in the order of the points, on the
  ///     first tree rank.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read.
  public func predict(
    _ samples: Range<Int>, parameters: AlignedBuffer<Scalar>, on grid: borrowing ProcessGrid,
    _ body: (_ sample: Int, _ output: [Double]) -> Void
  ) throws {
    let (network, columns) = (executor.network, executor.samples)
    let layout = network.values[network.output].layout
    let counts = executor.share.outputBoxes.map { layout.channels(of: $0).count * columns }
    let places = executor.ownOutput.values
    var all = [Double](repeating: 0, count: counts.reduce(0, +))
    var output = [Double](repeating: 0, count: network.outputOrder.count)
    for start in stride(from: samples.lowerBound, to: samples.upperBound, by: columns) {
      let chosen = Array(start..<min(start + columns, samples.upperBound))
      let block = try source.block(chosen)
      shard.load(block.data, block.rows[...], into: executor.input)
      try executor.forward(parameters, shards: 1, on: grid.tree)
      let values = executor.output
      let own = places.map { Double(values[$0]) }
      var span = all.mutableSpan
      try grid.tree.allGather(own.span, counts: counts, into: &span)
      guard grid.treeRank == 0 else { continue }
      for (column, sample) in chosen.enumerated() {
        for (channel, point) in network.outputOrder.enumerated() {
          output[Int(point)] =
            all[channel * columns + column] * normalization.outputScale
            + normalization.outputShift[Int(point)]
        }
        body(sample, output)
      }
    }
  }

  /// Computes the errors on samples.
  ///
  /// Collective.
  ///
  /// Sums over points run along the tree of the boxes, sums over samples in their order, so the errors do
  /// not depend on the grid.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - parameters: The parameters that this rank holds.
  ///   - grid: The ranks that share the work.
  /// - Returns: The statistics, or nil without samples.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read, or (65) if an output is
  ///   too large or too small to be squared.
  public func errors(
    _ samples: Range<Int>, parameters: AlignedBuffer<Scalar>, on grid: borrowing ProcessGrid
  ) throws -> ErrorStatistics? {
    guard !samples.isEmpty else { return nil }
    let groups = grid.dataGroups
    let pieces = (0..<groups).map { share(of: samples.count, pieces: groups, piece: $0) }
    let own = pieces[grid.group]
    let squares = try squares(
      samples.lowerBound + own.lowerBound..<samples.lowerBound + own.upperBound, parameters,
      on: grid.tree)
    grid.world.stallWatch.phase = .init("evaluation")
    var all = [Double](repeating: 0, count: 4 * samples.count)
    var span = all.mutableSpan
    try grid.groups.allGather(squares.span, counts: pieces.map { 4 * $0.count }, into: &span)
    var (errors, meanPredictorErrors, zeros): ([Double], [Double], [Int]) = ([], [], [])
    for (index, sample) in samples.enumerated() {
      let part = all[4 * index..<4 * index + 4]
      let (norm, isZero) = (part[4 * index], part[4 * index + 3] == 0)
      try SampleNorms.check(norm, isZero: isZero, sample, of: source.file.path)
      guard !isZero else {
        zeros.append(sample)
        continue
      }
      errors.append((part[4 * index + 1] / norm).squareRoot())
      meanPredictorErrors.append((part[4 * index + 2] / norm).squareRoot())
    }
    return ErrorStatistics(
      errors: errors, meanPredictorErrors: meanPredictorErrors, zeroSamples: zeros)
  }

  /// Computes ‖u‖², ‖û − u‖² and ‖ū − u‖² of samples, ū the mean output, all divided by the scale, and how many
  /// numbers of u are not zero.
  private func squares(
    _ samples: Range<Int>, _ parameters: AlignedBuffer<Scalar>, on tree: borrowing Communicator
  ) throws -> [Double] {
    var nodes = [[Double]](repeating: [], count: sums.nodeCount)
    let shards = (samples.count + executor.samples - 1) / executor.samples
    for first in stride(from: 0, to: shards, by: executor.slots) {
      let wave = first..<min(first + executor.slots, shards)
      let chosen = wave.map { index in
        let start = samples.lowerBound + index * executor.samples
        return start..<min(start + executor.samples, samples.upperBound)
      }
      let blocks = try chosen.map { try source.block(Array($0)) }
      for (slot, block) in blocks.enumerated() {
        shard.load(block.data, block.rows[...], into: executor.values[slot][0])
      }
      try executor.forward(parameters, shards: chosen.count, on: tree)
      for (slot, block) in blocks.enumerated() {
        let part = squares(block, of: executor.values[slot][executor.network.output])
        let width = 4 * block.rows.count
        for node in nodes.indices { nodes[node] += part[node * width..<(node + 1) * width] }
      }
    }
    return try sums.finish(Array(nodes.joined()), width: 4 * samples.count, on: tree)
  }

  /// Computes this rank's part of the sums for the samples of one shard.
  private func squares(
    _ block: SampleSource.Block, of output: AlignedBuffer<Scalar>
  ) -> [Double] {
    let (data, rows) = (block.data, block.rows)
    let start = executor.ownOutput.values.lowerBound
    let (columns, points, width) = (shard.outputColumns, shard.outputPoints, data.outputWidth)
    let (scale, factor) = (normalization.outputScale, 1 / normalization.outputScale)
    let span = output.span
    return sums.sum(width: 4 * rows.count) { channels, squares, place in
      for channel in channels {
        let point = Int(points[channel])
        let (shift, mean) = (normalization.outputShift[point], normalization.meanOutput[point])
        for (index, row) in rows.enumerated() {
          let truth = data.outputs[row * width + Int(columns[channel])]
          let value = Double(span[start + channel * executor.samples + index]) * scale + shift
          // Divided by the scale first, so that the squares of tiny fields do not vanish.
          let (a, b, c) = (truth * factor, (value - truth) * factor, (mean - truth) * factor)
          squares[place + 4 * index] += a * a
          squares[place + 4 * index + 1] += b * b
          squares[place + 4 * index + 2] += c * c
          squares[place + 4 * index + 3] += truth == 0 ? 0 : 1
        }
      }
    }
  }
}
