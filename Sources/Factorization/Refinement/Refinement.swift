public import BlockKernels
import ClusterTrees
public import MessagePassing
import OperatorNetworks
import Optimization
public import SparseMatrices

/// Training of factors: steps that make K = L⁻¹ A U⁻¹, or W_L A W_U, closer to the identity.
///
/// Probes are dealt to groups of ranks in shards of 16, unknowns to the ranks of a group along the tree; every rank holds all
/// parameters. The bits of the results do not depend on the number of ranks and groups, nor on whether training was
/// interrupted: ``state`` is all that it needs to go on.
public final class Refinement {
  /// The factors.
  public let factors: Factors
  /// What the parameters stand for.
  public let form: FactorForm
  /// How they are trained.
  public let options: RefinementOptions
  /// The parameters, all of them, the same on all ranks.
  public let parameters: AlignedBuffer<Double>

  private var progress = RefinementState.Progress()
  private let matrix: SparseMatrix
  private let solver: ExactSolver?
  private let probes: Probes
  private let ranks: TrainingRanks
  private let rows: BlockRows
  private let method: (any OptimizationMethod)?
  private var problem: LeastSquares?

  /// Prepares training.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - form: What their parameters stand for.
  ///   - matrix: A, in the order of the tree.
  ///   - exact: Its exact factor; needed by the losses that look at K⁻¹.
  ///   - options: How to train.
  ///   - parameters: The start; copied.
  ///   - state: Where training stopped; it goes on there instead of at the start.
  ///   - treeRanks: The ranks of a group, among which unknowns are spread; nil: several if there are fewer shards than ranks.
  ///   - ranks: The ranks.
  /// - Throws: `RunError` (64) for options without meaning, (65) for a start or a state that is of no use, `MPIError`.
  public init(
    _ factors: Factors, form: FactorForm = .product, matrix: SparseMatrix, exact: ExactFactor?,
    options: RefinementOptions, parameters: AlignedBuffer<Double>, state: RefinementState? = nil,
    treeRanks: Int? = nil, on ranks: borrowing Communicator
  ) throws {
    try options.validate()
    try Self.check(factors, form, matrix, exact, options, parameters)
    (self.factors, self.form, self.options, self.matrix) = (factors, form, options, matrix)
    let count = factors.parameterCount
    self.parameters = AlignedBuffer(repeating: 0, count: count)
    probes = Probes(unknowns: matrix.rowCount, options: options)
    self.ranks = try TrainingRanks(
      factors, shards: probes.shardCount, treeRanks: treeRanks, on: ranks)
    let trains = options.method != .none
    rows = BlockRows(factors)
    let (iterations, tolerance) = (options.innerIterations ?? 60, options.innerTolerance)
    method =
      switch options.method {
      case .gaussNewton:
        GaussNewton(
          count: count, iterations: iterations, tolerance: tolerance, seed: options.seed)
      case .levenbergMarquardt:
        LevenbergMarquardt(
          count: count, iterations: iterations, tolerance: tolerance, seed: options.seed)
      case .lbfgs: LimitedMemory(count: count)
      case .adam: Adam(count: count, rate: options.learningRate ?? 1e-3)
      case .none: nil
      }
    do {
      solver =
        try trains ? exact.map { (factor) throws(LAPACKError) in try ExactSolver(factor) } : nil
    } catch {
      throw RunError.data("a diagonal block of the exact factor is singular")
    }
    self.parameters.copy(from: parameters, at: 0, to: 0..<count)
    if let state {
      progress = state.progress
      try self.parameters.restore("parameters", of: state.arrays)
      try method?.restore(state.arrays, progress.method)
    }
    // Whatever callers do, ranks start from the same bits.
    let values = self.parameters
    var span = values.mutableSpan
    try ranks.broadcast(&span, from: 0)
    guard Elementwise.areFinite(self.parameters) else {
      throw RunError.data("the start of training has parameters that are not finite")
    }
    if !trains { progress.isFinished = true }
    if !progress.isFinished { try startPhase() }
  }

  /// Refuses what does not fit together.
  private static func check(
    _ factors: Factors, _ form: FactorForm, _ matrix: SparseMatrix, _ exact: ExactFactor?,
    _ options: RefinementOptions, _ parameters: AlignedBuffer<Double>
  ) throws(RunError) {
    let unknowns = factors.structure.tree.points.count
    guard matrix.rowCount == unknowns, matrix.columnCount == unknowns else {
      throw .usage(
        "factors of \(unknowns) unknowns for a matrix of \(matrix.rowCount)×\(matrix.columnCount)")
    }
    guard parameters.count == factors.parameterCount else {
      throw .usage(
        "\(parameters.count) parameters for factors that have \(factors.parameterCount)")
    }
    guard options.loss != .frobenius || form == .product else {
      throw .usage("`loss` frobenius compares L U with A; inverse factors have no such product")
    }
    let needsExact =
      switch options.loss {
      case .balanced, .both: true
      case .direct: false
      case .inverse: form == .product
      case .frobenius: false
      }
    guard !needsExact || exact != nil || options.method == .none else {
      throw .usage("`loss` \(options.loss.rawValue) looks at K⁻¹ and needs the exact factor of A")
    }
  }

