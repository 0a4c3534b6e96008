import AllocationCounter
import KrylovMethods
import MessagePassing
import Testing

/// Each case is a process of its own, which can initialize MPI.
@Suite("Allocations of iterations")
struct AllocationTests {
  @Test("iterations of conjugate gradients allocate nothing")
  func conjugateGradients() async {
    await #expect(processExitsWith: .success) {
      try MPIEnvironment.run { world in
        let rows = 200
        let operation = ClosureOperator(rowCount: rows) { x, y, columns, _ in
          for i in 0..<rows * columns { y[i] = Double(1 + i % rows) * x[i] }
        }
        let right = [Double](repeating: 1, count: 2 * rows)
        var solution = right
        var counts: [Int] = []
        // The first time fills what is kept by libraries.
        for limit in [10, 10, 30] {
          let method = ConjugateGradients(KrylovOptions(iterationLimit: limit))
          var x = solution.mutableSpan
          allocation_counter_start()
          let report = try method.solve(
            operation, preconditioner: operation, rightHandSides: right.span, solution: &x,
            columns: 2, on: world)
          counts.append(allocation_counter_stop())
          try #require(report.iterations == limit)
        }
        try #require(counts[1] == counts[2])
      }
    }
  }
}
