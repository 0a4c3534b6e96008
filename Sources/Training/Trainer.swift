import BlockKernels
import BlockSparse
import MessagePassing
import OperatorNetworks

/// Makes training steps: batches, gradients, their sum over data groups, updates.
final class Trainer<Scalar: KernelScalar & MPIScalar> {
  let network: Network
  let options: TrainingOptions
  /// The parameters that this rank holds.
  let parameters: AlignedBuffer<Scalar>
  let executor: NetworkExecutor<Scalar>
  let reduction: GradientReduction<Scalar>
  private(set) var optimizer: Optimizer<Scalar>
  private(set) var step = 0
  private let source: SampleSource
  private let loss: Loss<Scalar>
  private let sums: BoxSums
  private let shard: ShardBuffer<Scalar>
  private let truth: AlignedBuffer<Scalar>
  /// The number of training samples.
  var trainingCount: Int { order.count }
  private var order: BatchOrder
  /// For each of this group's shards: its samples in the coming step.
  private var coming: [[Int]] = []
  /// For each of this group's shards: its samples, and their squares on each node of this rank.
  private var squares: [(chosen: [Int], nodes: [Double])]

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
    let shards = plan.sizes.shards
    let own = evenPiece(of: shards, pieces: grid.dataGroups, piece: grid.group)
    // Tree ranks exchange the boxes of all their shards at once; alone, a rank has one shard in its caches.
    executor = NetworkExecutor(
      network, plan.partition, plan.communication, share, samples: options.shard,
      slots: grid.treeRanks == 1 ? 1 : max(own.count, 1))
    let count = executor.share.parameterCount
    parameters = AlignedBuffer(repeating: 0, count: count)
    reduction = GradientReduction(
      shards: shards, parameters: count, group: grid.group, groupCount: grid.dataGroups)
    optimizer = Optimizer(options, count: reduction.owned(by: grid.group).count)
    loss = Loss(options.loss, batch: options.batch, norms: norms, points: source.file.outputCount)
    sums = BoxSums(network, executor.share)
    shard = ShardBuffer(
      network, executor.share, source, samples: options.shard, normalization: normalization)
    truth = AlignedBuffer(repeating: 0, count: executor.ownOutput.values.count)
    let training = options.split.range(of: .training, count: source.file.sampleCount)
    order = BatchOrder(count: training.count, seed: options.seed)
    squares = own.map { _ in ([], []) }
  }

  /// Draws the initial parameters.
  ///
  /// Collective.
  func initialize(on grid: borrowing ProcessGrid) throws(MPIError) {
    options.initializer.draw(network, executor.share, seed: options.seed, into: parameters)
    chooseSamples(0)
    try executor.parametersChanged(parameters, on: grid.tree)
  }

  /// Continues after a number of steps.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - steps: The number of steps made.
  ///   - grid: The process grid.
  ///   - read: Returns the numbers of an array that this rank holds; one is read after the other.
  /// - Throws: `MPIError` if an exchange fails, and what `read` throws.
  func resume(
    after steps: Int, on grid: borrowing ProcessGrid,
    _ read: (Checkpoint.ParameterArray) throws -> AlignedBuffer<Scalar>
  ) throws {
    let owned = reduction.owned(by: grid.group)
    let count = 0..<owned.count
    parameters.copy(from: try read(.parameters), at: 0, to: 0..<parameters.count)
    optimizer.firstMoment.copy(from: try read(.firstMoment), at: owned.lowerBound, to: count)
    optimizer.secondMoment.copy(from: try read(.secondMoment), at: owned.lowerBound, to: count)
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
  func makeStep(on grid: borrowing ProcessGrid) throws -> Bool {
    let shards = coming
    let block = try source.block(shards.flatMap { $0 })
    chooseSamples(step + 1)
    if step + 1 < options.iterations { source.announce(coming.flatMap { $0 }) }
    for first in stride(from: 0, to: shards.count, by: executor.slots) {
      try computeGradients(
        shards, first..<min(first + executor.slots, shards.count), block, on: grid.tree)
    }
    try reduction.reduce(on: grid.groups)
    let isFinite = updateOwnedParameters(grid.group)
    try gatherParameters(on: grid.groups)
    try executor.parametersChanged(parameters, on: grid.tree)
    step += 1
    return isFinite && squares.allSatisfy { $0.nodes.allSatisfy { $0.isFinite } }
  }

  /// Computes the losses and the gradients of some of this group's shards together.
  private func computeGradients(
    _ shards: [[Int]], _ wave: Range<Int>, _ block: SampleSource.Block,
    on tree: borrowing Communicator
  ) throws(MPIError) {
    // The rows of the shards follow each other.
    let rows = wave.map { index in
      let start = shards[..<index].reduce(0) { $0 + $1.count }
      return Array(block.rows[start..<start + shards[index].count])
    }
    for (slot, rows) in rows.enumerated() {
      shard.load(block.data, rows, into: executor.values[slot][0])
    }
    try executor.forward(parameters, shards: wave.count, on: tree)
    let places = executor.ownOutput
    for (slot, index) in wave.enumerated() {
      shard.loadOutputs(block.data, rows[slot], into: truth)
      squares[index] = (
        shards[index],
        loss.evaluate(
          output: executor.values[slot][network.output], at: places.values.lowerBound,
          truth: truth, chosen: shards[index], samples: options.shard,
          gradient: executor.outputGradient(slot), at: places.gradients.lowerBound, sums: sums)
      )
    }
    let first = reduction.shards.lowerBound + wave.lowerBound
    let buffers = rows.indices.map { reduction.buffer(of: first + $0) }
    try executor.backward(into: buffers, on: tree) { reduction.add(first + $0, $1) }
  }

  /// Returns whether the network, as it is now, gives finite outputs for a shard of the coming step.
  ///
  /// Collective for the tree ranks; a group without shards says yes.
  func outputsAreFinite(on grid: borrowing ProcessGrid) throws -> Bool {
    // Other files are used before the next step.
    source.settle()
    guard let samples = coming.first else { return true }
    let (output, block) = (executor.output, try source.block(coming.flatMap { $0 }))
    shard.load(block.data, Array(block.rows[..<samples.count]), into: executor.input)
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
    try groups.allGatherInPlace(
      &span, counts: (0..<groups.size).map { reduction.owned(by: $0).count })
  }

  /// Chooses the samples of this group's shards in a step.
  private func chooseSamples(_ step: Int) {
    coming = reduction.shards.map { index in
      let first = index * options.shard
      return (first..<min(first + options.shard, options.batch)).map {
        order.sample(at: step * options.batch + $0)
      }
    }
  }

  /// Returns the loss of the last step.
  ///
  /// Collective.
  func lastLoss(on grid: borrowing ProcessGrid) throws(MPIError) -> Double {
    let (width, shards) = (options.shard, reduction.shardCount)
    let own = (0..<sums.nodeCount).flatMap { node in
      squares.flatMap { $0.nodes[node * width..<(node + 1) * width] }
    }
    let sums = try sums.finish(own, width: squares.count * width, on: grid.tree)
    let losses = squares.enumerated().map { index, shard in
      loss.value(sums[index * width..<(index + 1) * width], chosen: shard.chosen)
    }
    let counts = (0..<grid.dataGroups).map {
      evenPiece(of: shards, pieces: grid.dataGroups, piece: $0).count
    }
    var all = [Double](repeating: 0, count: shards)
    var span = all.mutableSpan
    try grid.groups.allGather(losses.span, counts: counts, into: &span)
    return all.reduce(0, +) / Double(options.batch)
  }
}
