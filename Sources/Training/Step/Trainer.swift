import BlockKernels
import BlockSparse
import Checkpoints
import Datasets
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5

/// Makes training steps: batches, gradients, their sum over data groups, updates.
final class Trainer<Scalar: KernelScalar & MPIScalar> {
  let network: Network
  let options: TrainingOptions
  /// The parameters that this rank holds.
  let parameters: AlignedBuffer<Scalar>
  let executor: NetworkExecutor<Scalar>
  /// What depends on the number of samples of a step.
  private var stage: TrainingStage<Scalar>
  private(set) var optimizer: Optimizer<Scalar>
  private(set) var step = 0
  /// For each data group: the number of parameters that it owns.
  private let ownedCounts: [Int]
  private let source: SampleSource
  private var loss: Loss<Scalar>
  private let sums: BoxSums
  private let shard: ShardBuffer<Scalar>
  private let truth: AlignedBuffer<Scalar>
  /// Measures the parts of a step, if wanted.
  var clock: StepClock? {
    get { executor.clock }
    set { (executor.clock, stage.reduction.clock) = (newValue, newValue) }
  }
  /// What the loss is divided by before its gradient is taken, a power of two.
  var lossUnit: Double { loss.unit }
  /// The number of training samples.
  var trainingCount: Int { order.count }
  private var order: BatchOrder
  /// The samples of this group's shards in the coming step, one shard behind the other, and in the last one.
  private var coming: [Int] = []
  private var current: [Int] = []
  /// How the gradients of the last step were summed.
  var reduction: GradientReduction<Scalar> { stage.reduction }
  private let group: Int
  private let groups: Int

