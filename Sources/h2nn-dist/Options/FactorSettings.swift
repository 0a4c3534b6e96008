import Factorization
import MessagePassing
import OperatorNetworks
import SparseMatrices

extension Setting<MatrixOptions> {
  /// The parameters of model matrices.
  static let model: [Setting] = [
    .real(
      "length", "ℓ", "rbf, exponential: the length over which the kernel decays", \.length,
      1e-12...1e12, standard: Self.defaults(\.length)),
    .real(
      "nugget", "σ²", "rbf, exponential: what is added to the diagonal", \.nugget, 0...1e12,
      standard: Self.defaults(\.nugget)),
    .real(
      "diffusion", "ε", "convection-diffusion: the coefficient of the second derivatives",
      \.diffusion, 1e-300...1e300, standard: Self.defaults(\.diffusion)),
    .real(
      "convection", "c", "convection-diffusion: the velocity in each dimension", \.convection,
      -1e300...1e300, standard: Self.defaults(\.convection)),
  ]

  /// The defaults of a parameter, matrix by matrix.
  private static func defaults(_ path: KeyPath<MatrixOptions, Double?>) -> String {
    ModelMatrix.allCases.compactMap { matrix in
      matrix.defaults[keyPath: path].map { "\(matrix.rawValue) \(Voice.exact($0))" }
    }.joined(separator: ", ")
  }
}

extension Setting<FactorOptions> {
  /// The structure of factors, and their start.
  static let factors: [Setting] = [
    .choice(
      "pattern", "NAME", "strong, weak or blog: which blocks are dense", \.pattern,
      standard: "strong in Z-order, else weak"),
    .choice(
      "order", "NAME", "natural: by the numbers of the rows; z: by boxes of the grid", \.order,
      standard: "z on grids of 2 and 3 dimensions"),
    .integer(
      "leaf", "P", "unknowns of a leaf at least; in Z-order the power of a side", \.leaf,
      standard: "2^d in Z-order, else 32"),
    .integer(
      "levels", "L", "levels below the root, instead of --leaf", \.levels, atLeast: 0,
      standard: "by --leaf"),
    .integer(
      "channels", "r", "basis vectors of a box; 0 for dense blocks alone", \.channels, atLeast: 0,
      atMost: 1 << 16),
    Setting(
      "coarse-channels", "a,b,…",
      "basis vectors above the leaves, level by level upwards, the last for all further",
      \.coarseChannels, standard: "r"
    ) { (arguments) throws(RunError) in
      try arguments.counts("coarse-channels", atMost: 1 << 16).map { .some($0) }
    },
    .choice(
      "form", "NAME", "product: L and U; inverse: W ≈ L⁻¹, applied by products", \.form,
      standard: "that of the best start"),
    .choice(
      "start", "NAME",
      "classical: the best of plain, scaled and inverse; or one of them, or random",
      \.start),
    .integer(
      "factor-memory", "MB", "exact factors have at most so much; else the start is incomplete",
      \.factorMemory, atLeast: 0, atMost: 1 << 30),
  ]
}

extension Setting<RefinementOptions> {
  /// How factors are trained.
  static let refinement: [Setting] = [
    .choice("refine", "METHOD", "gauss-newton, lm, lbfgs, adam or none", \.method),
    .choice(
      "loss", "NAME",
      "balanced: tr(K + K⁻¹ − 2 I) of K = L⁻¹ A U⁻¹; k: ‖K − I‖²; inverse: ‖K⁻¹ − I‖²; both; frobenius: ‖A − L U‖²",
      \.loss),
    .integer(
      "probes", "k", "random vectors on which the loss looks", \.probes, atMost: 1 << 20,
      standard: "the whole identity up to 1024 unknowns, else 64"),
    .integer(
      "steps", "n", "the most steps of training", \.steps, atMost: 1 << 20,
      standard: "40, of a block row 25; lbfgs 200, adam 1000"),
    .integer(
      "inner-iterations", "n", "gauss-newton, lm: conjugate gradients in a step at most",
      \.innerIterations, atMost: 1 << 20, standard: "60"),
    .real(
      "inner-tolerance", "x", "gauss-newton, lm: where these stop", \.innerTolerance,
      0...0.999_999),
    .real(
      "learning-rate", "x", "adam: length of a step", \.learningRate, 1e-300...1e6,
      standard: "0.001"),
    .flag(
      "transpose-loss", "frobenius: also compare the transposed product", \.transposeLoss),
    .flag(
      "block-wise", "frobenius: train block rows one after the other, those before frozen",
      \.blockWise),
    .integer("seed", "n", "seed of random probes and starts", \.seed, atLeast: 0),
  ]
}

extension Setting<FactorRunOptions> {
  /// How a run proceeds.
  static let factorRun: [Setting] = [
    Setting(
      "out", "DIR", "directory of checkpoints, metrics, pictures and summary", \.directory,
      shown: { _ in nil }
    ) { $0.text("out") },
    .flag("restart", "start over although DIR has checkpoints", \.restart),
    .integer(
      "stop-after", "n", "stop after step n of training with a checkpoint and status 75",
      \.stopAfter, atLeast: 0),
    .integer(
      "checkpoint-every", "n", "steps between two checkpoints, 0 for the last only",
      \.checkpointEvery, atLeast: 0, standard: "1; lbfgs, adam: 100"),
    .integer(
      "tree-ranks", "T",
      "ranks that share the unknowns of 16 probes in training; divides the ranks",
      \.treeRanks, standard: "chosen"),
  ]
}

extension Setting<SolveOptions> {
  /// How a system is solved.
  static let solve: [Setting] = [
    .choice(
      "method", "NAME", "direct, cg, gmres or fgmres", \.method,
      standard: "cg for symmetric matrices, else gmres"),
    .choice(
      "preconditioner", "NAME",
      "factors, classical (their start), none, jacobi, block-jacobi or ilu0", \.preconditioner),
    .real("tolerance", "x", "where ‖b − A x‖/‖b‖ may stop", \.tolerance, 1e-300...0.999_999),
    .integer("iteration-limit", "n", "the most iterations", \.iterationLimit),
    .integer(
      "restart", "n", "gmres, fgmres: iterations between restarts", \.restart, standard: "none"),
    .integer(
      "refinement-steps", "n", "direct: steps of refinement after the solve", \.refinementSteps,
      atLeast: 0, atMost: 100),
    .integer(
      "vectors", "k", "random right-hand sides, without --rhs", \.vectors, atMost: 1 << 16),
    .integer("seed", "n", "seed of random right-hand sides", \.seed, atLeast: 0),
  ]
}

extension Arguments {
  /// Returns the matrix that the options name.
  ///
  /// - Parameter standard: The matrix if none is named.
  /// - Returns: The matrix.
  /// - Throws: `RunError` (64) if options do not fit together.
  func matrixSource(standard: MatrixSource? = nil) throws(RunError) -> MatrixSource {
    var options = MatrixOptions()
    try read(Setting<MatrixOptions>.model, into: &options)
    let (object, points) = (text("object"), try shape("points"))
    guard let name = text("matrix") ?? standard?.matrix else {
      return MatrixSource(try required("matrix"))
    }
    if text("matrix") == nil, let standard {
      for option in ["object", "points", "length", "nugget", "diffusion", "convection"]
      where has(option) {
        throw .usage("--\(option) says more of a --matrix, and none is given")
      }
      return standard
    }
    let source = MatrixSource(name, object: object, points: points, options: options)
    try source.validate()
    return source
  }
}