  /// The number of steps done.
  public var step: Int { progress.method.step }

  /// Whether no further step is worth while.
  public var isFinished: Bool { progress.isFinished }

  /// All that a further training needs to go on with the same bits.
  public var state: RefinementState {
    var arrays = method?.arrays(progress.method) ?? [:]
    arrays["parameters"] = parameters.array()
    return RefinementState(arrays: arrays, progress: progress)
  }

  /// Goes one step.
  ///
  /// Collective.
  ///
  /// - Returns: What the step did, the same on all ranks.
  /// - Precondition: Training has not ended.
  /// - Throws: `RunError` (65) if the loss is not finite, `MPIError`.
  public func advance() throws -> RefinementStep {
    precondition(!isFinished, "a step after the end of training")
    guard let problem, let method else { preconditionFailure("training without a method") }
    let found = try method.advance(problem, parameters, &progress.method)
    progress.method.countStep()
    guard problem.loss.isFinite else {
      throw RunError.data(
        "the loss is not finite after step \(step); use a smaller `learningRate`")
    }
    let isLooking = problem.residual is PreconditionedResidual || options.loss == .frobenius
    let squares = problem.squares
    let swaps = options.loss == .inverse
    let result = RefinementStep(
      step: step, loss: problem.loss,
      directLoss: isLooking && !swaps ? squares[0] : 0,
      inverseLoss: isLooking ? (swaps ? squares[0] : squares.count > 1 ? squares[1] : 0) : 0,
      innerIterations: found.innerIterations, stepLength: found.length)
    try endPhase(found, problem.loss)
    return result
  }

  // MARK: Phases

  /// The number of phases: two for the loss of both residuals, block rows, or one.
  private var phaseCount: Int {
    if options.blockWise { return rows.unknowns.count }
    return Self.plan(options).count
  }

  /// The residuals of the phases.
  enum Kind { case balanced, preconditioned }

  static func plan(_ options: RefinementOptions) -> [Kind] {
    switch options.loss {
    case .balanced: [.balanced]
    case .both: [.balanced, .preconditioned]
    case .direct, .inverse, .frobenius: [.preconditioned]
    }
  }

  /// By which part the loss falls at least in a step that is worth while.
  private var leastGain: Double {
    switch options.method {
    case .gaussNewton, .levenbergMarquardt:
      if options.loss == .frobenius { return 1e-3 }
      // The phase after this one goes on.
      return options.loss == .both && progress.phase == 0 ? 0.05 : 0.01
    case .lbfgs: return 1e-5
    case .adam, .none: return 0
    }
  }

  /// Ends training or a phase of it if steps gain nothing.
  private func endPhase(_ found: MethodStep, _ loss: Double) throws {
    let isExhausted =
      options.blockWise
      ? progress.method.phaseStep >= options.stepLimit : step >= options.stepLimit
    let isDone = loss == 0 || found.gain < leastGain || isExhausted
    guard isDone else { return }
    if isExhausted && !options.blockWise { progress.phase = phaseCount }
    progress.phase += 1
    progress.method.phaseStep = 0
    method?.forget(&progress.method)
    guard progress.phase < phaseCount else {
      progress.isFinished = true
      problem = nil
      return
    }
    try startPhase()
  }

  /// Makes the least squares problem of a phase.
  private func startPhase() throws {
    guard (0..<phaseCount).contains(progress.phase) else {
      throw RunError.data("the state of training is in phase \(progress.phase) of \(phaseCount)")
    }
    if options.blockWise, let problem, let residual = problem.residual as? ProductResidual {
      restrict(residual)
      problem.setMask(rows.mask(row: progress.phase))
    } else {
      // Frees the memory of the phase before.
      problem = nil
      problem = LeastSquares(
        try residual(), ranks, mask: rows.mask(row: options.blockWise ? progress.phase : nil))
    }
    try problem?.update(parameters)
    guard problem?.loss.isFinite == true else {
      throw RunError.data(
        "the loss `\(options.loss.rawValue)` of the start is not finite: a diagonal block is singular, or nearly so"
      )
    }
  }

  private func restrict(_ residual: ProductResidual) {
    let unknowns = rows.unknowns[progress.phase]
    residual.restrict(rows: unknowns, columns: unknowns.upperBound)
  }

  /// Makes the residuals of the phase.
  private func residual() throws -> any ProbeResidual {
    let probes = ranks.ownShards.map { self.probes.shard($0) }
    if options.loss == .frobenius {
      let residual = try ProductResidual(
        ranks, matrix,
        transposes: options.transposeLoss || (options.blockWise && !factors.isSymmetric),
        probes: probes)
      if options.blockWise { restrict(residual) }
      return residual
    }
    if Self.plan(options)[progress.phase] == .balanced, let solver {
      return BalancedResidual(ranks, form: form, solver, probes: probes)
    }
    return PreconditionedResidual(
      ranks, form: form,
      losses: (options.loss != .inverse, options.loss != .direct),
      try SystemMap(matrix, solver, isInverse: form == .inverse, ranks), probes: probes)
  }
}
