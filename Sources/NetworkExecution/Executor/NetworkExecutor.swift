public import BlockKernels
public import BlockSparse
public import MessagePassing
public import OperatorNetworks

/// Computes a network and its gradients for shards of samples, alone or as one of several tree ranks.
///
/// All memory is allocated at creation. Arrays of samples are `[box][channel][sample]`, with the boxes that
/// the rank holds. Tree ranks exchange boxes for all shards that are computed together at once; the bits of
/// the results are those of one rank.
public final class NetworkExecutor<Scalar: KernelScalar & MPIScalar> {
  /// The network.
  public let network: Network
  /// What this rank holds of it.
  public let share: RankShare
  /// The samples of a shard.
  public let samples: Int
  /// The shards that are computed together.
  public let slots: Int
  /// For each shard the values; the first is the input, to be filled by the caller.
  public let values: [[AlignedBuffer<Scalar>]]
  /// For each layer: the values that it connects.
  let wires: [(source: Int, target: Int, addend: Int?)]
  /// The plans of the layers.
  public let plans: [LayerPlan<Scalar>]
  /// The floating-point operations of the products computed so far.
  public internal(set) var flops = 0
  /// Measures the parts of a step, if wanted.
  public var clock: StepClock?
  private let isForTraining: Bool
  /// The parameters of the last forward pass.
  var lastParameters: AlignedBuffer<Scalar>?
  /// For each shard the gradients with respect to the values; terms of a sum share that of the sum, and those that
  /// are not needed at the same time share memory.
  let gradients: [[AlignedBuffer<Scalar>]]
  /// For each shard and layer: the values of single blocks, where a function is applied to these.
  let entries: [[AlignedBuffer<Scalar>]]
  /// For each layer: its weights, packed for the input gradient.
  let packed: [AlignedBuffer<Scalar>]
  /// For each value: the sum of which it is a term, if a function stands between their gradients.
  let sums: [Int?]
  let transposed: AlignedBuffer<Scalar>
  /// Scratch for gradients of weights that rows share.
  let scratch: AlignedBuffer<Scalar>
  /// The order in which the layers that use a slice add to its gradient.
  let sliceOrder: SliceOrder
  let forwardSchedule: ForwardSchedule
  let backwardSchedule: BackwardSchedule
  let forwardExchange: BoxExchange<Scalar>
  let backwardExchange: BoxExchange<Scalar>
  let weightExchange: WeightExchange<Scalar>
  let sumExchange: SumExchange<Scalar>

  /// Plans a network for a rank alone.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - slots: The shards whose values are kept.
  ///   - forTraining: Whether gradients will be asked for.
  ///   - provider: Which library multiplies.
  public convenience init(
    _ network: Network, samples: Int, slots: Int = 1, forTraining: Bool = true,
    provider: ProductProvider = .automatic
  ) {
    let partition = TreePartition(network, ranks: 1)
    self.init(
      network, partition, CommunicationPlan(network, partition), RankShare(whole: network),
      samples: samples, slots: slots, forTraining: forTraining, provider: provider)
  }

  /// Plans the share of a rank in a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  ///   - rank: The tree rank.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - slots: The shards that are computed together.
  public convenience init(
    _ network: Network, _ partition: TreePartition, rank: Int, samples: Int, slots: Int = 1
  ) {
    let plan = CommunicationPlan(network, partition)
    let share =
      partition.rankCount == 1
      ? RankShare(whole: network) : RankShare(network, partition, plan, rank: rank)
    self.init(network, partition, plan, share, samples: samples, slots: slots)
  }

