import BlockKernels
import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

@testable import Factorization

@Suite("Blocks of triangular factors")
struct FactorBlocksTests {
  @Test("blocks above the diagonal are zero, all others are there", arguments: FactorCase.all)
  func triangle(factor: FactorCase) throws {
    let blocks = try factor.blocks()
    let matrix = DenseFactor(blocks: blocks, parameters: factor.parameters(blocks)).matrix
    let structure = blocks.structure
    let tree = structure.tree
    #expect(blocks.networks.forward.activeParameterCount == structure.parameterCount)
    for i in 0..<tree.boxCount(level: tree.levels) {
      for j in 0..<tree.boxCount(level: tree.levels) {
        let block = matrix.block(
          tree.pointRange(level: tree.levels, box: i), tree.pointRange(level: tree.levels, box: j))
        if j > i {
          #expect(block.elements.allSatisfy { $0 == 0 })
        } else if structure.coarsest != nil || j == i {
          #expect(!block.elements.contains(0), "block \(i), \(j)")
        }
      }
    }
  }

  /// How often blocks of the lower triangle are covered: notes of the structure in the documentation.
  @Test(
    "each block of the triangle is covered once by weak and strong",
    arguments: FactorCase.all.filter { $0.pattern != .blog })
  func coverage(factor: FactorCase) throws {
    let structure = try factor.blocks().structure
    #expect(Set(Self.coverage(structure)).subtracting([1]).isEmpty)
  }

  /// Returns for each block on or below the diagonal by how many lists it is covered.
  private static func coverage(_ structure: FactorStructure) -> [Int] {
    let tree = structure.tree
    var counts: [Int] = []
    for i in 0..<tree.boxCount(level: tree.levels) {
      for j in 0...i {
        var count = i == j || structure.near.sources(of: i).contains(Int32(j)) ? 1 : 0
        var (a, b) = (i, j)
        for level in stride(from: tree.levels, through: 0, by: -1) {
          if structure.far[level].sources(of: a).contains(Int32(b)) { count += 1 }
          (a, b) = (a / tree.arity, b / tree.arity)
        }
        counts.append(count)
      }
    }
    return counts
  }

  @Test("the bridges of the paper cover some blocks more than once")
  func blog() throws {
    for (levels, twice, all) in [(3, 6, 36), (7, 2016, 8256)] {
      let structure = try FactorCase([32 << levels], levels, .blog, [1]).blocks().structure
      let counts = Self.coverage(structure)
      #expect(counts.count == all && !counts.contains(0))
      #expect(counts.filter { $0 > 1 }.count == twice && counts.max() == levels)
    }
    #expect(throws: NetworkError.self) { try FactorCase([16, 16], 2, .blog, [1]).blocks() }
  }

  @Test(
    "factors have as many parameters as the formula says",
    arguments: [
      (FactorPattern.strong, 3, [1: 15900, 2: 16496, 4: 17856, 8: 21248, 16: 30720]),
      (.weak, 3, [1: 8735, 2: 9340, 4: 10736, 8: 14272, 16: 24320]),
      (.blog, 3, [1: 15900, 2: 16496, 4: 17856, 8: 21248, 16: 30720]),
      (.strong, 7, [1: 270168, 2: 280928, 4: 307584, 8: 381440, 16: 611328]),
      (.weak, 7, [1: 139895, 2: 149980, 4: 173936, 8: 236992, 16: 423680]),
      (.blog, 7, [1: 269936, 2: 280000, 4: 303872, 8: 366592, 16: 551936]),
      (.strong, 9, [8: 1_536_128]), (.weak, 9, [8: 949_696]),
    ])
  func parameterCounts(pattern: FactorPattern, levels: Int, counts: [Int: Int]) throws {
    for (channels, count) in counts {
      let factor = FactorCase([32 << levels], levels, pattern, [channels])
      #expect(try factor.blocks().structure.parameterCount == count, "r = \(channels)")
    }
  }

  @Test(
    "the inverse of a weak factor has its structure",
    arguments: FactorCase.all.filter { $0.pattern == .weak } + [
      FactorCase([256], 3, .weak, [4]), FactorCase([1024], 5, .weak, [3]),
    ])
  func inverse(factor: FactorCase) throws {
    let blocks = try factor.blocks()
    let parameters = factor.parameters(blocks)
    let matrix = DenseFactor(blocks: blocks, parameters: parameters).matrix
    let inverted = AlignedBuffer<Double>(repeating: 0, count: parameters.count)
    try blocks.invert(parameters, into: inverted)
    let inverse = DenseFactor(blocks: blocks, parameters: inverted).matrix
    let product = matrix.times(inverse)
    var worst = 0.0
    for row in 0..<product.rows {
      for column in 0..<product.columns {
        worst = max(worst, abs(product[row, column] - (row == column ? 1 : 0)))
      }
    }
    #expect(worst <= 1e-13)
  }

  @Test("substitution solves with the factor and its transpose", arguments: FactorCase.all)
  func substitution(factor: FactorCase) throws {
    let blocks = try factor.blocks()
    let parameters = factor.parameters(blocks)
    let matrix = DenseFactor(blocks: blocks, parameters: parameters).matrix
    let solver = try Substitution(blocks, parameters)
    let (n, count) = (matrix.rows, 3)
    // Vector by vector as columns, and unknown by unknown as the solver wants them.
    var truth = DenseMatrix(rows: n, columns: count)
    for place in truth.elements.indices { truth.elements[place] = cos(Double(3 * place + 1)) }
    for transposed in [false, true] {
      let right = matrix.times(truth, transposesLeft: transposed)
      let vectors = AlignedBuffer<Double>(repeating: 0, count: n * count)
      for row in 0..<n {
        for vector in 0..<count { vectors[row * count + vector] = right[row, vector] }
      }
      solver.solve(vectors, count: count, transposed: transposed)
      for row in 0..<n {
        for vector in 0..<count {
          #expect(abs(vectors[row * count + vector] - truth[row, vector]) < 1e-12)
        }
      }
    }
  }
}
