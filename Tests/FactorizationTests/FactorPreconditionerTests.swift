import AllocationCounter
import BlockKernels
import ClusterTrees
import MessagePassing
import OperatorNetworks
import Testing

@testable import Factorization

/// Each case is a process of its own, which can initialize MPI.
@Suite("Preconditioners of factors")
struct FactorPreconditionerTests {
  @Test("solving on one rank allocates nothing")
  func allocations() async {
    await #expect(processExitsWith: .success) {
      try MPIEnvironment.run { world in
        for factor in [
          FactorCase([37], 3, .weak, [3]), FactorCase([16, 16], 3, .strong, [2]),
        ] {
          let blocks = try factor.blocks()
          let factors = Factors(blocks.structure, isSymmetric: true)
          let parameters = factor.parameters(blocks)
          let solver = try FactorPreconditioner(
            factors, form: .product, parameters: parameters, ranks: world)
          let right = [Double](repeating: 1, count: 17 * solver.rowCount)
          var solution = right
          var counts: [Int] = []
          // The first time makes memory for so many vectors.
          for _ in 0..<2 {
            let read = right.span
            var x = solution.mutableSpan
            allocation_counter_start()
            try solver.apply(read, into: &x, columns: 17, on: world)
            counts.append(allocation_counter_stop())
          }
          try #require(counts[0] > 0 && counts[1] == 0)
          try #require(solution != right && solution.allSatisfy(\.isFinite))
        }
      }
    }
  }

  @Test("factors that cannot be solved with are refused by name")
  func refusals() throws {
    let factor = FactorCase([16, 16], 2, .strong, [2])
    let blocks = try factor.blocks()
    let parameters = factor.parameters(blocks)
    let tree = blocks.structure.tree
    var span = parameters.mutableSpan
    var block = blocks.diagonal.block(5, 0, span.span)
    for k in 0..<block.rows { block[k, 2] = 0 }
    blocks.diagonal.set(5, 0, block, &span)
    let first = tree.order[tree.pointRange(level: 2, box: 5).lowerBound]
    let error = #expect(throws: RunError.self) { try Substitution(blocks, parameters) }
    #expect(error?.exitStatus == 65)
    #expect(error?.message.contains("unknown \(first) is numerically singular") == true)
  }
}