  /// Plans the steps of a rank.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - plan: The plan of a step.
  ///   - share: What this rank holds.
  ///   - options: How it is trained.
  ///   - source: The samples.
  ///   - normalization: How fields are normalized.
  ///   - norms: ‖u / s‖² of every sample of the dataset.
  ///   - grid: The process grid.
  init(
    _ network: Network, _ plan: StepPlan, _ share: RankShare, options: TrainingOptions,
    source: SampleSource, normalization: Normalization, norms: [Double],
    on grid: borrowing ProcessGrid
  ) {
    self.network = network
    self.options = options
    self.source = source
    (group, groups) = (grid.group, grid.dataGroups)
    // The most shards that the group has in a step, over all sizes of the batch.
    let most = (0...options.batchGrowth.count).map { growths in
      let shards = ((options.batch << growths) + options.shard - 1) / options.shard
      return evenPiece(of: shards, pieces: grid.dataGroups, piece: grid.group).count
    }
    // Tree ranks exchange the boxes of several shards at once; alone, a rank has one shard in its caches.
    executor = NetworkExecutor(
      network, plan.partition, plan.communication, share, samples: options.shard,
      slots: max(1, min(plan.wave, most.max() ?? 1)))
    let count = executor.share.parameterCount
    parameters = AlignedBuffer(repeating: 0, count: count)
    ownedCounts = (0..<grid.dataGroups).map {
      evenPiece(of: count, pieces: grid.dataGroups, piece: $0).count
    }
    optimizer = Optimizer(options, count: ownedCounts[grid.group])
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
      batch: options.batch(at: 0), shard: options.shard, parameters: count,
      squareCount: loss.squareCount, group: grid.group, groups: grid.dataGroups)
  }

  /// Prepares for the batch of the next step, if it is another one.
  private func enterStage() {
    let batch = options.batch(at: step)
    guard batch != stage.batch else { return }
    let clock = clock
    stage = TrainingStage(
      batch: batch, shard: options.shard, parameters: parameters.count,
      squareCount: loss.squareCount, group: group, groups: groups)
    loss.batch = batch
    self.clock = clock
  }

  /// Multiplies the learning rates of the schedule by a factor from now on.
  func scaleRates(by factor: Double) { optimizer.rateFactor = factor }

  /// Draws the initial parameters.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - chosen: Parameters of the network that take the place of what is drawn, unless they are NaN.
  ///   - grid: The process grid.
  /// - Throws: `MPIError` if an exchange fails.
  func initialize(
    replacing chosen: [Double] = [], on grid: borrowing ProcessGrid
  ) throws(MPIError) {
    options.initializer.draw(network, executor.share, seed: options.seed, into: parameters)
    if !chosen.isEmpty {
      for own in executor.share.parameters {
        for (place, index) in zip(own.local, Array(own.weights) + Array(own.biases))
        where !chosen[index].isNaN {
          parameters[place] = Scalar(chosen[index])
        }
      }
    }
    chooseSamples(0)
    try executor.parametersChanged(parameters, on: grid.tree)
  }

  /// Continues after a number of steps, with a state that the caller has filled in.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - steps: The number of steps made.
  ///   - lossUnit: What the loss was divided by in these steps.
  ///   - grid: The process grid.
  /// - Throws: `MPIError` if an exchange fails.
  func resume(
    after steps: Int, lossUnit: Double, on grid: borrowing ProcessGrid
  ) throws(MPIError) {
    optimizer.scaleMoments(by: lossUnit / loss.unit)
    optimizer.resume(after: steps)
    step = steps
    chooseSamples(step)
    try executor.parametersChanged(parameters, on: grid.tree)
  }

  /// Makes one step.
  ///
  /// Collective.
  ///
  /// - Parameter grid: The process grid.
  /// - Returns: Whether this rank's part of the loss and the parameters that it owns are finite.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func makeStep(on grid: borrowing ProcessGrid) throws -> Bool {
    enterStage()
    clock?.enter(.samples)
    swap(&coming, &current)
    let block = try source.block(current)
    chooseSamples(step + 1)
    if step + 1 < options.iterations { source.announce(coming) }
    let count = stage.places.count
    try stage.reduction.reduce(on: grid.groups) { (finished) throws(MPIError) in
      for first in stride(from: 0, to: count, by: executor.slots) {
        try computeGradients(
          first..<min(first + executor.slots, count), block, on: grid.tree, finished)
      }
    }
    clock?.enter(.optimizer)
    let isFinite = updateOwnedParameters(grid.group)
    clock?.enter(.communication)
    try gatherParameters(on: grid.groups)
    try executor.parametersChanged(parameters, on: grid.tree)
    clock?.enter(.other)
    step += 1
    return isFinite && Elementwise.areFinite(stage.squares)
  }

  /// Computes the losses and the gradients of some of this group's shards together.
  private func computeGradients(
    _ wave: Range<Int>, _ block: SampleSource.Block, on tree: borrowing Communicator,
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
  func outputsAreFinite(on grid: borrowing ProcessGrid) throws -> Bool {
    // Other files are used before the next step.
    source.settle()
    guard !coming.isEmpty else { return true }
    let (output, block) = (executor.output, try source.block(coming))
    shard.load(block.data, block.rows.prefix(options.shard), into: executor.input)
    try executor.forward(parameters, shards: 1, on: grid.tree)
    return executor.ownOutput.values.allSatisfy { output[$0].isFinite }
  }

  private func updateOwnedParameters(_ group: Int) -> Bool {
    let (result, parameters) = (reduction.result, parameters)
    var span = parameters.mutableSpan
    return optimizer.update(&span, range: reduction.owned(by: group), gradient: result.span)
  }

  private func gatherParameters(on groups: borrowing Communicator) throws(MPIError) {
    guard groups.size > 1 else { return }
    let parameters = parameters
    groups.stallWatch.phase = .init("gathering of parameters")
    var span = parameters.mutableSpan
    try groups.allGatherInPlace(&span, counts: ownedCounts)
  }

  /// Chooses the samples of this group's shards in a step.
  private func chooseSamples(_ step: Int) {
    coming.removeAll(keepingCapacity: true)
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

extension Trainer where Scalar: HDF5Scalar {
  /// The arrays from which training continues.
  ///
  /// Every data group holds all parameters, and the moments of the range that it updates.
  var state: [StateArray<Scalar>] {
    let all = ArrayPart.parameters(network, executor.share)
    let owned = reduction.owned(by: group)
    let moments = all.map { $0.within(owned) }
    return [
      StateArray(
        group: "/parameters", parts: all.map { $0.counting(owned) }, buffer: parameters),
      StateArray(
        group: "/optimizer/first_moment", parts: moments, buffer: optimizer.firstMoment),
      StateArray(
        group: "/optimizer/second_moment", parts: moments, buffer: optimizer.secondMoment),
    ]
  }
}
