import BlockKernels
import Checkpoints
import ClusterTrees
import KrylovMethods
public import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5
import SparseMatrices

/// Factors a matrix: starts classically, trains, and measures; with checkpoints and metrics.
///
/// All ranks hold the matrix and all parameters; they share the work.
public struct FactorRun {
  var facts: FactorFacts
  let options: FactorRunOptions
  var ordered: OrderedMatrix
  var factors: Factors
  /// The parameters at hand.
  var parameters: AlignedBuffer<Double>
  /// The start, to be fallen back to; nil for random starts.
  var classical: AlignedBuffer<Double>?
  /// The exact or incomplete factor, where training needs it.
  var exact: ExactFactor?
  var state: FactorState
  var refinement: RefinementState?
  /// The lines of the metrics so far.
  var metrics = ""

  var configuration: FactorConfiguration { facts.configuration }

  /// Factors a matrix, or continues.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - configuration: All that determines the result.
  ///   - options: How the run proceeds.
  ///   - world: The ranks.
  ///   - isStopRequested: Whether this rank was asked to stop.
  ///   - begin: Receives what the run works with.
  ///   - note: Receives remarks that the user should see.
  ///   - report: Receives the lines of progress.
  /// - Returns: How the run ended.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func run(
    _ configuration: FactorConfiguration, options: FactorRunOptions,
    on world: borrowing Communicator, isStopRequested: () -> Bool, begin: (FactorFacts) -> Void,
    note: (String) -> Void, report: (FactorProgress) -> Void
  ) throws -> FactorOutcome {
    try configuration.refinement.validate()
    world.stallWatch.phase = .init("start")
    let lock = try world.agree { world.rank == 0 ? try DirectoryLock(options.directory) : nil }
    defer { lock?.release() }
    try world.agree {
      if world.rank == 0 {
        try RunDirectory.prepare(
          options.directory, restarts: options.restart, isExclusive: lock?.isExclusive ?? false)
      }
    }
    let found = try FactorCheckpoint.first(
      of: try Checkpoint.list(in: options.directory, on: world), on: world, note: note)
    var run = try FactorRun(configuration, options, found, on: world)
    begin(run.facts)
    let wasFinished = run.state.isFinished
    if run.facts.stepsMade == nil {
      try run.start(on: world, note: note, report: report)
      try run.writeCheckpoint(on: world)
    }
    if !wasFinished {
      guard try run.refine(on: world, isStopRequested: isStopRequested, report: report) else {
        return .stopped(step: run.state.step)
      }
      try run.judge(on: world, note: note)
      // Nothing goes on from here.
      run.refinement = nil
      run.state.isFinished = true
      try run.writeCheckpoint(on: world)
    }
    let summary = try run.summarize(on: world, note: note)
    return wasFinished ? .alreadyFinished(summary) : .finished(summary)
  }

  /// Reads the matrix, builds the factors, and takes the state of a checkpoint.
  private init(
    _ wanted: FactorConfiguration, _ options: FactorRunOptions,
    _ found: borrowing FactorCheckpoint?, on world: borrowing Communicator
  ) throws {
    self.options = options
    var configuration = wanted
    let (matrix, source) = try wanted.matrix.load(on: world)
    configuration.matrix = source
    configuration.factors = try wanted.factors.settled(for: source.points, count: matrix.rowCount)
    let structure = try configuration.factors.structure(source.points, count: matrix.rowCount)
    var ordered = OrderedMatrix(matrix, structure.tree)
    switch found {
    case .some(let checkpoint): if !checkpoint.isSymmetric { ordered = ordered.general }
    case .none: break
    }
    let factors = Factors(structure, isSymmetric: ordered.isSymmetric)
    (self.ordered, self.factors) = (ordered, factors)
    parameters = AlignedBuffer(repeating: 0, count: factors.parameterCount)
    state = FactorState(
      unknowns: ordered.count, isSymmetric: ordered.isSymmetric, form: .product, start: .plain,
      network: NetworkDescription(factors.upper.networks.forward))
    var stepsMade: Int?
    switch found {
    case .some(let checkpoint):
      let changes = configuration.changes(from: checkpoint.configuration)
      guard changes.isEmpty else {
        throw RunError.usage(
          "\(checkpoint.path) was made with other settings: \(changes.joined(separator: "; ")); use the "
            + "same ones, another `out`, or `restart`")
      }
      configuration = checkpoint.configuration
      let saved = try checkpoint.factors()
      parameters = try checkpoint.read(.parameters, of: saved)
      if checkpoint.hasClassicalStart {
        classical = try checkpoint.read(.classical, of: saved)
      }
      state = checkpoint.state
      refinement = try checkpoint.refinementState()
      metrics = try checkpoint.metrics()
      stepsMade = state.step
    case .none: break
    }
    let starts = structure.leafStarts
    let sizes = zip(starts, starts.dropFirst()).map { $1 - $0 }
    facts = FactorFacts(
      configuration: configuration, unknowns: ordered.count, entries: matrix.entryCount,
      isSymmetric: ordered.isSymmetric, levels: structure.tree.levels,
      leafSizes: (sizes.min() ?? 0)...(sizes.max() ?? 0), parameters: factors.parameterCount,
      stepsMade: stepsMade)
  }

  /// Makes the remaining steps of training.
  ///
  /// - Returns: Whether training has ended; false if the run stopped early.
  private mutating func refine(
    on world: borrowing Communicator, isStopRequested: () -> Bool,
    report: (FactorProgress) -> Void
  ) throws -> Bool {
    let wanted = configuration.refinement
    guard wanted.method != .none else { return true }
    if wanted.loss != .frobenius, wanted.loss != .direct, exact == nil {
      var start = FactorStart(factors, ordered.matrix)
      try factorize(&start, on: world)
    }
    let training = try Refinement(
      factors, form: state.form, matrix: ordered.matrix, exact: exact, options: wanted,
      parameters: parameters, state: refinement, treeRanks: options.treeRanks, on: world)
    let isLong = wanted.method == .adam || wanted.method == .lbfgs
    let every = options.checkpointEvery ?? (isLong ? 100 : 1)
    let clock = ContinuousClock()
    while !training.isFinished {
      if let limit = options.stopAfter, state.step >= limit {
        try save(training, on: world)
        return false
      }
      world.stallWatch.phase = .init("step of training", state.step + 1)
      let begin = clock.now
      let step = try training.advance()
      state.step = training.step
      state.refinementSeconds += (clock.now - begin).seconds
      report(.step(step))
      try record(step, on: world)
      let isStopping = try world.allReduce(.max, isStopRequested() ? 1 : 0) == 1
      if isStopping, !training.isFinished {
        try save(training, on: world)
        return false
      }
      if every > 0, state.step % every == 0 { try save(training, on: world) }
    }
    parameters = training.parameters
    refinement = training.state
    return true
  }

  /// Writes a checkpoint in the middle of training.
  private mutating func save(_ training: Refinement, on world: borrowing Communicator) throws {
    parameters = training.parameters
    refinement = training.state
    try writeCheckpoint(on: world)
  }

  /// Keeps the start unless training was of use.
  private mutating func judge(on world: borrowing Communicator, note: (String) -> Void) throws {
    let trained = try iterations(parameters, state.form, on: world)
    state.iterations = trained ?? -1
    guard let classical, state.step > 0 else { return }
    let before = state.classicalIterations[state.start.rawValue] ?? -1
    // The paper's loss is judged by what it minimizes.
    let isBetter: Bool
    if configuration.refinement.loss == .frobenius {
      let (old, new) = (
        try error(of: classical, on: world), try error(of: parameters, on: world)
      )
      isBetter = (new ?? .infinity) < (old ?? .infinity)
    } else {
      isBetter = (trained ?? .max) < (before < 0 ? .max : before)
    }
    guard !isBetter else { return }
    note(
      "training did not \(configuration.refinement.loss == .frobenius ? "lower the error" : "save an iteration") "
        + "(\(Self.text(before)) before, \(Self.text(trained ?? -1)) after): the classical factor stays"
    )
    (parameters, state.iterations, state.keepsStart) = (classical, before, true)
  }

  private static func text(_ iterations: Int) -> String {
    iterations < 0 ? "no convergence" : "\(iterations) iterations"
  }

  /// Returns ‖A − L U‖_F/‖A‖_F; nil if a diagonal block is singular.
  private func error(
    of values: AlignedBuffer<Double>, on world: borrowing Communicator
  ) throws -> Double? {
    guard let serial = try serialFactors(values, on: world) else { return nil }
    return try FactorError(serial, ordered, on: world).relativeFrobenius
  }

  /// Prepares factors on each rank; nil if a diagonal block is singular.
  func serialFactors(
    _ values: AlignedBuffer<Double>, on world: borrowing Communicator
  ) throws -> SerialFactors? {
    let (factors, form) = (factors, state.form)
    let found = try? SerialFactors(factors, form: form, parameters: values)
    return try world.allReduce(.min, found == nil ? 0 : 1) == 1 ? found : nil
  }
}
