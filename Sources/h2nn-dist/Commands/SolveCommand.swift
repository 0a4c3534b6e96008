import Checkpoints
import Factorization
import Foundation
import MessagePassing
import ParallelHDF5
import SparseMatrices

/// `solve`: solves linear systems with factors, or with other preconditioners.
struct SolveCommand: DistributedCommand {
  let arguments: Arguments
  let factors: String?
  let options: SolveOptions
  let source: MatrixSource?
  let out: OutputFile?

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    factors = arguments.text("factors")
    var options = SolveOptions()
    try arguments.read(Setting<SolveOptions>.solve, into: &options)
    try options.validate()
    self.options = options
    guard factors != nil || !options.preconditioner.needsFactors else {
      throw .usage(
        "solve: --factors is needed for --preconditioner \(options.preconditioner.rawValue)"
          + Arguments.seeHelp(arguments.verb))
    }
    // A matrix that is not named is that of the factors.
    source = factors == nil || arguments.has("matrix") ? try arguments.matrixSource() : nil
    for name in ["vectors", "seed"] where arguments.has("rhs") && arguments.has(name) {
      throw .usage("--\(name) belongs to random right-hand sides, and --rhs names a file of others")
    }
    out = arguments.has("out") ? try OutputFile(arguments) : nil
  }

  /// Solves.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try out?.check(on: world)
    var wanted = source
    var solving: SolvingFactors?
    var grid: (FactorOptions, [Int]?)?
    if let factors {
      let checkpoint = try FactorCheckpoint.find(factors, on: world) { Voice.note($0) }
      let saved = checkpoint.configuration.matrix
      if wanted == nil { wanted = try arguments.matrixSource(standard: saved) }
      solving = try checkpoint.solvingFactors()
      grid = (checkpoint.configuration.factors, saved.points)
      let (matrix, loaded) = try (wanted ?? saved).load(on: world)
      guard matrix.rowCount == checkpoint.unknowns else {
        throw RunError.usage(
          "the matrix has \(matrix.rowCount) unknowns, the factors in \(factors) have \(checkpoint.unknowns)"
        )
      }
      if loaded.digest != saved.digest {
        if source == nil {
          throw RunError.data(
            "\(saved.matrix) is not the matrix any more for which \(factors) was made; give it by --matrix"
          )
        }
        Voice.note("the factors were made for another matrix; they serve as an approximation")
      }
      return try run(matrix, tree: grid, solving, on: world)
    }
    guard let wanted else { throw RunError.usage("solve: --matrix or --factors is needed") }
    let (matrix, _) = try wanted.load(on: world)
    return try run(matrix, tree: nil, nil, on: world)
  }

  private func run(
    _ matrix: SparseMatrix, tree: (options: FactorOptions, points: [Int]?)?,
    _ factors: SolvingFactors?, on world: borrowing Communicator
  ) throws -> Int32 {
    var ordered: OrderedMatrix
    if let tree {
      ordered = OrderedMatrix(
        matrix, try tree.options.tree(tree.points, count: matrix.rowCount))
    } else {
      ordered = OrderedMatrix(matrix)
    }
    // L and U precondition GMRES, also of a matrix that looks positive definite.
    if let factors, !factors.factors.isSymmetric { ordered = ordered.general }
    let system = try LinearSystem(ordered, factors: factors?.factors, on: world)
    let solver = try LinearSolver(options, system, factors)
    let file = try arguments.text("rhs").map {
      try RightHandSides($0, count: ordered.count, on: world)
    }
    let count = file?.vectorCount ?? options.vectors
    let right =
      file.map { system.ownRows(of: $0.values, count: count) }
      ?? system.normalVectors(count, seed: options.seed)
    let (solution, report) = try solver.solve(right, count: count, on: world) { Voice.note($0) }
    if let out {
      let all = try system.collect(solution, count: count, on: world)
      try out.write(on: world) { path in
        try RightHandSides.write(
          all, count: count, isColumns: file?.isColumns ?? false, isSingle: file?.isSingle ?? true,
          to: path, on: world)
      }
    }
    Voice.say(Self.table(report, ranks: world.size))
    try Voice.summarize(Self.object(report, unknowns: ordered.count), to: arguments.text("summary"))
    guard !report.hasConverged, report.method != .direct else { return 0 }
    Voice.note(
      "the system is not solved to \(Voice.short(options.tolerance)): "
        + (report.endings.first { $0 != "converged" } ?? ""))
    return ExitStatus.software
  }

  private static func table(_ report: SolveReport, ranks: Int) -> String {
    func row(_ title: String, _ value: String) -> String { title.padded(to: 24) + value }
    let counts = report.iterationsByVector
    return [
      row("method", report.method.rawValue), row("preconditioner", report.preconditioner.rawValue),
      row(
        "iterations",
        counts.count > 1
          ? "\(report.iterations) (\(counts.min() ?? 0) to \(report.iterations))"
          : "\(report.iterations)"),
      row("relative residual", Voice.short(report.relativeResidual)),
      row("seconds, set-up", Voice.short(report.setupSeconds)),
      row("seconds, solution", Voice.short(report.solveSeconds)),
      row("MB, preconditioner", Voice.short(Double(report.bytes) / 1e6)),
      row("ranks", "\(ranks)"), row("messages", "\(report.messages)"),
      row("MB sent", Voice.short(Double(report.messageBytes) / 1e6)),
    ].joined(separator: "\n")
  }

  private static func object(_ report: SolveReport, unknowns: Int) -> [String: Any] {
    [
      "unknowns": unknowns, "vectors": report.residuals.count, "method": report.method.rawValue,
      "preconditioner": report.preconditioner.rawValue, "iterations": report.iterations,
      "iterations_by_vector": report.iterationsByVector,
      "relative_residual": jsonNumber(report.relativeResidual),
      "relative_residuals": report.residuals.map { jsonNumber($0) }, "endings": report.endings,
      "has_converged": report.hasConverged, "fell_back": report.fellBack,
      "seconds_setup": report.setupSeconds, "seconds_solve": report.solveSeconds,
      "bytes": report.bytes, "messages": report.messages, "message_bytes": report.messageBytes,
    ]
  }
}
