public import BlockKernels
import Checkpoints
public import Datasets
import Foundation
public import MessagePassing
import NetworkExecution
import OperatorNetworks
public import ParallelHDF5

/// Trains a network from a dataset, with checkpoints and metrics.
public struct TrainingRun<Scalar: KernelScalar & HDF5Scalar & MPIScalar> {
  /// What the run works with.
  let facts: RunFacts
  let configuration: RunConfiguration
  let options: RunOptions
  let source: SampleSource
  let network: Network
  let normalization: Normalization
  let trainer: Trainer<Scalar>
  var metrics = ""
  var validationError: Double?
  /// When the learning rate falls, with the `plateau` schedule.
  var plateau = Plateau()
  var durations: [Double] = []
  /// What this rank sent and computed in the last step of this call.
  var counts: StepCounts?
  /// What this rank read of a file whose samples are not kept in memory, before the first step.
  let bytesReadAtStart: Int
  /// The loss of the first line of the metrics.
  var firstLoss: Double?
  /// Whether no other program can write into the directory.
  private var ownsDirectory = false
  /// Remarks on data and result for the user: printed by rank 0, and `notes` in the summary.
  private(set) var notes: [String] = []

  /// Trains a network, or continues its training.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - configuration: All that determines the result.
  ///   - options: How the run proceeds.
  ///   - data: The dataset.
  ///   - scalar: The scalar type.
  ///   - gridOptions: How the ranks are arranged.
  ///   - world: The ranks.
  ///   - isStopRequested: Whether this rank was asked to stop.
  ///   - begin: Receives what the run works with, before it reads samples.
  ///   - note: Receives remarks that the user should see.
  ///   - report: Receives the lines of progress, on rank 0.
  /// - Returns: How the run ended.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func train(
    _ configuration: RunConfiguration, options: RunOptions, data: DatasetFile,
    as scalar: Scalar.Type, gridOptions: GridOptions, on world: borrowing Communicator,
    isStopRequested: () -> Bool, begin: (RunFacts) -> Void, note: (String) -> Void,
    report: (Progress) -> Void
  ) throws -> TrainingOutcome {
    world.stallWatch.phase = .init("start")
    let lock = try world.agree { world.rank == 0 ? try DirectoryLock(options.directory) : nil }
    defer { lock?.release() }
    let found = try RunCheckpoint.first(
      of: options.restart ? [] : try Checkpoint.list(in: options.directory, on: world), on: world,
      note: note)
    let header = found.header
    var configuration = configuration
    let leaves = try configuration.settleTree(data)
    let network = try Self.network(configuration, header, data, on: world)
    configuration.training = configuration.training.settled(for: network)
    // Before samples are read, which may take long.
    if let header { try header.check(configuration, data) }
    let plan = try gridOptions.plan(
      network, sizes: StepPlan.Sizes(configuration.training), on: world)
    try world.agree { try plan.checkMemory() }
    let grid = try ProcessGrid(
      dataGroups: plan.dataGroups, treeRanks: plan.treeRanks, on: world)
    let facts = RunFacts(
      file: data, configuration: configuration, leaves: leaves, parameters: network.parameterCount,
      activeParameters: network.activeParameterCount,
      dataGroups: plan.dataGroups, treeRanks: plan.treeRanks,
      replicatedBoxes: plan.replicatedBoxes, stepsMade: header?.step ?? 0)
    begin(facts)
    var run = try TrainingRun(facts, options, network, plan, on: grid)
    run.ownsDirectory = lock?.isExclusive ?? false
    // The library must not be in use in the background when the program ends.
    defer { run.source.settle() }
    for text in run.notes { note(text) }
    let wasFinished = try run.start(found, note: note, on: grid)
    if wasFinished { return .alreadyFinished(try run.summarize(on: grid)) }
    let isComplete = try run.steps(on: grid, isStopRequested: isStopRequested, report: report)
    // The test part is evaluated at the end of training only; a run that is stopped may have little time left too.
    return isComplete
      ? .finished(try run.summarize(on: grid))
      : .stopped(try run.summarize(evaluates: false, on: grid))
  }

  /// Builds the network of a run.
  private static func network(
    _ configuration: RunConfiguration, _ header: CheckpointHeader?, _ data: DatasetFile,
    on world: borrowing Communicator
  ) throws -> Network {
    guard configuration.network.skeleton == nil || configuration.training.initializer != .keras
    else {
      throw RunError.usage(
        "`initializer` keras needs boxes of equal channels, not a `skeleton`: use glorot")
    }
    let skeleton = try configuration.skeleton(
      (data.points, data.outputPoints), header: header, on: world)
    do {
      return try Network.build(
        configuration.network, sources: data.points, receivers: data.outputPoints,
        skeleton: skeleton)
    } catch {
      throw RunError(error)
    }
  }

  private init(
    _ facts: RunFacts, _ options: RunOptions, _ network: Network, _ plan: StepPlan,
    on grid: borrowing ProcessGrid
  ) throws {
    let file = facts.file
    self.facts = facts
    configuration = facts.configuration
    self.options = options
    self.network = network
    let settings = configuration.training
    let training = settings.split.range(of: .training, count: file.sampleCount)
    guard !training.isEmpty else {
      throw RunError.usage(
        "`split` leaves no training sample of the \(file.sampleCount) in \(file.path)")
    }
    let validation = settings.split.range(of: .validation, count: file.sampleCount)
    guard settings.schedule != .plateau || !validation.isEmpty else {
      throw RunError.usage(
        "`schedule` plateau needs validation samples, and `split` leaves none of the "
          + "\(file.sampleCount) in \(file.path)")
    }
    let share = plan.share(network, rank: grid.treeRank)
    let columns = share.columns(network)
    source = try SampleSource(
      file, inputs: columns.inputs, outputs: columns.outputs, readsFirst: false,
      memory: options.sampleMemory, on: grid.world)
    let survey = try FieldSurvey(source, training: training, network, share, on: grid)
    bytesReadAtStart = source.bytesRead
    normalization = try Normalization(survey, settings, of: file.path)
    let norms = survey.norms(scale: normalization.outputScale)
    notes =
      [
        facts.configuration.network.unusedRemark, settings.unusedRemark,
        facts.configuration.network.farFieldRemark(on: network),
        settings.batchRemark(training: training.count),
        options.stopRemark(steps: settings.iterations),
      ].compactMap { $0 }
      + normalization.remarks
    for part in Part.allCases {
      let samples = settings.split.range(of: part, count: file.sampleCount)
      try norms.check(samples, of: file.path)
      let zeros = norms.zeros(in: samples)
      if part == .training, settings.loss == .relative, let zero = zeros.first {
        throw RunError.data(
          "\(file.path): the output of sample \(zero) is zero, so its relative error is not "
            + "defined; remove it or use `loss` mse")
      }
      guard part != .validation || settings.schedule != .plateau || zeros.count < samples.count
      else {
        throw RunError.data(
          "\(file.path): the outputs of all validation samples are zero, so `schedule` plateau has no "
            + "error to look at")
      }
      notes += [zeroRemark(zeros, "\(part.rawValue) part")].compactMap { $0 }
    }
    trainer = Trainer(
      network, plan, share, options: settings, source: source, normalization: normalization,
      norms: norms.squares, on: grid)
  }

  /// Draws the parameters, or takes those of a checkpoint; returns whether all steps are made.
  private mutating func start(
    _ found: consuming RunCheckpoint?, note: (String) -> Void, on grid: borrowing ProcessGrid
  ) throws -> Bool {
    let isFirst = grid.world.rank == 0
    try grid.world.agree {
      if isFirst {
        try RunDirectory.prepare(
          options.directory, restarts: options.restart, isExclusive: ownsDirectory)
      }
    }
    let isResumed = found.header != nil
    if let found {
      try resume(found, on: grid)
    } else {
      let chosen = try linearStart(note: note, on: grid.world)
      try trainer.initialize(replacing: chosen, on: grid)
    }
    try grid.world.agree { if isFirst { try writeMetrics() } }
    return isResumed && trainer.step >= configuration.training.iterations
  }

  /// Continues from a checkpoint.
  private mutating func resume(
    _ checkpoint: borrowing RunCheckpoint, on grid: borrowing ProcessGrid
  ) throws {
    let header = checkpoint.header
    guard header.normalization == normalization else { throw header.otherData(source.file) }
    try checkpoint.check(network)
    for array in trainer.state { try checkpoint.read(array) }
    try trainer.resume(after: header.step, lossUnit: header.lossUnit, on: grid)
    plateau = header.plateau
    trainer.scaleRates(by: plateau.factor(configuration.training))
    metrics = header.metrics
    firstLoss = MetricsLine.read(header.metrics).first?.loss
  }
}

extension CheckpointHeader {
  /// Refuses the settings and the points of another run.
  fileprivate func check(
    _ wanted: RunConfiguration, _ file: DatasetFile
  ) throws(RunError) {
    let differences = wanted.differences(from: configuration)
    guard differences.isEmpty else {
      throw .usage(
        "\(path) was trained with other settings: \(differences.joined(separator: "; ")); use the "
          + "same ones, another `out`, or `restart`")
    }
    guard points == file.points, outputPoints == file.outputPoints else { throw otherData(file) }
  }

  fileprivate func otherData(_ file: DatasetFile) -> RunError {
    .data(
      "\(path) was trained on other data than \(file.path); use that file, another `out`, or "
        + "`restart`")
  }
}

extension RunCheckpoint? {
  /// What the checkpoint says of its run, if there is one.
  fileprivate var header: CheckpointHeader? {
    switch self {
    case .some(let checkpoint): checkpoint.header
    case .none: nil
    }
  }
}
