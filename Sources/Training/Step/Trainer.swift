package import BlockKernels
import BlockSparse
import Checkpoints
import Datasets
package import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5

/// Minimizes the weighted sum of one objective or several on one store of parameters: batches, gradients, their sum over
/// data groups, updates.
package final class Trainer<Scalar: KernelScalar & MPIScalar> {
  let options: TrainingOptions
  /// The terms of what is minimized; the first one says which parameters there are.
  package let objectives: [Objective<Scalar>]
  /// The parameters that this rank holds.
  package let parameters: AlignedBuffer<Scalar>
  private(set) var optimizer: Optimizer<Scalar>
  private(set) var step = 0
  /// For each data group: the number of parameters that it owns.
  private let ownedCounts: [Int]
  /// The sum of the objectives' gradients in the range that this rank's group owns; empty for a single objective.
  private let sum: AlignedBuffer<Scalar>
  private let group: Int
  private let products: ParameterProduct

  private var first: Objective<Scalar> { objectives[0] }
  var network: Network { first.network }
  var executor: NetworkExecutor<Scalar> { first.executor }
  /// Measures the parts of a step, if wanted.
  var clock: StepClock? {
    get { first.clock }
    set { for objective in objectives { objective.clock = newValue } }
  }
  /// What the loss is divided by before its gradient is taken, a power of two.
  package var lossUnit: Double { first.lossUnit }
  /// The number of training samples of the first objective.
  var trainingCount: Int { first.trainingCount }
  /// How the gradients of the last step were summed.
  var reduction: GradientReduction<Scalar> { first.reduction }

  /// Plans the steps of a rank for one objective.
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
  convenience init(
    _ network: Network, _ plan: StepPlan, _ share: RankShare, options: TrainingOptions,
    source: SampleSource, normalization: Normalization, norms: [Double],
    on grid: borrowing ProcessGrid
  ) {
    let objective = Objective<Scalar>(
      network, plan.partition, plan.communication, share, wave: plan.wave, options: options,
      source: source, normalization: normalization, norms: norms, on: grid)
    self.init([objective], options: options, on: grid)
  }

  /// Plans the steps of a rank.
  ///
  /// - Parameters:
  ///   - objectives: What is minimized: the sum of their losses, each with its weight.
  ///   - options: How the parameters are updated.
  ///   - grid: The process grid.
  /// - Precondition: The networks have the same slices, spread over ranks together (`TreePartition.joint`).
  package init(
    _ objectives: [Objective<Scalar>], options: TrainingOptions, on grid: borrowing ProcessGrid
  ) {
    let share = objectives[0].executor.share
    for objective in objectives {
      precondition(
        objective.executor.share.parameters == share.parameters
          && objective.network.slices.map(\.range) == objectives[0].network.slices.map(\.range),
        "objectives on different parameters")
    }
    self.objectives = objectives
    self.options = options
    group = grid.group
    let count = share.parameterCount
    parameters = AlignedBuffer(repeating: 0, count: count)
    ownedCounts = (0..<grid.dataGroups).map {
      evenPiece(of: count, pieces: grid.dataGroups, piece: $0).count
    }
    let owned = evenPiece(of: count, pieces: grid.dataGroups, piece: grid.group)
    let active = share.activeRanges(objectives[0].network).compactMap { range in
      let part = range.clamped(to: owned)
      return part.isEmpty
        ? nil : part.lowerBound - owned.lowerBound..<part.upperBound - owned.lowerBound
    }
    optimizer = Optimizer(options, count: owned.count, active: active)
    sum = AlignedBuffer(repeating: 0, count: objectives.count > 1 ? owned.count : 0)
    products = ParameterProduct(objectives[0].network, share, owned: owned)
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
  package func initialize(
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
    try prepare(on: grid)
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
    optimizer.scaleMoments(by: lossUnit / self.lossUnit)
    optimizer.resume(after: steps)
    step = steps
    try prepare(on: grid)
  }

  /// Chooses the samples of the coming step and tells the executors of the parameters.
  private func prepare(on grid: borrowing ProcessGrid) throws(MPIError) {
    for objective in objectives { objective.chooseSamples(step) }
    try parametersChanged(on: grid)
  }

  /// Tells the executors of parameters that the caller has changed, the same on all data groups.
  ///
  /// Collective.
  package func parametersChanged(on grid: borrowing ProcessGrid) throws(MPIError) {
    for objective in objectives {
      try objective.executor.parametersChanged(parameters, on: grid.tree)
    }
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
  package func makeStep(on grid: borrowing ProcessGrid) throws -> Bool {
    let gradient = try computeGradient(on: grid)
    return try update(gradient, on: grid)
  }

  /// Computes the loss of the coming step's batch and its gradient, and changes no parameter.
  ///
  /// Collective. Called again, or before ``update(_:on:)``, it takes the same samples.
  ///
  /// - Parameter grid: The process grid.
  /// - Returns: The loss; and its gradient divided by ``lossUnit``, in the range of the rank's parameters that its
  ///   data group owns. The buffer is used again by the next call.
  /// - Throws: `MPIError` if an exchange fails, an `ExitStatusError` if samples cannot be read.
  package func evaluate(
    on grid: borrowing ProcessGrid
  ) throws -> (loss: Double, gradient: AlignedBuffer<Scalar>) {
    let gradient = try computeGradient(on: grid)
    return (try lastLoss(on: grid), gradient)
  }

  /// Moves the parameters that are not frozen by one step of the optimizer, on all ranks.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - gradient: The gradient in the range that the rank's data group owns.
  ///   - grid: The process grid.
  /// - Returns: Whether this rank's part of the last loss and the parameters that it owns are finite.
  /// - Throws: `MPIError` if an exchange fails.
  package func update(
    _ gradient: AlignedBuffer<Scalar>, on grid: borrowing ProcessGrid
  ) throws(MPIError) -> Bool {
    clock?.enter(.optimizer)
    let parameters = parameters
    var span = parameters.mutableSpan
    let isFinite = optimizer.update(
      &span, range: reduction.owned(by: group), gradient: gradient.span)
    clock?.enter(.communication)
    try gatherParameters(on: grid.groups)
    try parametersChanged(on: grid)
    clock?.enter(.other)
    step += 1
    var areFinite = isFinite
    for objective in objectives { areFinite = objective.isFinite && areFinite }
    return areFinite
  }

  /// Computes the gradient of the sum in the owned range.
  private func computeGradient(on grid: borrowing ProcessGrid) throws -> AlignedBuffer<Scalar> {
    for objective in objectives {
      try objective.computeGradient(step, parameters, on: grid)
    }
    guard objectives.count > 1 else { return reduction.result }
    // In the order of the objectives, each in units of the first one's loss.
    let sum = sum
    sum.fill(0)
    for objective in objectives {
      let factor = Scalar(objective.weight * (objective.lossUnit / lossUnit))
      let term = objective.reduction.result
      for place in 0..<sum.count { sum[place] += factor * term[place] }
    }
    return sum
  }

  /// Returns the product of two vectors over all parameters, with the same bits on any process grid.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - a: A number for each parameter of the range that the rank's data group owns.
  ///   - b: The same.
  ///   - grid: The process grid.
  /// - Returns: Σ aᵢ bᵢ.
  /// - Throws: `MPIError` if an exchange fails.
  package func dot(
    _ a: AlignedBuffer<Scalar>, _ b: AlignedBuffer<Scalar>, on grid: borrowing ProcessGrid
  ) throws(MPIError) -> Double {
    try products.dot(a.span, b.span, on: grid.world)
  }

  /// Returns whether the networks, as they are now, give finite outputs for a shard of the coming step.
  ///
  /// Collective for the tree ranks; a group without shards returns true.
  func outputsAreFinite(on grid: borrowing ProcessGrid) throws -> Bool {
    var areFinite = true
    for objective in objectives {
      areFinite = try objective.outputsAreFinite(parameters, on: grid) && areFinite
    }
    return areFinite
  }

  private func gatherParameters(on groups: borrowing Communicator) throws(MPIError) {
    guard groups.size > 1 else { return }
    let parameters = parameters
    groups.stallWatch.phase = .init("gathering of parameters")
    var span = parameters.mutableSpan
    try groups.allGatherInPlace(&span, counts: ownedCounts)
  }

  /// Returns the loss of the last step: the weighted sum of those of the objectives.
  ///
  /// Collective.
  package func lastLoss(on grid: borrowing ProcessGrid) throws(MPIError) -> Double {
    guard objectives.count > 1 else { return try first.lastLoss(on: grid) }
    var total = 0.0
    for objective in objectives {
      total += objective.weight * (try objective.lastLoss(on: grid))
    }
    return total
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
