public import MessagePassing

/// How a linear system is solved.
public struct SolveOptions: Sendable, Equatable {
  /// The method.
  public enum Method: String, CaseIterable, Sendable {
    /// With the factors themselves, and steps of refinement.
    case direct
    /// Conjugate gradients, for symmetric positive definite matrices.
    case cg
    /// Generalized minimal residuals, preconditioned from the right.
    case gmres
    /// Its flexible form.
    case fgmres
  }

  /// The preconditioner.
  public enum Preconditioner: String, CaseIterable, Sendable {
    /// The factors, as they were trained.
    case factors
    /// The classical start of their training.
    case classical
    /// None.
    case none
    /// The diagonal.
    case jacobi
    /// The diagonal blocks of the leaves.
    case blockJacobi = "block-jacobi"
    /// An incomplete factorization without fill.
    case ilu0

    /// Whether it needs factors.
    public var needsFactors: Bool { self == .factors || self == .classical }
  }

  /// The method; conjugate gradients for symmetric matrices, else GMRES, if nil.
  public var method: Method?
  /// The preconditioner.
  public var preconditioner = Preconditioner.factors
  /// Where ‖b − A x‖/‖b‖ may stop.
  public var tolerance = 1e-8
  /// The most iterations.
  public var iterationLimit = 1000
  /// The iterations of GMRES between restarts; nil for none.
  public var restart: Int?
  /// The steps of refinement after a direct solve.
  public var refinementSteps = 1
  /// The random right-hand sides, where no file has them.
  public var vectors = 1
  /// The seed of random right-hand sides.
  public var seed = 1

  /// Creates the default options.
  public init() {}

  /// Refuses options that have no meaning together.
  ///
  /// - Throws: `RunError` (64).
  public func validate() throws(RunError) {
    guard tolerance > 0, tolerance < 1 else {
      throw .usage("`tolerance` is \(tolerance); it has to be above 0 and below 1")
    }
    guard method != .direct || preconditioner.needsFactors else {
      throw .usage(
        "`method` direct solves with factors, not with the `preconditioner` \(preconditioner.rawValue)"
      )
    }
    guard restart == nil || method == .gmres || method == .fgmres || method == nil else {
      throw .usage("`restart` belongs to the methods gmres and fgmres")
    }
  }
}

/// What solving a system took and gave.
public struct SolveReport: Sendable {
  /// The method that was taken.
  public internal(set) var method: SolveOptions.Method
  /// The preconditioner with which the solution was found in the end.
  public internal(set) var preconditioner: SolveOptions.Preconditioner
  /// The iterations of the right-hand side that needed most; steps of a direct solve.
  public internal(set) var iterations = 0
  /// The iterations of each right-hand side.
  public internal(set) var iterationsByVector: [Int] = []
  /// ‖b − A x‖/‖b‖ of each right-hand side, from the solution.
  public internal(set) var residuals: [Double] = []
  /// How each right-hand side ended: `converged`, `iteration-limit`, `stagnation`, `breakdown`.
  public internal(set) var endings: [String] = []
  /// Whether the classical factors took the place of trained ones.
  public internal(set) var fellBack = false
  /// The seconds to prepare.
  public internal(set) var setupSeconds = 0.0
  /// The seconds to solve.
  public internal(set) var solveSeconds = 0.0
  /// The bytes of the preconditioner on all ranks.
  public internal(set) var bytes = 0
  /// The messages that all ranks sent while solving.
  public internal(set) var messages = 0
  /// Their bytes.
  public internal(set) var messageBytes = 0

  /// The largest relative residual, NaN if one is.
  public var relativeResidual: Double {
    residuals.reduce(0) { $1 <= $0 ? $0 : ($0.isNaN ? $0 : $1) }
  }
  /// Whether every right-hand side reached the tolerance.
  public var hasConverged: Bool { endings.allSatisfy { $0 == "converged" } }
}
