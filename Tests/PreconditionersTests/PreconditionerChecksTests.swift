import TestSupport
import Testing

/// The checks of preconditioners over ranks, each run by a program of its own under `mpirun`.
@Suite("Preconditioners over ranks, under mpirun", .serialized, .waiting)
struct PreconditionerChecksTests {
  /// Numbers of iterations of scipy 1.17 for the first right-hand side (Tests/Peers/krylov_oracle.py).
  private static let iterations: [String: Int] = [
    "laplacian-2d 16 1 none": 51, "laplacian-2d 16 1 jacobi": 51, "laplacian-2d 16 1 blocks": 43,
    "laplacian-2d 16 1 ilu": 19, "laplacian-2d 32 1 none": 100, "laplacian-2d 32 1 jacobi": 100,
    "laplacian-2d 32 1 ilu": 35, "convection-diffusion-2d 16 1 none": 39,
    "convection-diffusion-2d 16 1 jacobi": 39, "convection-diffusion-2d 16 1 blocks": 30,
    "convection-diffusion-2d 16 1 ilu": 11,
  ]

  @Test("factors, solves, plans and errors are right; iterations have the bits of one rank")
  func checks() throws {
    let checks = [
      "incomplete-factors", "diagonal-factors", "matrix-operator", "preconditioner-errors",
    ]
    var lines: [String] = []
    for ranks in [1, 2, 3, 5, 7] {
      // The numbers of ranks that are left out have nothing that others have not.
      let names = (ranks == 2 || ranks == 7 ? [] : checks) + ["preconditioned"]
      let launch = try launch("KrylovChecks", arguments: names, ranks: ranks)
      #expect(launch.status == 0, "\(launch.errors)")
      let output = launch.output.split(separator: "\n").map(String.init)
      #expect(output.filter { $0.hasPrefix("ok ") } == names.map { "ok \($0)" })
      let found = output.filter { !$0.hasPrefix("ok ") }
      if ranks == 1 { lines = found }
      #expect(found == lines, "\(ranks) ranks have other bits than one")
    }
    let more = try launch("KrylovChecks", arguments: ["preconditioned-more"], ranks: 1)
    lines += more.output.split(separator: "\n").map(String.init)
    // Thirteen systems and the last line of one launch.
    #expect(lines.count == 14 && lines.last == "ok preconditioned-more")
    var found = 0
    for line in lines.dropLast() {
      let words = line.split(separator: " ").map(String.init)
      try #require(words.count == 6)
      guard let expected = Self.iterations[words[..<4].joined(separator: " ")] else { continue }
      found += 1
      #expect(abs((Int(words[4]) ?? 0) - expected) <= 1, "\(line)")
    }
    #expect(found == Self.iterations.count)
  }
}
