import Factorization
import SparseMatrices

extension OptionGroups {
  /// The options that name a matrix.
  static func matrix(_ standard: String? = nil) -> (title: String, options: [OptionSpec]) {
    (
      "Matrix",
      [
        OptionSpec(
          "matrix", "NAME",
          "a Matrix Market or HDF5 file, or one of \(ModelMatrix.allCases.map(\.rawValue).joined(separator: ", "))",
          standard: standard),
        OptionSpec("object", "PATH", "the matrix in an HDF5 file", standard: "the one found there"),
        OptionSpec("points", "N", "the grid of the unknowns, such as 320 or 64x64"),
      ] + [OptionSpec](Setting<MatrixOptions>.model, of: MatrixOptions())
    )
  }
}

extension Verbs {
  static let factor = Verb(
    name: "factor",
    summary: "Factors a matrix, A ≈ L U with FMM structure, and trains the factors.",
    positional: nil, required: ["matrix", "out"],
    groups: [
      OptionGroups.matrix(),
      ("Factors", [OptionSpec](Setting<FactorOptions>.factors, of: FactorOptions())),
      ("Training", [OptionSpec](Setting<RefinementOptions>.refinement, of: RefinementOptions())),
      ("Run", [OptionSpec](Setting<FactorRunOptions>.factorRun, of: FactorRunOptions())),
      OptionGroups.commonOnRanks,
    ], make: { try FactorCommand($0) })

  static let solve = Verb(
    name: "solve", summary: "Solves linear systems, directly or preconditioned by factors.",
    positional: nil, required: [],
    groups: [
      (
        "What",
        [
          OptionSpec("factors", "DIR", "what factor wrote: a directory or a checkpoint"),
          OptionSpec("rhs", "FILE", "HDF5 file of right-hand sides, in /b"),
          OptionSpec("out", "FILE", "the HDF5 file of solutions to be written, in /x"),
          OptionSpec("force", nil, "overwrite that file"),
        ]
      ), OptionGroups.matrix("that of the factors"),
      ("Solution", [OptionSpec](Setting<SolveOptions>.solve, of: SolveOptions())),
      OptionGroups.commonOnRanks,
    ], make: { try SolveCommand($0) })
}
