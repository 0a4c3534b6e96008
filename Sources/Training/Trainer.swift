import BlockKernels
import MessagePassing
import OperatorNetworks

/// Makes training steps: batches, gradients, their sum over ranks, updates.
final class Trainer<Scalar: KernelScalar & MPIScalar> {
  let network: Network
  let options: TrainingOptions
  let parameters: AlignedBuffer<Scalar>
  let executor: NetworkExecutor<Scalar>
  let reduction: GradientReduction<Scalar>
  private(set) var optimizer: Optimizer<Scalar>
  private(set) var step = 0
  private let data: Dataset
  private let loss: Loss<Scalar>
  private let shard: ShardBuffer<Scalar>
  private let truth: AlignedBuffer<Scalar>
  /// The number of training samples.
  var trainingCount: Int { order.count }
  private var order: BatchOrder
  /// The losses of this rank's shards in the last step, without the factor 1/B.
  private var shardLosses: [Double]

  init(
    _ network: Network, options: TrainingOptions, data: Dataset, normalization: Normalization,
    rank: Int, rankCount: Int
  ) {
    self.network = network
    self.options = options
    self.data = data
    executor = NetworkExecutor(network, samples: options.shard)
    let count = network.activeParameterCount
    parameters = AlignedBuffer(repeating: 0, count: count)
    reduction = GradientReduction(
      shards: (options.batch + options.shard - 1) / options.shard, parameters: count, rank: rank,
      rankCount: rankCount)
    optimizer = Optimizer(options, count: reduction.owned(by: rank).count)
    loss = Loss(
      options.loss, batch: options.batch, data: data, scale: normalization.outputScale)
    shard = ShardBuffer(network, samples: options.shard, normalization: normalization)
    truth = AlignedBuffer(repeating: 0, count: executor.output.count)
    let training = options.split.range(of: .training, count: data.sampleCount)
    order = BatchOrder(count: training.count, seed: options.seed)
    shardLosses = [Double](repeating: 0, count: reduction.shards.count)
  }

  /// Draws the initial parameters.
  func initialize() {
    let parameters = parameters
    var span = parameters.mutableSpan
    options.initializer.draw(network, seed: options.seed, into: &span)
    executor.parametersChanged(parameters.span)
  }

  /// Continues after a number of steps, with parameters and moments that are whole on every rank.
  func resume(
    after steps: Int, parameters: AlignedBuffer<Scalar>, firstMoment: AlignedBuffer<Scalar>,
    secondMoment: AlignedBuffer<Scalar>
  ) {
    let (owned, own) = (reduction.owned(by: reduction.rank), self.parameters)
    func copy(_ source: AlignedBuffer<Scalar>, _ target: AlignedBuffer<Scalar>, from start: Int) {
      var span = target.mutableSpan
      Elementwise.copy(source.span, at: start, to: &span, in: 0..<target.count)
    }
    copy(parameters, own, from: 0)
    copy(firstMoment, optimizer.firstMoment, from: owned.lowerBound)
    copy(secondMoment, optimizer.secondMoment, from: owned.lowerBound)
    optimizer.resume(after: steps)
    step = steps
    executor.parametersChanged(own.span)
  }

  /// The floating-point operations of the products of one step, on all ranks together.
  var flopsPerStep: Int {
    reduction.tree.shardCount * (executor.forwardFlops + executor.backwardFlops)
  }

  /// Makes one step.
  ///
  /// Collective.
  ///
  /// - Parameter communicator: The data groups.
  /// - Returns: Whether the losses of this rank's shards and the parameters that it owns are finite.
  /// - Throws: `MPIError` if an exchange fails.
  func makeStep(on communicator: borrowing Communicator) throws(MPIError) -> Bool {
    reduction.accumulate { shard, gradient in computeGradient(of: shard, into: gradient) }
    try reduction.reduce(on: communicator)
    let isFinite = updateOwnedParameters()
    try gatherParameters(on: communicator)
    let parameters = parameters
    executor.parametersChanged(parameters.span)
    step += 1
    return isFinite && shardLosses.allSatisfy { $0.isFinite }
  }

  /// Computes the loss and the gradient of one shard of the coming step.
  private func computeGradient(of index: Int, into gradient: AlignedBuffer<Scalar>) {
    let (chosen, parameters) = (samples(of: index), parameters)
    shard.load(data, chosen, into: executor.input)
    shard.loadOutputs(data, chosen, into: truth)
    executor.forward(parameters.span)
    shardLosses[index - reduction.shards.lowerBound] = loss.evaluate(
      output: executor.output, truth: truth, chosen: chosen, samples: options.shard,
      gradient: executor.outputGradient)
    var span = gradient.mutableSpan
    executor.backward(into: &span)
  }

  /// Returns whether the network, as it is now, gives finite outputs for a shard of the coming step.
  ///
  /// Not collective; a rank without shards says yes.
  func outputsAreFinite() -> Bool {
    guard let index = reduction.shards.first else { return true }
    let (parameters, output) = (parameters, executor.output)
    shard.load(data, samples(of: index), into: executor.input)
    executor.forward(parameters.span)
    return output.array().allSatisfy { $0.isFinite }
  }

  private func updateOwnedParameters() -> Bool {
    let (result, parameters) = (reduction.result, parameters)
    var span = parameters.mutableSpan
    return optimizer.update(
      &span, range: reduction.owned(by: reduction.rank), gradient: result.span)
  }

  private func gatherParameters(on communicator: borrowing Communicator) throws(MPIError) {
    guard reduction.rankCount > 1 else { return }
    let parameters = parameters
    var span = parameters.mutableSpan
    try communicator.allGatherInPlace(
      &span, counts: (0..<reduction.rankCount).map { reduction.owned(by: $0).count })
  }

  /// Returns the samples of a shard of the coming step.
  private func samples(of shard: Int) -> [Int] {
    let first = shard * options.shard
    let last = min(first + options.shard, options.batch)
    return (first..<last).map { order.sample(at: step * options.batch + $0) }
  }

  /// Returns the loss of the last step.
  ///
  /// Collective.
  func lastLoss(on communicator: borrowing Communicator) throws(MPIError) -> Double {
    let counts = (0..<reduction.rankCount).map {
      evenPiece(of: reduction.tree.shardCount, pieces: reduction.rankCount, piece: $0).count
    }
    var all = [Double](repeating: 0, count: reduction.tree.shardCount)
    let own = shardLosses
    var span = all.mutableSpan
    try communicator.allGather(own.span, counts: counts, into: &span)
    return all.reduce(0, +) / Double(options.batch)
  }
}
