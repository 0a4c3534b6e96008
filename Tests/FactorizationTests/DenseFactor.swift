import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

@testable import Factorization

/// The matrix of a factor, block by block from the definition: L_ij = U_a S_ab V_bᵀ with bases written out.
struct DenseFactor {
  let blocks: FactorBlocks
  let parameters: AlignedBuffer<Double>

  var matrix: DenseMatrix {
    let structure = blocks.structure
    let tree = structure.tree
    let n = tree.points.count
    let span = parameters.span
    var result = DenseMatrix(rows: n, columns: n)
    func points(_ level: Int, _ box: Int) -> Range<Int> { tree.pointRange(level: level, box: box) }
    func add(_ block: DenseMatrix, _ rows: Range<Int>, _ columns: Range<Int>) {
      for (j, column) in columns.enumerated() {
        for (i, row) in rows.enumerated() { result[row, column] += block[i, j] }
      }
    }
    for leaf in 0..<tree.boxCount(level: tree.levels) {
      add(
        blocks.diagonal.block(leaf, 0, span), points(tree.levels, leaf), points(tree.levels, leaf))
      for (entry, source) in structure.near.sources(of: leaf).enumerated() {
        guard let near = blocks.near else { continue }
        add(
          near.block(leaf, entry, span), points(tree.levels, leaf), points(tree.levels, Int(source))
        )
      }
    }
    guard let coarsest = structure.coarsest else { return result }
    /// U of a box, unknowns × vectors.
    func rowBasis(_ level: Int, _ box: Int) -> DenseMatrix {
      guard level < tree.levels, let slice = blocks.interpolations[level] else {
        return blocks.leafInterpolation?.block(box, 0, span) ?? DenseMatrix(rows: 0, columns: 0)
      }
      return .stacked(
        tree.children(level: level, box: box).map {
          rowBasis(level + 1, $0).times(slice.block($0, 0, span))
        })
    }
    /// V of a box, unknowns × vectors.
    func columnBasis(_ level: Int, _ box: Int) -> DenseMatrix {
      guard level < tree.levels, let slice = blocks.restrictions[level] else {
        return (blocks.leafRestriction?.block(box, 0, span) ?? DenseMatrix(rows: 0, columns: 0))
          .transposed
      }
      return .stacked(
        tree.children(level: level, box: box).enumerated().map { entry, child in
          columnBasis(level + 1, child).times(
            slice.block(box, entry, span), transposesRight: true)
        })
    }
    for level in coarsest...tree.levels {
      guard let bridge = blocks.bridges[level] else { continue }
      for box in 0..<tree.boxCount(level: level) {
        for (entry, source) in structure.far[level].sources(of: box).enumerated() {
          let block = rowBasis(level, box).times(bridge.block(box, entry, span))
            .times(columnBasis(level, Int(source)), transposesRight: true)
          add(block, points(level, box), points(level, Int(source)))
        }
      }
    }
    return result
  }
}

/// A factor that tests use.
struct FactorCase: CustomTestStringConvertible, Sendable {
  let shape: [Int]
  let levels: Int
  let pattern: FactorPattern
  let channels: [Int]

  init(_ shape: [Int], _ levels: Int, _ pattern: FactorPattern, _ channels: [Int]) {
    (self.shape, self.levels, self.pattern, self.channels) = (shape, levels, pattern, channels)
  }

  var testDescription: String { "\(shape) \(levels) levels \(pattern.rawValue) r = \(channels)" }

  func blocks() throws -> FactorBlocks {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: nil, levels: levels)
    return FactorBlocks(
      FactorNetworks(try FactorStructure(tree: tree, pattern: pattern, channels: channels)))
  }

  /// Parameters of a well-conditioned factor: about ones on the diagonal, small ones elsewhere.
  func parameters(_ blocks: FactorBlocks, seed: UInt64 = 1) -> AlignedBuffer<Double> {
    let network = blocks.networks.forward
    let result = AlignedBuffer<Double>(repeating: 0, count: network.activeParameterCount)
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    for place in 0..<result.count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      result[place] = 0.3 * (Double(state >> 11) / Double(1 << 52) - 1)
    }
    var span = result.mutableSpan
    for leaf in 0..<blocks.diagonal.shape.target.boxCount {
      var block = blocks.diagonal.block(leaf, 0, span.span)
      for k in 0..<block.rows { block[k, k] += 1.5 }
      blocks.diagonal.set(leaf, 0, block, &span)
    }
    return result
  }

  static let all = [
    FactorCase([32], 3, .weak, [2]), FactorCase([32], 3, .strong, [2]),
    FactorCase([32], 3, .blog, [2]), FactorCase([37], 3, .weak, [3]),
    FactorCase([37], 3, .strong, [1, 3, 2, 3]), FactorCase([16, 16], 2, .weak, [3]),
    FactorCase([16, 16], 3, .strong, [2]), FactorCase([13, 18], 2, .strong, [4]),
    FactorCase([8, 8, 8], 2, .strong, [2]), FactorCase([8, 8, 8], 2, .weak, [3]),
    FactorCase([16], 2, .strong, [0]), FactorCase([16], 2, .weak, [0]),
    FactorCase([5], 0, .weak, [2]),
  ]
}