  /// Plans the share of a rank in a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - partition: Who owns its boxes.
  ///   - plan: The communication of the network.
  ///   - share: What the rank holds.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - slots: The shards that are computed together.
  ///   - forTraining: Whether gradients will be asked for.
  ///   - provider: Which library multiplies.
  public init(
    _ network: Network, _ partition: TreePartition, _ plan: CommunicationPlan, _ share: RankShare,
    samples: Int, slots: Int = 1, forTraining: Bool = true, provider: ProductProvider = .automatic
  ) {
    self.network = network
    self.share = share
    self.samples = samples
    self.slots = slots
    isForTraining = forTraining
    wires = network.layers.map { ($0.source, $0.target, $0.addend) }
    values = (0..<slots).map { _ in
      AlignedBuffer.several(repeating: 0, counts: share.values.map { $0.channelCount * samples })
    }
    let backward = BackwardSchedule(network, plan)
    let order = SliceOrder(network)
    sliceOrder = order
    plans = network.layers.indices.map { layer in
      let item = network.layers[layer]
      return LayerPlan(
        item.layer, transposing: item.isTransposed ? network.slice(of: item).shape : nil,
        samples: samples, placement: share.layers[layer],
        needsInputGradient: forTraining && item.source != 0,
        accumulatesInput: backward.accumulates[layer],
        accumulatesWeights: !order.beginsWeights[layer],
        accumulatesBiases: !order.beginsBiases[layer], provider: provider)
    }
    let owners = CommunicationPlan.gradientOwners(network)
    sums = CommunicationPlan.activatedSums(network)
    let places = GradientMemory(network, plan, backward).places(
      share.gradients.map { forTraining ? $0.channelCount * samples : 0 })
    gradients = (0..<slots).map { _ in
      let own = AlignedBuffer<Scalar>.several(repeating: 0, places: places)
      return owners.map { own[$0] }
    }
    let plans = plans
    entries = (0..<slots).map { _ in
      AlignedBuffer.several(repeating: 0, counts: plans.map(\.entryScratchCount))
    }
    packed = AlignedBuffer.several(repeating: 0, counts: plans.map(\.packedWeightCount))
    transposed = AlignedBuffer(
      repeating: 0, count: forTraining ? plans.map(\.transposedCount).max() ?? 0 : 0)
    scratch = AlignedBuffer(
      repeating: 0, count: forTraining ? plans.map(\.gradientScratchCount).max() ?? 0 : 0)
    forwardSchedule = ForwardSchedule(network, plan)
    backwardSchedule = backward
    forwardExchange = BoxExchange(
      .forward, network, plan, share, samples: samples, slots: slots)
    backwardExchange = BoxExchange(
      .backward, network, plan, share, samples: samples, slots: forTraining ? slots : 0)
    weightExchange = WeightExchange(
      network, partition, share, plans, forTraining: forTraining)
    sumExchange = SumExchange(plans, share, slots: forTraining ? slots : 0)
  }

  /// The input of the first shard, to be filled before a forward pass.
  public var input: AlignedBuffer<Scalar> { values[0][0] }

  /// The output of the first shard in the last forward pass.
  public var output: AlignedBuffer<Scalar> { values[0][network.output] }

  /// Returns the gradient with respect to the output of a shard, to be filled before a backward pass.
  ///
  /// - Parameter slot: The shard.
  /// - Returns: The gradient, for the boxes in ``RankShare/gradients``.
  /// - Precondition: The executor was made for training.
  public func outputGradient(_ slot: Int) -> AlignedBuffer<Scalar> {
    precondition(isForTraining, "an executor that was not made for training has no gradients")
    return gradients[slot][network.output]
  }

  /// The gradient with respect to the output of the first shard.
  public var outputGradient: AlignedBuffer<Scalar> { outputGradient(0) }

  /// The places of the output's boxes that this rank computes: among those of a shard's output, and among
  /// those of its gradient.
  public var ownOutput: (values: Range<Int>, gradients: Range<Int>) {
    let (value, boxes) = (network.output, share.computed[network.output])
    guard let first = boxes.first else { return (0..<0, 0..<0) }
    let starts = network.values[value].layout.starts
    let count = (starts[boxes.upperBound] - starts[boxes.lowerBound]) * samples
    let places = (
      share.values[value].start(of: first) * samples,
      share.gradients[value].start(of: first) * samples
    )
    return (places.0..<places.0 + count, places.1..<places.1 + count)
  }

  /// The floating-point operations of the products of this rank's forward pass over one shard.
  public var forwardFlops: Int { plans.reduce(0) { $0 + $1.forwardFlops } }

  /// The floating-point operations of the products of this rank's backward pass over one shard.
  public var backwardFlops: Int { plans.reduce(0) { $0 + $1.backwardFlops } }

  /// Packs changed parameters; needed before a backward pass.
  ///
  /// - Parameter parameters: The parameters of the network.
  /// - Precondition: This is the only tree rank.
  public func parametersChanged(_ parameters: AlignedBuffer<Scalar>) {
    precondition(share.rankCount == 1, "ranks that share a network exchange weights")
    for layer in plans.indices { pack(layer, parameters) }
  }

  /// Packs changed parameters and fetches copies of those of other ranks that are needed here.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - parameters: The parameters that the rank holds.
  ///   - communicator: The tree ranks.
  /// - Throws: `MPIError` if a message fails.
  public func parametersChanged(
    _ parameters: AlignedBuffer<Scalar>, on communicator: borrowing Communicator
  ) throws(MPIError) {
    let before = clock?.enter(.communication)
    defer { if let before { clock?.enter(before) } }
    try weightExchange.run(parameters, on: communicator) {
      let before = clock?.enter(.elementwise)
      defer { if let before { clock?.enter(before) } }
      for layer in plans.indices { pack(layer, parameters) }
    }
    for layer in plans.indices where plans[layer].remoteWeightCount > 0 {
      let (remote, buffer) = (weightExchange.remote[layer], packed[layer])
      var span = buffer.mutableSpan
      plans[layer].packRemoteWeights(remote.span, into: &span)
    }
  }

  private func pack(_ layer: Int, _ parameters: AlignedBuffer<Scalar>) {
    let buffer = packed[layer]
    guard buffer.count > 0 else { return }
    var span = buffer.mutableSpan
    plans[layer].packWeights(parameters.span, into: &span)
  }
}
