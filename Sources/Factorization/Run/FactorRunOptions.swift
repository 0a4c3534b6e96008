import OperatorNetworks

/// How a run proceeds; none of it changes the result.
public struct FactorRunOptions: Sendable {
  /// The directory of checkpoints, metrics, pictures and summary.
  public var directory = "factors"
  /// Whether to start over although the directory has checkpoints.
  public var restart = false
  /// The step of training after which to stop with a checkpoint.
  public var stopAfter: Int?
  /// The steps of training between two checkpoints, only the last if 0.
  ///
  /// Nil: 1 for Gauss–Newton and Levenberg–Marquardt, else 100.
  public var checkpointEvery: Int?
  /// The ranks that share the unknowns of a shard of probes in training; nil: several where there are fewer shards than
  /// ranks.
  public var treeRanks: Int?

  /// Creates the default options.
  public init() {}
}

/// What a run works with, as it was read and chosen.
public struct FactorFacts: Sendable {
  /// All that determines the result; settings that were left open have their chosen values.
  public let configuration: FactorConfiguration
  /// The number of unknowns.
  public let unknowns: Int
  /// The entries of the matrix that are not zero.
  public let entries: Int
  /// Whether the matrix is symmetric with a positive diagonal, so that U is Lᵀ, unless it turns out not to be positive
  /// definite.
  public internal(set) var isSymmetric: Bool
  /// The levels of the tree below the root.
  public let levels: Int
  /// The unknowns of a leaf, at least and at most.
  public let leafSizes: ClosedRange<Int>
  /// The number of parameters of both factors; of one, if U is Lᵀ.
  public internal(set) var parameters: Int
  /// The steps that a checkpoint has made already; nil if the run starts.
  public let stepsMade: Int?
}

/// A line of progress.
public enum FactorProgress: Sendable {
  /// A classical start was made, and needs so many iterations; nil if it does not converge.
  case start(StartKind, iterations: Int?)
  /// A step of training was made.
  case step(RefinementStep)
}

/// How a run ended.
public enum FactorOutcome: Sendable {
  /// All is done.
  case finished(FactorSummary)
  /// It had been finished before; this is its summary.
  case alreadyFinished(FactorSummary)
  /// The run stopped early with a checkpoint, after so many steps.
  case stopped(step: Int)
}

/// The results of a run.
public struct FactorSummary: Sendable {
  /// What the run worked with.
  public let facts: FactorFacts
  /// What the parameters stand for.
  public let form: FactorForm
  /// The start that was taken.
  public let start: StartKind
  /// The iterations of the classical starts; nil for one that does not converge.
  public let classicalIterations: [StartKind: Int?]
  /// The iterations of the factors; nil if they do not converge.
  public let iterations: Int?
  /// The steps of training made.
  public let steps: Int
  /// Whether training was of no use, so that the start is kept.
  public let keepsStart: Bool
  /// What was added to the diagonal, relative to it, so that an incomplete factorization exists; nil if it is exact.
  public let incompleteShift: Double?
  /// How far L U is from A.
  public let error: FactorError
  /// The errors of solutions; nil if they could not be found.
  public let solutions: SolutionErrors?
  /// All eigenvalues of K; nil of large matrices.
  public let spectrum: FactorSpectrum?
  /// The smallest and largest eigenvalue of K (of those that are complex the modulus), of large symmetric matrices as
  /// conjugate gradients estimate them; nil if unknown.
  public let eigenvalueRange: (smallest: Double, largest: Double)?
  /// The seconds that factorization and starts took.
  public let startSeconds: Double
  /// The seconds that training took.
  public let refinementSeconds: Double
  /// The digest of the parameters in canonical order.
  public let digest: String
}
