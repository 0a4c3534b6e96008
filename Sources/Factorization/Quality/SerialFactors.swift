import BlockKernels
import ClusterTrees
import NetworkExecution
import OperatorNetworks

/// Factors on one rank, for blocks of 16 vectors.
///
/// Blocks are `[unknown][vector]` in the order of the tree.
struct SerialFactors {
  /// The vectors of a block.
  static let width = 16

  /// The number of unknowns.
  let count: Int
  private let form: FactorForm
  private let parameters: AlignedBuffer<Double>
  private let lower: Substitution
  private let upper: Substitution
  /// y = L x and y = Lᵀ x, or W instead of L.
  private let lowerNetworks: (plain: NetworkExecutor<Double>, transposed: NetworkExecutor<Double>)
  /// The same for Uᵀ.
  private let upperNetworks: (plain: NetworkExecutor<Double>, transposed: NetworkExecutor<Double>)

  /// Prepares.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - form: What the parameters stand for.
  ///   - parameters: The parameters.
  /// - Throws: What substitution throws if a diagonal block is singular.
  init(_ factors: Factors, form: FactorForm, parameters: AlignedBuffer<Double>) throws {
    count = factors.structure.tree.points.count
    (self.form, self.parameters) = (form, parameters)
    lower = try Substitution(factors.lower, parameters)
    upper = try Substitution(factors.upper, parameters)
    let whole = factors.upper.networks.forward
    func executor(_ network: Network) -> NetworkExecutor<Double> {
      let executor = NetworkExecutor<Double>(
        network.sharingSlices(of: whole), samples: Self.width, forTraining: false)
      // Transposed layers read packed weights.
      executor.parametersChanged(parameters)
      return executor
    }
    let (left, right) = (factors.lower.networks, factors.upper.networks)
    lowerNetworks = (executor(left.forward), executor(left.transposed))
    upperNetworks =
      factors.isSymmetric
      ? lowerNetworks : (executor(right.forward), executor(right.transposed))
  }

  /// Replaces a block X by L U X, or by (L U)ᵀ X.
  func multiply(_ block: AlignedBuffer<Double>, transposed: Bool = false) {
    switch (form, transposed) {
    case (.product, false):
      pass(upperNetworks.transposed, block)
      pass(lowerNetworks.plain, block)
    case (.product, true):
      pass(lowerNetworks.transposed, block)
      pass(upperNetworks.plain, block)
    case (.inverse, false):
      upper.solve(block, count: Self.width, transposed: true)
      lower.solve(block, count: Self.width, transposed: false)
    case (.inverse, true):
      lower.solve(block, count: Self.width, transposed: true)
      upper.solve(block, count: Self.width, transposed: false)
    }
  }

  /// Replaces a block X by L⁻¹ X.
  func solveLower(_ block: AlignedBuffer<Double>) {
    switch form {
    case .product: lower.solve(block, count: Self.width, transposed: false)
    case .inverse: pass(lowerNetworks.plain, block)
    }
  }

  /// Replaces a block X by U⁻¹ X.
  func solveUpper(_ block: AlignedBuffer<Double>) {
    switch form {
    case .product: upper.solve(block, count: Self.width, transposed: true)
    case .inverse: pass(upperNetworks.transposed, block)
    }
  }

  private func pass(_ executor: NetworkExecutor<Double>, _ block: AlignedBuffer<Double>) {
    var input = executor.input.mutableSpan
    for place in input.indices { input[place] = block[place] }
    executor.forward(parameters)
    let output = executor.output.span
    for place in output.indices { block[place] = output[place] }
  }
}
