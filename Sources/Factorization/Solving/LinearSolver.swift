public import BlockKernels
import ClusterTrees
import KrylovMethods
public import MessagePassing
import Preconditioners

/// Factors with their parameters, and those of the classical start to fall back to.
public struct SolvingFactors {
  /// The factors.
  public let factors: Factors
  /// What the parameters stand for.
  public let form: FactorForm
  /// The parameters, all of them on each rank.
  public let parameters: AlignedBuffer<Double>
  /// The classical start with its form; nil if there is none.
  public let classical: (form: FactorForm, parameters: AlignedBuffer<Double>)?

  /// Bundles factors.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - form: What the parameters stand for.
  ///   - parameters: The parameters.
  ///   - classical: The classical start with its form.
  public init(
    _ factors: Factors, form: FactorForm, parameters: AlignedBuffer<Double>,
    classical: (form: FactorForm, parameters: AlignedBuffer<Double>)?
  ) {
    (self.factors, self.form, self.parameters) = (factors, form, parameters)
    self.classical = classical
  }
}

/// Solves systems as options say, and with the classical factors where trained ones fail.
public struct LinearSolver {
  /// The options.
  public let options: SolveOptions
  /// The system.
  public let system: LinearSystem
  private let factors: SolvingFactors?

  /// Prepares a solver.
  ///
  /// - Parameters:
  ///   - options: How to solve.
  ///   - system: The system.
  ///   - factors: The factors, if the options need them.
  /// - Throws: `RunError` (64) if options do not fit, or need factors that are not there.
  public init(
    _ options: SolveOptions, _ system: LinearSystem, _ factors: SolvingFactors?
  ) throws(RunError) {
    try options.validate()
    guard factors != nil || !options.preconditioner.needsFactors else {
      throw .usage(
        "`preconditioner` \(options.preconditioner.rawValue) needs `factors`")
    }
    guard options.method != .cg || system.ordered.isSymmetric else {
      throw .usage("`method` cg needs a symmetric matrix with a positive diagonal: use gmres")
    }
    guard options.preconditioner != .classical || factors?.classical != nil else {
      throw .usage("`preconditioner` classical: the factors have no classical start")
    }
    (self.options, self.system, self.factors) = (options, system, factors)
  }

  /// Solves A X = B.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - rightHandSides: This rank's rows of B, `[vector][row]`.
  ///   - count: The number of right-hand sides.
  ///   - ranks: The ranks.
  ///   - note: Receives remarks.
  /// - Returns: This rank's rows of X, and what happened.
  /// - Throws: `RunError` (65) if a preconditioner does not exist, `MPIError`.
  public func solve(
    _ rightHandSides: [Double], count: Int, on ranks: borrowing Communicator,
    note: (String) -> Void
  ) throws -> (solution: [Double], report: SolveReport) {
    let isDefault = options.method == nil
    var method = options.method ?? (system.ordered.isSymmetric ? .cg : .gmres)
    var kind = options.preconditioner
    var fellBack = false
    while true {
      do {
        var (solution, report) = try attempt(method, kind, rightHandSides, count, on: ranks)
        report.fellBack = fellBack
        let canFallBack = kind == .factors && factors?.classical != nil
        if report.hasConverged || method == .direct && !report.endings.contains("breakdown") {
          return (solution, report)
        }
        if canFallBack {
          note(
            "the trained factors do not solve the system (\(Self.words(report))); "
              + "the classical ones take their place")
          (kind, fellBack) = (.classical, true)
          solution = []
          continue
        }
        // A matrix that only looks positive definite, or a preconditioner that is not.
        if isDefault, method == .cg, report.endings.contains("breakdown") {
          note("conjugate gradients break down (\(Self.words(report))); GMRES takes their place")
          method = .gmres
          continue
        }
        return (solution, report)
      } catch let error
        where kind == .factors && factors?.classical != nil
        && ExitStatus.status(of: error) == ExitStatus.wrongContent
      {
        note(
          "\(ExitStatus.message(of: error)); the classical factors take the place of the trained ones"
        )
        (kind, fellBack) = (.classical, true)
      }
    }
  }

