package import BlockKernels
import BlockSparse
package import Datasets
package import MessagePassing
package import NetworkExecution
package import OperatorNetworks

/// A network, samples and a loss: one term of what a trainer minimizes.
///
/// Computes the gradient of the loss of a batch with respect to the parameters, and changes nothing. Several objectives
/// may stand on one store of parameters, if their networks have the same slices.
package final class Objective<Scalar: KernelScalar & MPIScalar> {
  package let network: Network
  package let executor: NetworkExecutor<Scalar>
  /// The factor of its loss in the sum that is minimized.
  package let weight: Double
  private let options: TrainingOptions
  /// What depends on the number of samples of a step.
  private var stage: TrainingStage<Scalar>
  private let source: SampleSource
  private var loss: Loss<Scalar>
  private let sums: BoxSums
  private let shard: ShardBuffer<Scalar>
  private let truth: AlignedBuffer<Scalar>
  private var order: BatchOrder
  /// The samples of this group's shards in the coming step, one shard behind the other, and in the last one.
  private var coming: [Int] = []
  private var current: [Int] = []
  private var comingStep = 0
  private let group: Int
  private let groups: Int
  /// Measures the parts of a step, if wanted.
  var clock: StepClock? {
    get { executor.clock }
    set { (executor.clock, stage.reduction.clock) = (newValue, newValue) }
  }
  /// What the loss is divided by before its gradient is taken, a power of two.
  package var lossUnit: Double { loss.unit }
  /// The number of training samples.
  var trainingCount: Int { order.count }
  /// How the gradients of the last step were summed; its result is the gradient of this group's range.
  var reduction: GradientReduction<Scalar> { stage.reduction }

  /// Plans the gradients of a rank.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: How it is spread over the tree ranks.
  ///   - communication: What tree ranks send to each other.
  ///   - share: What this rank holds.
  ///   - wave: The most shards that tree ranks compute together.
  ///   - options: Batches, loss and seed.
  ///   - source: The samples.
  ///   - normalization: How fields are normalized.
  ///   - norms: ‖u / s‖² of every sample of the dataset.
  ///   - weight: The factor of its loss.
  ///   - grid: The process grid.
  package init(
    _ network: Network, _ partition: TreePartition, _ communication: CommunicationPlan,
    _ share: RankShare, wave: Int, options: TrainingOptions, source: SampleSource,
    normalization: Normalization, norms: [Double], weight: Double = 1,
    on grid: borrowing ProcessGrid
  ) {
    self.network = network
    self.options = options
    self.source = source
    self.weight = weight
    (group, groups) = (grid.group, grid.dataGroups)
    // The most shards that the group has in a step, over all sizes of the batch.
    let most = (0...options.batchGrowth.count).map { growths in
      let shards = ((options.batch << growths) + options.shard - 1) / options.shard
      return evenPiece(of: shards, pieces: grid.dataGroups, piece: grid.group).count
    }
    // Tree ranks exchange the boxes of several shards at once; alone, a rank has one shard in its caches.
    executor = NetworkExecutor(
      network, partition, communication, share, samples: options.shard,
      slots: max(1, min(wave, most.max() ?? 1)))
    sums = BoxSums(network, executor.share)
    let training = options.split.range(of: .training, count: source.file.sampleCount)
    precondition(training.lowerBound == 0, "batches count the training samples from 0")
    loss = Loss(
      options.loss, batch: options.batch(at: 0), norms: norms, training: training,
      points: source.file.outputCount, sums: sums, samples: options.shard)
    shard = ShardBuffer(
      network, executor.share, source, samples: options.shard, normalization: normalization)
    truth = AlignedBuffer(repeating: 0, count: executor.ownOutput.values.count)
    order = BatchOrder(count: training.count, seed: options.seed)
    stage = TrainingStage(
      batch: options.batch(at: 0), shard: options.shard, parameters: share.parameterCount,
      squareCount: loss.squareCount, group: grid.group, groups: grid.dataGroups)
  }

  /// Prepares for the batch of the next step, if it is another one.
  private func enterStage(_ step: Int) {
    let batch = options.batch(at: step)
    guard batch != stage.batch else { return }
    let clock = clock
    stage = TrainingStage(
      batch: batch, shard: options.shard, parameters: executor.share.parameterCount,
      squareCount: loss.squareCount, group: group, groups: groups)
    loss.batch = batch
    self.clock = clock
  }

  /// Computes the gradient of the loss of a step's batch, divided by ``lossUnit``, summed over all data groups.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - step: The number of steps made.
  ///   - parameters: The parameters that this rank holds, of which the executor knows.
  ///   - grid: The process grid.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func computeGradient(
    _ step: Int, _ parameters: AlignedBuffer<Scalar>, on grid: borrowing ProcessGrid
  ) throws {
    enterStage(step)
    clock?.enter(.samples)
    // Another evaluation of the same step takes the same samples.
    if comingStep != step { chooseSamples(step) }
    swap(&coming, &current)
    let block = try source.block(current)
    chooseSamples(step + 1)
    if step + 1 < options.iterations { source.announce(coming) }
    let count = stage.places.count
    try stage.reduction.reduce(on: grid.groups) { (finished) throws(MPIError) in
      for first in stride(from: 0, to: count, by: executor.slots) {
        try computeGradients(
          first..<min(first + executor.slots, count), parameters, block, on: grid.tree, finished)
      }
    }
  }

  /// Whether this rank's part of the last loss is finite.
  var isFinite: Bool { Elementwise.areFinite(stage.squares) }

  /// Computes the losses and the gradients of some of this group's shards together.
  private func computeGradients(
    _ wave: Range<Int>, _ parameters: AlignedBuffer<Scalar>, _ block: SampleSource.Block,
    on tree: borrowing Communicator,
    _ finished: (Int, Range<Int>) throws(MPIError) -> Void
  ) throws(MPIError) {
    clock?.enter(.samples)
    let (places, squares) = (stage.places, stage.squares)
    for index in wave {
      shard.load(
        block.data, block.rows[places[index]],
        into: executor.values[index - wave.lowerBound][0])
    }
    try executor.forward(parameters, shards: wave.count, on: tree)
    let own = executor.ownOutput
    for index in wave {
      let slot = index - wave.lowerBound
      clock?.enter(.samples)
      shard.loadOutputs(block.data, block.rows[places[index]], into: truth)
      clock?.enter(.elementwise)
      loss.evaluate(
        output: executor.values[slot][network.output], at: own.values.lowerBound, truth: truth,
        chosen: current[places[index]], gradient: executor.outputGradient(slot),
        at: own.gradients.lowerBound, into: squares, shard: index)
    }
    let first = reduction.shards.lowerBound + wave.lowerBound
    try executor.backward(into: stage.gradients[wave], on: tree) { (slot, range) throws(MPIError) in
      try finished(first + slot, range)
    }
  }

  /// Returns whether the network, as it is now, gives finite outputs for a shard of the coming step.
  ///
  /// Collective for the tree ranks; a group without shards returns true.
  func outputsAreFinite(
    _ parameters: AlignedBuffer<Scalar>, on grid: borrowing ProcessGrid
  ) throws -> Bool {
    // Other files are used before the next step.
    source.settle()
    guard !coming.isEmpty else { return true }
    let (output, block) = (executor.output, try source.block(coming))
    shard.load(block.data, block.rows.prefix(options.shard), into: executor.input)
    try executor.forward(parameters, shards: 1, on: grid.tree)
    return executor.ownOutput.values.allSatisfy { output[$0].isFinite }
  }

  /// Chooses the samples of this group's shards in a step.
  func chooseSamples(_ step: Int) {
    coming.removeAll(keepingCapacity: true)
    comingStep = step
    let (batch, size, start) = (
      options.batch(at: step), options.shard, options.samples(before: step)
    )
    let own = evenPiece(of: (batch + size - 1) / size, pieces: groups, piece: group)
    for place in own.lowerBound * size..<max(own.lowerBound, own.upperBound) * size
    where place < batch {
      coming.append(order.sample(at: start + place))
    }
  }

  /// Returns the loss of the last step.
  ///
  /// Collective.
  func lastLoss(on grid: borrowing ProcessGrid) throws(MPIError) -> Double {
    let (width, shards) = (options.shard, reduction.shardCount)
    let (places, squares) = (stage.places, stage.squares.array())
    let own = (0..<sums.nodeCount).flatMap { node in
      places.indices.flatMap { shard in
        let start = shard * loss.squareCount + node * width
        return squares[start..<start + width]
      }
    }
    let sums = try sums.finish(own, width: places.count * width, on: grid.tree)
    let losses = places.enumerated().map { index, place in
      loss.value(sums[index * width..<(index + 1) * width], chosen: current[place])
    }
    let counts = (0..<grid.dataGroups).map {
      evenPiece(of: shards, pieces: grid.dataGroups, piece: $0).count
    }
    var all = [Double](repeating: 0, count: shards)
    var span = all.mutableSpan
    try grid.groups.allGather(losses.span, counts: counts, into: &span)
    return all.reduce(0, +) / Double(stage.batch)
  }
}
