import Foundation
import ParallelHDF5
import TestSupport
import Testing

@Suite("Factors", .serialized, .waiting)
struct FactorTests {
  private static let biharmonic = "--matrix biharmonic-2d --points 16x16 --channels 0 --steps 3"
  private static let flow =
    "--matrix convection-diffusion-2d --points 8x8 --pattern weak --leaf 16 --channels 2 --steps 2"

  private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

  @Test("factors have the same bits on any ranks, and after a stop; numpy finds the same")
  func sameBits() throws {
    let scratch = try Scratch()
    let factor = ["factor"] + words(Self.biharmonic) + ["--out"]
    let whole = try scratch.summary(of: factor + [scratch.file("whole")])
    // Plain and scaled starts need 13 iterations; a prototype reaches 11.
    let starts = try whole.object("iterations_classical")
    #expect(starts["plain"] as? Int == 13 && starts["scaled"] as? Int == 13)
    #expect(try whole.integer("iterations") <= 11)
    #expect(try whole.integer("parameters") == 4384)
    let parts = factor + [scratch.file("parts")]
    for (ranks, stop) in [(2, 1), (3, 2)] {
      let launch = try program(parts + ["--stop-after", "\(stop)"], ranks: ranks)
      #expect(launch.status == 75, "\(launch.errors)")
    }
    let last = try scratch.summary(of: parts, ranks: 5)
    #expect(try last.text("digest") == whole.text("digest"))
    for key in [
      "iterations", "relative_frobenius", "relative_spectral", "solution_error", "backward_error",
      "eigenvalue_min", "eigenvalue_max",
    ] {
      #expect(try last.number(key) == whole.number(key), "\(key)")
    }
    let steps = try jsonLines(scratch.file("parts/metrics.jsonl")).map { $0["loss"] as? Double }
    #expect(
      try steps == jsonLines(scratch.file("whole/metrics.jsonl")).map { $0["loss"] as? Double })
    #expect(steps.count == 3 && steps.compactMap { $0 } == steps.compactMap { $0 }.sorted(by: >))
    // A finished run is left as it is.
    #expect(try scratch.summary(of: parts).text("digest") == whole.text("digest"))
    for picture in ["error.svg", "eigenvalues.svg"] {
      let text = try String(contentsOfFile: scratch.file("whole/\(picture)"), encoding: .utf8)
      #expect(text.hasPrefix("<svg") && text.components(separatedBy: "<").count > 100)
    }
    try numpyAgrees(scratch.file("whole"), whole)
    try solves(scratch)
    try expectFailure(
      parts + ["--seed", "5"], status: 64, ["other settings", "--seed 1, now 5"], ranks: [3])
    try expectFailure(
      ["evaluate", "--checkpoint", scratch.file("whole"), "--data", "none.h5"], status: 65,
      ["factors of a matrix"], ranks: [nil])
  }

  /// Compares norms and iterations with those of the evaluator in Python.
  private func numpyAgrees(_ folder: String, _ summary: Summary) throws {
    guard Peer.has("numpy, h5py, scipy") else { return }
    let peer = try Peer.run("factors.py", [folder])
    try #require(peer.status == 0, "\(peer.text)")
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(peer.text.utf8)) as? [String: Any])
    let (error, own) = (
      try #require(found["relative_frobenius"] as? Double),
      try summary.number("relative_frobenius")
    )
    #expect(abs(error - own) < 1e-10 * own + 1e-15, "\(peer.text)")
    #expect(try found["parameters"] as? Int == summary.integer("parameters"))
    // Other right-hand sides.
    let iterations = try #require(found["iterations"] as? Int)
    #expect(try abs(iterations - summary.integer("iterations")) <= 1, "\(peer.text)")
  }

  /// Solves with the factors in `whole`, on several numbers of ranks.
  private func solves(_ scratch: borrowing Scratch) throws {
    var right = [Double](repeating: 0, count: 256 * 3)
    for place in right.indices { right[place] = sin(Double(7 * place + 1)) }
    let file = try HDF5File.create(scratch.file("b.h5"))
    try file.write("/b", right, shape: [256, 3])
    try file.close()
    let words = ["solve", "--factors", scratch.file("whole")]
    var solutions: [[Double]] = []
    for ranks in [nil, 2, 3, 5] as [Int?] {
      let out = scratch.file("x-\(ranks ?? 1).h5")
      let summary = try scratch.summary(
        of: words + ["--rhs", scratch.file("b.h5"), "--out", out], ranks: ranks)
      #expect(try summary.number("relative_residual") <= 1e-8)
      #expect(try summary.integer("iterations") <= 12)
      let result = try HDF5File.open(out)
      #expect(try result.shape(of: "/x") == [256, 3])
      solutions.append(try result.read("/x", as: Double.self))
    }
    #expect(Set(solutions).count == 1)
    // The matrix is the square of the five-point Laplacian.
    let x = solutions[0]
    func laplacian(_ u: [Double]) -> [Double] {
      (0..<256).map { place in
        let (row, column) = (place / 16, place % 16)
        func at(_ row: Int, _ column: Int) -> Double {
          (0..<16).contains(row) && (0..<16).contains(column) ? u[row * 16 + column] : 0
        }
        return 4 * u[place] - at(row - 1, column) - at(row + 1, column) - at(row, column - 1)
          - at(row, column + 1)
      }
    }
    for vector in 0..<3 {
      let product = laplacian(laplacian((0..<256).map { x[$0 * 3 + vector] }))
      let norm = (0..<256).reduce(0) { $0 + right[$1 * 3 + vector] * right[$1 * 3 + vector] }
      let rest = (0..<256).reduce(0) {
        $0 + pow(product[$1] - right[$1 * 3 + vector], 2)
      }
      #expect((rest / norm).squareRoot() < 2e-8)
    }
    right[5] = .nan
    let wrong = try HDF5File.create(scratch.file("nan.h5"))
    try wrong.write("/b", right, shape: [256, 3])
    try wrong.close()
    try expectFailure(
      words + ["--rhs", scratch.file("nan.h5")], status: 65, ["/b", "nan", "place 5"], ranks: [3])
    try expectFailure(
      words + ["--matrix", "laplacian-2d", "--points", "8x8"], status: 64, ["64", "256"],
      ranks: [nil])
  }

  @Test("factors that are not symmetric solve by GMRES, and other preconditioners compare")
  func notSymmetric() throws {
    let scratch = try Scratch()
    let factor = ["factor"] + words(Self.flow) + ["--out", scratch.file("factors")]
    let summary = try scratch.summary(of: factor, ranks: 2)
    #expect(summary.keys.isSuperset(of: ["seconds_start", "lapack_solution_error", "form"]))
    let starts = try summary.object("iterations_classical")
    let best = try #require(starts.values.compactMap { $0 as? Int }.min())
    #expect(try summary.integer("iterations") <= best)
    try numpyAgrees(scratch.file("factors"), summary)
    let solve = ["solve", "--factors", scratch.file("factors")]
    for method in ["gmres", "fgmres"] {
      let found = try scratch.summary(of: solve + ["--method", method])
      #expect(try found.integer("iterations") == summary.integer("iterations"), "\(method)")
    }
    try expectFailure(solve + ["--method", "cg"], status: 64, ["cg", "symmetric"], ranks: [nil])
    let plain = ["solve", "--matrix", "convection-diffusion-2d", "--points", "16x16"]
    var counts: [String: Int] = [:]
    for kind in ["none", "jacobi", "block-jacobi", "ilu0"] {
      let found = try scratch.summary(of: plain + ["--preconditioner", kind], ranks: 3)
      #expect(try found.number("relative_residual") <= 1e-8)
      counts[kind] = try found.integer("iterations")
    }
    // Constant diagonal; incomplete factors are far better.
    #expect(counts["none"] == counts["jacobi"] && (counts["ilu0"] ?? 99) < 16)
  }

  @Test("exact factors solve as LAPACK does")
  func exact() throws {
    let scratch = try Scratch()
    for (index, (matrix, channels)) in [
      ("laplacian-1d", 1), ("convection-diffusion-1d", 1), ("biharmonic-1d", 2),
    ].enumerated() {
      let summary = try scratch.summary(
        of: words("factor --matrix \(matrix) --points 256 --channels \(channels) --refine none")
          + ["--out", scratch.file("\(index)")])
      #expect(try summary.number("relative_frobenius") <= 1e-13)
      #expect(try summary.integer("iterations") <= 2)
      let (own, other) = (
        try summary.number("solution_error"), try summary.number("lapack_solution_error")
      )
      #expect(own <= 100 * other, "\(matrix): \(own), LAPACK \(other)")
    }
  }

  @Test(
    "a symmetric matrix that is not positive definite is factored as L U, and trained by ranks of a tree"
  )
  func indefinite() throws {
    let scratch = try Scratch()
    // −u″ − u/2: the smallest eigenvalue is −0.4976.
    let n = 64
    let entries = (1...n).flatMap { i in
      ["\(i) \(i) 1.5"] + (i < n ? ["\(i + 1) \(i) -1"] : [])
    }
    let text =
      "%%MatrixMarket matrix coordinate real symmetric\n\(n) \(n) \(entries.count)\n"
      + entries.joined(separator: "\n") + "\n"
    try text.write(toFile: scratch.file("a.mtx"), atomically: true, encoding: .utf8)
    let factor = ["factor", "--matrix", scratch.file("a.mtx")] + words("--leaf 8 --channels 1")
    let summary = try scratch.summary(of: factor + ["--out", scratch.file("f")], ranks: 2)
    #expect(try summary.integer("is_symmetric") == 0)
    #expect(try summary.number("relative_frobenius") <= 1e-12)
    for ranks in [1, 3] {
      let solve = ["solve", "--factors", scratch.file("f"), "--matrix", scratch.file("a.mtx")]
      let found = try scratch.summary(of: solve, ranks: ranks)
      #expect(try found.number("relative_residual") <= 1e-8)
      #expect(try found.text("method") == "gmres")
    }
    // Without a far field there is something to learn; whoever shares the unknowns finds the same.
    let train = words("factor --matrix laplacian-2d --points 16x16 --channels 0 --steps 2")
    let digests = try [1, 2, 4].map { width in
      try scratch.summary(
        of: train + ["--tree-ranks", "\(width)", "--out", scratch.file("t\(width)")], ranks: 4
      ).text("digest")
    }
    #expect(Set(digests).count == 1)
    try expectFailure(
      train + ["--tree-ranks", "3", "--out", scratch.file("t3")], status: 64, ["--tree-ranks"],
      ranks: [4])
  }

  @Test("training that helps nothing leaves the classical factor")
  func keepsStart() throws {
    let scratch = try Scratch()
    // One step of a loss that says little about solving, on exact factors.
    let summary = try scratch.summary(
      of: words("factor --matrix laplacian-1d --points 64 --leaf 8 --channels 1 --steps 1")
        + ["--out", scratch.file("f")])
    #expect(try summary.integer("iterations") == 1)
    #expect(try summary.number("relative_frobenius") <= 1e-13)
  }

  @Test("a factor that is too large for memory has an incomplete start")
  func incomplete() throws {
    let scratch = try Scratch()
    let factor = words("factor --matrix laplacian-2d --points 32x32 --channels 0 --factor-memory 0")
    let out = ["--out", scratch.file("f")]
    let summary = try scratch.summary(of: factor + out + ["--loss", "k", "--steps", "1"], ranks: 2)
    #expect(try summary.number("incomplete_shift") == 0)
    #expect(try summary.text("start") == "plain")
    // Conjugate gradients alone need 101, and the exact factor in these blocks 13.
    let starts = try summary.object("iterations_classical")
    let plain = try #require(starts["plain"] as? Int)
    #expect((14...60).contains(plain) && starts["scaled"] is NSNull)
    #expect(try summary.integer("iterations") <= plain)
    let other = ["--out", scratch.file("g")]
    try expectFailure(
      factor + other, status: 64, ["--loss balanced", "--loss k", "--factor-memory"], ranks: [3])
  }

  static let refusals = [
    Refusal("factor --matrix laplacian-2d --out f", "--points", "64x64"),
    Refusal("factor --matrix laplacian-2d --points 16x16 --leaf 5 --out f", "--leaf 5", "squares"),
    Refusal("factor --matrix laplacian-2d --points 16x16 --pattern blog --out f", "--pattern blog"),
    Refusal("factor --matrix laplacian-2d --points 16x16 --length 2 --out f", "--length"),
    Refusal(
      "factor --matrix laplacian-1d --points 64 --leaf 8 --channels 9 --out f", "--channels 9"),
    Refusal("factor --matrix laplacian-1d --points 64 --leaf 8 --levels 3 --out f", "--levels"),
    Refusal(
      "factor --matrix laplacian-1d --points 64 --transpose-loss --out f", "--transpose-loss"),
    Refusal(
      "factor --matrix laplacian-1d --points 64 --start plain --form inverse --out f", "--form"),
    Refusal("solve --matrix laplacian-1d --points 64", "--factors", "--preconditioner"),
    Refusal(
      "solve --matrix laplacian-1d --points 64 --preconditioner none --method direct", "direct"),
    Refusal("solve --matrix laplacian-1d --preconditioner none", "--points"),
  ]

  @Test("settings without meaning are refused", arguments: refusals)
  func refuses(refusal: Refusal) throws {
    let scratch = try Scratch()
    let words = refusal.words.map { $0 == "f" ? scratch.file("f") : $0 }
    try expectFailure(words, status: 64, refusal.fragments, ranks: [nil])
  }

  @Test("files without a matrix are refused on all ranks")
  func refusesFiles() throws {
    let scratch = try Scratch()
    let factor = ["factor", "--out", scratch.file("f"), "--matrix"]
    try expectFailure(factor + [scratch.file("none.mtx")], status: 66, ["none.mtx"])
    let text = "%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1.0\n"
    try expectFailure(
      factor + [try scratch.write(text, to: "flat.mtx")], status: 65, ["2×3", "square"],
      ranks: [3])
    let singular = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 2 1.0\n2 1 1.0\n"
    try expectFailure(
      factor + [try scratch.write(singular, to: "swap.mtx"), "--leaf", "1", "--channels", "0"],
      status: 65, ["without pivoting"], ranks: [3])
    try expectFailure(
      ["solve", "--factors", scratch.file("none")], status: 66, ["none"], ranks: [3])
  }
}
