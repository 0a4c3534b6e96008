import BlockKernels
import Testing

@testable import OperatorProblems

struct CyclicTridiagonalTests {
  @Test(arguments: [3, 4, 5, 64])
  func solutionSatisfiesTheSystem(order n: Int) {
    var random = RandomStream(seed: 1, purpose: 0, index: UInt64(n))
    let stiffness = 7.0
    let diagonal = (0..<n).map { _ in random.uniform(in: 0.1...5) }
    let x = (0..<n).map { _ in random.uniform(in: -1...1) }
    let b = (0..<n).map { i in
      (2 * stiffness + diagonal[i]) * x[i] - stiffness * (x[(i + 1) % n] + x[(i + n - 1) % n])
    }
    let system = CyclicTridiagonal(order: n)
    let isDefinite = system.factor(stiffness: stiffness, diagonal: diagonal.span)
    #expect(isDefinite)
    var solution = [Double](repeating: .nan, count: n)
    do {
      var span = solution.mutableSpan
      system.solve(b.span, into: &span)
    }
    // A condition of at most 33 / 0.1.
    #expect(largestDifference(solution, x) < 1e-12)
  }

  @Test(arguments: [3, 4, 9])
  func indefiniteMatricesAreFound(order n: Int) {
    let system = CyclicTridiagonal(order: n)
    // The constant vector has the eigenvalue d.
    for (shift, isDefinite) in [(1e-6, true), (-1e-6, false), (-100, false)] {
      let diagonal = [Double](repeating: shift, count: n)
      let found = system.factor(stiffness: 1, diagonal: diagonal.span)
      #expect(found == isDefinite)
    }
    var last = [Double](repeating: 1, count: n)
    last[n - 1] = -50
    let found = system.factor(stiffness: 1, diagonal: last.span)
    #expect(!found)
  }
}
