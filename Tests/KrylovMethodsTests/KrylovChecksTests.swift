import Foundation
import TestSupport
import Testing

/// The checks of iterations over ranks, each run by a program of its own under `mpirun`.
@Suite("Iterations over ranks, under mpirun", .serialized, .waiting)
struct KrylovChecksTests {
  @Test("solutions and endings are right", arguments: [1, 3])
  func check(ranks: Int) throws {
    let names = [
      "dense", "monotone", "exact", "eigenvalues", "columns", "scaling", "refinement",
      "breakdowns", "not-finite", "stagnation", "flexible", "failures", "memory",
    ]
    let launch = try launch("KrylovChecks", arguments: names, ranks: ranks)
    #expect(launch.status == 0, "\(launch.errors)")
    #expect(launch.output == names.map { "ok \($0)\n" }.joined(), "\(launch.errors)")
  }

  /// Numbers of iterations of scipy 1.17 for the first two right-hand sides (Tests/Peers/krylov_oracle.py).
  private static let iterations: [String: (Int, Int)] = [
    "line none cg": (60, 61), "line none gmres": (60, 60), "line jacobi cg": (60, 60),
    "line jacobi gmres": (60, 60), "line blocks cg": (15, 15), "line blocks gmres": (15, 15),
    "plane none cg": (72, 73), "plane none gmres": (71, 73), "plane jacobi cg": (42, 42),
    "plane jacobi gmres": (42, 42), "plane blocks cg": (38, 38), "plane blocks gmres": (37, 38),
    "flow none gmres": (55, 57), "flow none gmres10": (89, 87), "flow jacobi gmres": (35, 36),
    "flow jacobi gmres10": (71, 84), "flow blocks gmres": (28, 28),
    "flow blocks gmres10": (36, 46),
  ]

  @Test("solutions and residuals have the bits of one rank, and scipy's numbers of iterations")
  func bits() throws {
    let outputs = try [1, 3, 5].map { ranks in
      let launch = try launch("KrylovChecks", arguments: ["bits"], ranks: ranks)
      #expect(launch.status == 0, "\(launch.errors)")
      return launch.output
    }
    for output in outputs.dropFirst() { #expect(output == outputs[0]) }
    let lines = outputs[0].split(separator: "\n").map(String.init)
    // Two systems with five methods and one with four, three preconditioners each, and the last line.
    #expect(lines.count == 43 && lines.last == "ok bits")
    var found = 0
    for line in lines.dropLast() {
      let words = line.split(separator: " ").map(String.init)
      let columns = words.dropFirst(3).map { $0.split(separator: ":").map(String.init) }
      try #require(columns.count == 5)
      // A power of two before the right-hand side changes nothing, and zeros need no iteration.
      #expect(columns[4][..<2] == ["0", "converged"])
      guard let expected = Self.iterations[words[..<3].joined(separator: " ")] else { continue }
      found += 1
      for (column, count) in zip(columns, [expected.0, expected.1]) {
        #expect(column[1] == "converged", "\(line)")
        #expect(abs((Int(column[0]) ?? 0) - count) <= 1, "\(line)")
      }
    }
    #expect(found == Self.iterations.count)
  }

  @Test("wrong words are no success")
  func wrong() throws {
    let launch = try launch("KrylovChecks", arguments: ["no-such"], ranks: nil)
    #expect(launch.status == 64)
  }
}