  private static func words(_ report: SolveReport) -> String {
    let worst = report.endings.first { $0 != "converged" } ?? "converged"
    return
      "\(worst) after \(report.iterations) iterations, relative residual \(report.relativeResidual)"
  }

  /// Solves with one preconditioner.
  private func attempt(
    _ method: SolveOptions.Method, _ kind: SolveOptions.Preconditioner,
    _ rightHandSides: [Double], _ count: Int, on ranks: borrowing Communicator
  ) throws -> ([Double], SolveReport) {
    var report = SolveReport(method: method, preconditioner: kind)
    let clock = ContinuousClock()
    let begin = clock.now
    let preconditioner = try preconditioner(kind, on: ranks)
    report.setupSeconds = (clock.now - begin).seconds
    report.bytes = try preconditioner?.totalBytes(on: ranks) ?? 0
    let (start, sent) = (clock.now, ranks.traffic)
    let before = (sent.messages, sent.messageBytes)
    var solution = [Double](repeating: 0, count: rightHandSides.count)
    var span = solution.mutableSpan
    let krylov = KrylovOptions(
      tolerance: options.tolerance, iterationLimit: options.iterationLimit)
    let found: KrylovReport
    switch (method, preconditioner) {
    case (.direct, .some(let preconditioner)):
      found = try StationaryRefinement(steps: options.refinementSteps + 1).solve(
        system.operation, preconditioner: preconditioner, rightHandSides: rightHandSides.span,
        solution: &span, columns: count, on: ranks)
    case (.cg, _):
      found = try ConjugateGradients(krylov).solve(
        system.operation, preconditioner: preconditioner, rightHandSides: rightHandSides.span,
        solution: &span, columns: count, on: ranks)
    default:
      found = try GeneralizedMinimalResiduals(
        krylov, restart: options.restart, isFlexible: method == .fgmres
      ).solve(
        system.operation, preconditioner: preconditioner, rightHandSides: rightHandSides.span,
        solution: &span, columns: count, on: ranks)
    }
    report.solveSeconds = (clock.now - start).seconds
    report.messages = try ranks.allReduce(.sum, ranks.traffic.messages - before.0)
    report.messageBytes = try ranks.allReduce(.sum, ranks.traffic.messageBytes - before.1)
    report.iterations = found.iterations
    report.iterationsByVector = found.columns.map(\.iterations)
    report.residuals = found.columns.map(\.trueResidual)
    report.endings = found.columns.map { column in
      // Refinement has no tolerance: it ends with its steps, or where a step is of no use.
      method == .direct && column.trueResidual <= options.tolerance
        ? KrylovEnding.converged.name : column.ending.name
    }
    return (solution, report)
  }

  /// Prepares a preconditioner.
  private func preconditioner(
    _ kind: SolveOptions.Preconditioner, on ranks: borrowing Communicator
  ) throws -> (any PlannedOperator)? {
    ranks.stallWatch.phase = .init("set-up of the preconditioner")
    let matrix = system.ordered.matrix
    switch (kind, factors) {
    case (.none, _): return nil
    case (.jacobi, _): return try JacobiPreconditioner(matrix, cuts: system.cuts, on: ranks)
    case (.ilu0, _): return try IncompleteLUPreconditioner(matrix, cuts: system.cuts, on: ranks)
    case (.blockJacobi, _):
      return try BlockJacobiPreconditioner(
        matrix, cuts: system.cuts, blockStarts: blockStarts, on: ranks)
    case (.classical, .some(let factors)):
      return try FactorPreconditioner(
        factors.factors, form: factors.classical?.form ?? factors.form,
        parameters: factors.classical?.parameters ?? factors.parameters, ranks: ranks)
    case (_, .some(let factors)):
      return try FactorPreconditioner(
        factors.factors, form: factors.form, parameters: factors.parameters, ranks: ranks)
    case (_, .none): return nil
    }
  }

  /// The blocks of block Jacobi: the leaves, or where no factors say which, pieces that no rank shares.
  private var blockStarts: [Int] {
    factors.map { Array($0.factors.structure.leafStarts.dropLast()) }
      ?? Array(stride(from: 0, to: system.ordered.count, by: LinearSystem.blockSize))
  }
}

extension Duration {
  /// The number of seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
