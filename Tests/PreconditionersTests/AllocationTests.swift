import AllocationCounter
import KrylovMethods
import MessagePassing
import Preconditioners
import SparseMatrices
import Testing

/// The case is a process of its own, which can initialize MPI.
@Suite("Allocations of preconditioners")
struct PreconditionerAllocationTests {
  @Test("applications allocate nothing")
  func applications() async {
    await #expect(processExitsWith: .success) {
      try MPIEnvironment.run { world in
        let matrix = try ModelMatrix.convectionDiffusion2D.matrix(shape: [12, 11])
        let cuts = [0, matrix.rowCount]
        let operators: [any PlannedOperator] = [
          try MatrixOperator(matrix, cuts: cuts, on: world),
          try JacobiPreconditioner(matrix, cuts: cuts, on: world),
          try BlockJacobiPreconditioner(
            matrix, cuts: cuts, blockStarts: Array(stride(from: 0, to: matrix.rowCount, by: 12)),
            on: world),
          try IncompleteLUPreconditioner(matrix, cuts: cuts, on: world),
        ]
        for operation in operators {
          for columns in [1, 11] {
            let vectors = [Double](repeating: 1, count: columns * matrix.rowCount)
            var results = vectors
            var counts: [Int] = []
            // The first time fills what is kept by libraries.
            for _ in 0..<2 {
              var span = results.mutableSpan
              allocation_counter_start()
              try operation.apply(vectors.span, into: &span, columns: columns, on: world)
              counts.append(allocation_counter_stop())
            }
            try #require(counts[1] == 0, "\(operation) allocates")
          }
        }
      }
    }
  }
}
