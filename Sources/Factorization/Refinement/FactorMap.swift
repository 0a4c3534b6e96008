import BlockKernels
import KrylovMethods
import MessagePassing
import NetworkExecution
import OperatorNetworks

/// A triangular factor or its transpose, as it acts on shards: products, solutions, derivatives in a direction.
///
/// Vectors are those of this rank's unknowns, `[unknown][probe]`. All of it is collective over the ranks of a group.
final class FactorMap {
  typealias Vectors = AlignedBuffer<Double>

  private let blocks: FactorBlocks
  private let isTransposed: Bool
  private let network: Network
  private let parameters: FactorParameters
  private lazy var plain = TreePass(network, parameters.ranks, forTraining: false)
  private let tangent: TreePass

  /// Plans the passes.
  ///
  /// - Parameters:
  ///   - blocks: The blocks of the factor.
  ///   - isTransposed: Whether the map is the transposed factor.
  ///   - parameters: The parameters that the passes use.
  init(_ blocks: FactorBlocks, isTransposed: Bool, _ parameters: FactorParameters) {
    (self.blocks, self.isTransposed, self.parameters) = (blocks, isTransposed, parameters)
    let own = isTransposed ? blocks.networks.transposed : blocks.networks.forward
    network = own.sharingSlices(of: parameters.ranks.factors.upper.networks.forward)
    tangent = TreePass(network.tangent(), parameters.ranks, forTraining: false)
  }

  /// Plans passes at fixed inputs, with gradients.
  func input(shards: Int) -> FixedInput { FixedInput(network, shards: shards, parameters) }

  /// Prepares products for new parameters.
  func parametersChanged() throws { try plain.parametersChanged(parameters.own) }

  /// Prepares derivatives for new parameters or a new direction.
  func directionChanged() throws { try tangent.parametersChanged(parameters.ownWithDirection) }

  /// y = T x.
  func multiply(_ x: Vectors, into y: Vectors) throws {
    try plain.setInput(x)
    try plain.forward(parameters.own)
    y.copy(from: plain.output(), at: 0, to: 0..<y.count)
  }

  /// y = δT x.
  func differentiate(_ x: FixedInput, _ slot: Int, into y: Vectors) throws {
    try differentiate(x, slot)
    y.copy(from: tangent.output(), at: 0, to: 0..<y.count)
  }

  /// y += δT x.
  func addDerivative(_ x: FixedInput, _ slot: Int, to y: Vectors) throws {
    try differentiate(x, slot)
    VectorKernels.add(tangent.output(), times: 1, to: y, in: 0..<y.count)
  }

  private func differentiate(_ x: FixedInput, _ slot: Int) throws {
    tangent.setInput(of: x.pass, slot)
    try tangent.forward(parameters.ownWithDirection)
  }

  /// Replaces x by T⁻¹ x, or T⁻ᵀ x.
  func solve(_ x: Vectors, transposed: Bool = false) throws {
    try parameters.solve(blocks, x, transposed: isTransposed != transposed)
  }
}

/// The parameters that all passes use: their values, a direction behind them, and what solves with the factors.
final class FactorParameters {
  typealias Vectors = AlignedBuffer<Double>

  /// The ranks that train.
  let ranks: TrainingRanks
  /// The parameters θ of this rank.
  let own: Vectors
  /// θ of this rank, and behind it a direction δ.
  let ownWithDirection: Vectors
  private let solves: Bool
  private var lower: Substitution?
  private var upper: Substitution?

  init(_ ranks: TrainingRanks, solves: Bool) {
    (self.ranks, self.solves) = (ranks, solves)
    own = Vectors(repeating: 0, count: ranks.ownParameterCount)
    ownWithDirection = Vectors(repeating: 0, count: 2 * own.count)
  }

  /// Sets the parameters, given all of them.
  ///
  /// - Throws: `RunError` (65), the same on all ranks, if a factor that is to be solved with is singular; `MPIError`.
  func set(_ parameters: Vectors) throws {
    ranks.takeOwn(parameters, into: own)
    ownWithDirection.copy(from: own, at: 0, to: 0..<own.count)
    guard solves else { return }
    lower = try substitution(ranks.factors.lower, parameters)
    upper =
      ranks.factors.isSymmetric ? lower : try substitution(ranks.factors.upper, parameters)
  }

  private func substitution(
    _ blocks: FactorBlocks, _ parameters: Vectors
  ) throws -> Substitution? {
    if ranks.treeRanks == 1 { return try Substitution(blocks, parameters) }
    var result: Substitution?
    try ranks.withGroup { group in
      result = try Substitution(
        blocks, parameters, partition: ranks.partition, ranks: group)
    }
    return result
  }

  /// Sets the direction, given all of it.
  func setDirection(_ direction: Vectors) {
    ranks.takeOwn(direction, into: ownWithDirection, at: own.count)
  }

  /// Replaces x by L⁻¹ x, or L⁻ᵀ x.
  fileprivate func solve(_ blocks: FactorBlocks, _ x: Vectors, transposed: Bool) throws {
    let isLower = blocks.networks.prefix == ranks.factors.lower.networks.prefix
    guard let solver = isLower ? lower : upper else {
      preconditionFailure("solving with factors that were not prepared for it")
    }
    if ranks.treeRanks == 1 {
      solver.solve(x, count: Probes.width, transposed: transposed)
    } else {
      try ranks.withGroup { group in
        try solver.solve(x, count: Probes.width, transposed: transposed, on: group)
      }
    }
  }
}

/// A factor at fixed inputs, one for each shard, and the gradients there.
final class FixedInput {
  typealias Vectors = AlignedBuffer<Double>

  fileprivate let pass: TreePass
  private let parameters: FactorParameters

  fileprivate init(_ network: Network, shards: Int, _ parameters: FactorParameters) {
    self.parameters = parameters
    pass = TreePass(network, parameters.ranks, slots: max(shards, 1))
  }

  /// Prepares gradients for new parameters.
  func parametersChanged() throws { try pass.parametersChanged(parameters.own) }

  /// Sets the input of a shard and computes the product with it.
  func set(_ slot: Int, _ vectors: Vectors) throws {
    try pass.setInput(vectors, slot)
    try pass.forward(parameters.own, slot)
  }

  /// The product with the input of a shard.
  func product(_ slot: Int) -> Vectors { pass.output(slot) }

  /// Computes the gradient of ⟨v, T x⟩ with respect to this rank's parameters.
  func gradient(_ slot: Int, of vectors: Vectors, into gradient: Vectors) throws {
    try pass.backward(slot, vectors, into: gradient)
  }
}
