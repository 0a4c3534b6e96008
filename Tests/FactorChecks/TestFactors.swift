import BlockKernels
import BlockSparse
import ClusterTrees
import NetworkExecution
import OperatorNetworks

@testable import Factorization

/// Factors with parameters of which every rank makes the same.
struct TestFactors {
  let name: String
  let factors: Factors
  let parameters: AlignedBuffer<Double>

  /// The number of unknowns.
  var order: Int { factors.structure.tree.points.count }

  /// Makes well-conditioned factors: about ones on the diagonal, small numbers elsewhere.
  init(
    _ shape: [Int], levels: Int, _ pattern: FactorPattern, channels: [Int], isSymmetric: Bool,
    scale: Double = 0.3
  ) throws {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: nil, levels: levels)
    let structure = try FactorStructure(tree: tree, pattern: pattern, channels: channels)
    factors = Factors(structure, isSymmetric: isSymmetric)
    name =
      "\(pattern.rawValue) \(shape.map(String.init).joined(separator: "x")) r=\(channels)"
      + (isSymmetric ? " symmetric" : "")
    parameters = AlignedBuffer(repeating: 0, count: factors.parameterCount)
    var stream = RandomStream(seed: 3, purpose: 0x46, index: UInt64(shape[0]))
    for place in 0..<parameters.count { parameters[place] = scale * (2 * stream.uniform() - 1) }
    var span = parameters.mutableSpan
    for slice in isSymmetric
      ? [factors.lower.diagonal] : [factors.lower.diagonal, factors.upper.diagonal]
    {
      for leaf in 0..<slice.shape.target.boxCount {
        var block = slice.block(leaf, 0, span.span)
        for k in 0..<block.rows { block[k, k] += 1.5 }
        slice.set(leaf, 0, block, &span)
      }
    }
  }
}

extension TestFactors {
  /// Makes right-hand sides, and solves by dense matrices.
  func solutions(
    _ form: FactorForm, columns: Int
  ) throws -> (right: DenseMatrix, solutions: DenseMatrix) {
    var right = DenseMatrix(rows: order, columns: columns)
    for place in right.elements.indices {
      right.elements[place] = Double((place * 7919) % 1009) / 504 - 1
    }
    let (lower, upper) = (dense(factors.lower), dense(factors.upper).transposed)
    let solutions =
      switch form {
      case .product: try upper.inverse().times(try lower.inverse().times(right))
      case .inverse: upper.times(lower.times(right))
      }
    return (right, solutions)
  }

  /// The matrix of a factor, by a pass of its network over the identity.
  private func dense(_ blocks: FactorBlocks) -> DenseMatrix {
    let samples = (order + 15) / 16 * 16
    let network = blocks.networks.forward.sharingSlices(of: factors.upper.networks.forward)
    let executor = NetworkExecutor<Double>(network, samples: samples, forTraining: false)
    for k in 0..<order { executor.input[k * samples + k] = 1 }
    executor.forward(parameters)
    var result = DenseMatrix(rows: order, columns: order)
    for i in 0..<order {
      for j in 0..<order { result[i, j] = executor.output[i * samples + j] }
    }
    return result
  }
}
