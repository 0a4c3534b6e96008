import BlockKernels
import KrylovMethods
import MessagePassing
import NetworkExecution
import OperatorNetworks

/// A triangular factor or its transpose, as it acts on shards: products, solutions, derivatives in a direction.
///
/// Vectors are `[unknown][probe]`.
final class FactorMap {
  typealias Vectors = AlignedBuffer<Double>

  private let blocks: FactorBlocks
  private let isTransposed: Bool
  private let network: Network
  private let parameters: FactorParameters
  private lazy var plain = NetworkExecutor<Double>(
    network, samples: ShardSums.width, forTraining: false)
  private let tangentExecutor: NetworkExecutor<Double>

  /// Plans the passes.
  ///
  /// - Parameters:
  ///   - blocks: The blocks of the factor.
  ///   - isTransposed: Whether the map is the transposed factor.
  ///   - whole: The network that has all parameters.
  ///   - parameters: The parameters that the passes use.
  init(
    _ blocks: FactorBlocks, isTransposed: Bool, whole: Network, _ parameters: FactorParameters
  ) {
    (self.blocks, self.isTransposed, self.parameters) = (blocks, isTransposed, parameters)
    let own = isTransposed ? blocks.networks.transposed : blocks.networks.forward
    network = own.sharingSlices(of: whole)
    tangentExecutor = NetworkExecutor(
      network.tangent(), samples: ShardSums.width, forTraining: false)
  }

  /// Plans passes at fixed inputs, with gradients.
  func input(shards: Int) -> FixedInput { FixedInput(network, shards: shards, parameters) }

  /// Prepares products for new parameters.
  func parametersChanged() { plain.parametersChanged(parameters.values) }

  /// Prepares derivatives for new parameters or a new direction.
  func directionChanged() { tangentExecutor.parametersChanged(parameters.withDirection) }

  /// y = T x.
  func multiply(_ x: Vectors, into y: Vectors) {
    plain.input.copy(from: x, at: 0, to: 0..<x.count)
    plain.forward(parameters.values)
    y.copy(from: plain.output, at: 0, to: 0..<y.count)
  }

  /// y = δT x.
  func differentiate(_ x: Vectors, into y: Vectors) {
    differentiate(x)
    y.copy(from: tangentExecutor.output, at: 0, to: 0..<y.count)
  }

  /// y += δT x.
  func addDerivative(_ x: Vectors, to y: Vectors) {
    differentiate(x)
    VectorKernels.add(tangentExecutor.output, times: 1, to: y, in: 0..<y.count)
  }

  private func differentiate(_ x: Vectors) {
    tangentExecutor.input.copy(from: x, at: 0, to: 0..<x.count)
    tangentExecutor.forward(parameters.withDirection)
  }

  /// Replaces x by T⁻¹ x, or T⁻ᵀ x.
  func solve(_ x: Vectors, transposed: Bool = false) {
    parameters.solver(of: blocks)?.solve(
      x, count: ShardSums.width, transposed: isTransposed != transposed)
  }
}

/// The parameters that all passes use: their values, a direction behind them, and what solves with the factors.
final class FactorParameters {
  typealias Vectors = AlignedBuffer<Double>

  /// The parameters θ.
  let values: Vectors
  /// θ, and behind it a direction δ.
  let withDirection: Vectors
  private let factors: Factors
  private let solves: Bool
  private var lower: Substitution?
  private var upper: Substitution?

  init(_ factors: Factors, solves: Bool) {
    (self.factors, self.solves) = (factors, solves)
    values = Vectors(repeating: 0, count: factors.parameterCount)
    withDirection = Vectors(repeating: 0, count: 2 * factors.parameterCount)
  }

  /// Sets the parameters.
  ///
  /// - Throws: `RunError` (65) if a factor that is to be solved with is singular.
  func set(_ parameters: Vectors) throws(RunError) {
    values.copy(from: parameters, at: 0, to: 0..<values.count)
    withDirection.copy(from: parameters, at: 0, to: 0..<values.count)
    guard solves else { return }
    lower = try Substitution(factors.lower, values)
    upper = factors.isSymmetric ? lower : try Substitution(factors.upper, values)
  }

  /// Sets the direction.
  func setDirection(_ direction: Vectors) {
    withDirection.copy(from: direction, at: 0, to: values.count..<2 * values.count)
  }

  fileprivate func solver(of blocks: FactorBlocks) -> Substitution? {
    blocks.networks.prefix == factors.lower.networks.prefix ? lower : upper
  }
}

/// A factor at fixed inputs, one for each shard, and the gradients there.
final class FixedInput {
  typealias Vectors = AlignedBuffer<Double>

  private let executor: NetworkExecutor<Double>
  private let parameters: FactorParameters

  fileprivate init(_ network: Network, shards: Int, _ parameters: FactorParameters) {
    self.parameters = parameters
    executor = NetworkExecutor(
      network, samples: ShardSums.width, slots: max(shards, 1))
  }

  /// Prepares gradients for new parameters.
  func parametersChanged() { executor.parametersChanged(parameters.values) }

  /// Sets the input of a shard and computes the product with it.
  func set(_ slot: Int, _ vectors: Vectors) {
    executor.values[slot][0].copy(from: vectors, at: 0, to: 0..<vectors.count)
    executor.forward(parameters.values, slot: slot)
  }

  /// The input of a shard.
  func vectors(_ slot: Int) -> Vectors { executor.values[slot][0] }

  /// The product with the input of a shard.
  func product(_ slot: Int) -> Vectors { executor.values[slot][executor.network.output] }

  /// Computes the gradient of ⟨v, T x⟩ with respect to the parameters.
  func gradient(_ slot: Int, of vectors: Vectors, into gradient: Vectors) {
    executor.outputGradient(slot).copy(from: vectors, at: 0, to: 0..<vectors.count)
    executor.backward(into: gradient, slot: slot)
  }
}
