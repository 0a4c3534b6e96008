public import BlockKernels
public import Datasets
import Foundation
public import MessagePassing
import NetworkExecution
import OperatorNetworks
public import ParallelHDF5

/// Trains a network from a dataset, with checkpoints and metrics.
public struct TrainingRun<Scalar: KernelScalar & HDF5Scalar & MPIScalar> {
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
  /// What the user should know of data and result: printed by rank 0, and `notes` in the summary.
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
  ///   - note: Receives remarks that the user should see.
  ///   - report: Receives the lines of progress, on rank 0.
  /// - Returns: How the run ended.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func train(
    _ configuration: RunConfiguration, options: RunOptions, data: DatasetFile,
    as scalar: Scalar.Type, gridOptions: GridOptions, on world: borrowing Communicator,
    isStopRequested: () -> Bool, note: (String) -> Void, report: (Progress) -> Void
  ) throws -> TrainingOutcome {
    if let timeout = options.stallTimeout {
      world.stallWatch.start(timeout: timeout, program: "h2nn-dist")
    }
    world.stallWatch.phase = .init("start")
    let network = try Self.network(configuration, options, data, on: world)
    var configuration = configuration
    configuration.training = configuration.training.settled(for: network)
    // Before samples are read, which may take long.
    if !options.restart { try Self.checkSettings(configuration, options, data, on: world) }
    let plan = try gridOptions.plan(
      network, sizes: StepPlan.Sizes(configuration.training), on: world)
    try world.agree { try plan.checkMemory() }
    let grid = try ProcessGrid(
      dataGroups: plan.dataGroups, treeRanks: plan.treeRanks, on: world)
    var run = try TrainingRun(configuration, options, data, network, plan, on: grid)
    // The library must not be in use in the background when the program ends.
    defer { run.source.settle() }
    for text in run.notes { note(text) }
    let wasFinished = try run.start(note: note, on: grid)
    if wasFinished { return .alreadyFinished(try run.summarize(on: grid)) }
    let isComplete = try run.steps(on: grid, isStopRequested: isStopRequested, report: report)
    // A run that is stopped may have little time left, and its test part is nobody's business yet.
    return isComplete
      ? .finished(try run.summarize(on: grid))
      : .stopped(try run.summarize(evaluates: false, on: grid))
  }

  /// Builds the network of a run.
  private static func network(
    _ configuration: RunConfiguration, _ options: RunOptions, _ data: DatasetFile,
    on world: borrowing Communicator
  ) throws -> Network {
    guard configuration.network.skeleton == nil || configuration.training.initializer != .keras
    else {
      throw TrainingError.usage(
        "--initializer keras needs boxes of equal channels, not a --skeleton: use glorot")
    }
    let skeleton = try configuration.skeleton(
      (data.points, data.outputPoints),
      checkpoints: options.restart ? [] : try Checkpoint.list(in: options.directory, on: world),
      on: world)
    do {
      return try Network.build(
        configuration.network, sources: data.points, receivers: data.outputPoints,
        skeleton: skeleton)
    } catch {
      throw TrainingError(error)
    }
  }

  private init(
    _ configuration: RunConfiguration, _ options: RunOptions, _ file: DatasetFile,
    _ network: Network, _ plan: StepPlan, on grid: borrowing ProcessGrid
  ) throws {
    self.configuration = configuration
    self.options = options
    self.network = network
    let settings = configuration.training
    let training = settings.split.range(of: .training, count: file.sampleCount)
    guard !training.isEmpty else {
      throw TrainingError.usage(
        "--split leaves no training sample of the \(file.sampleCount) in \(file.path)")
    }
    let validation = settings.split.range(of: .validation, count: file.sampleCount)
    guard settings.schedule != .plateau || !validation.isEmpty else {
      throw TrainingError.usage(
        "--schedule plateau needs validation samples, and --split leaves none of the "
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
    notes = normalization.remarks
    for part in Part.allCases {
      let samples = settings.split.range(of: part, count: file.sampleCount)
      try norms.check(samples, of: file.path)
      let zeros = norms.zeros(in: samples)
      if part == .training, settings.loss == .relative, let zero = zeros.first {
        throw TrainingError.data(
          "\(file.path): the output of sample \(zero) is zero, so its relative error is not "
            + "defined; remove it or use --loss mse")
      }
      guard part != .validation || settings.schedule != .plateau || zeros.count < samples.count
      else {
        throw TrainingError.data(
          "\(file.path): the outputs of all validation samples are zero, so --schedule plateau has no "
            + "error to look at")
      }
      notes += [zeroRemark(zeros, "\(part.rawValue) part")].compactMap { $0 }
    }
    trainer = Trainer(
      network, plan, share, options: settings, source: source, normalization: normalization,
      norms: norms.squares, on: grid)
  }

  /// Draws the parameters, or reads the newest checkpoint; returns whether all steps are made.
  private mutating func start(
    note: (String) -> Void, on grid: borrowing ProcessGrid
  ) throws -> Bool {
    let isFirst = grid.world.rank == 0
    try grid.world.agree {
      if isFirst { try prepareDirectory() }
    }
    var damage: (any Error)?
    for path in try Checkpoint.list(in: options.directory, on: grid.world) {
      do {
        let header = try Checkpoint.readHeader(path, on: grid.world)
        try check(header)
        try resume(header, on: grid)
        try grid.world.agree { if isFirst { try writeMetrics() } }
        return trainer.step >= configuration.training.iterations
      } catch let mismatch as Mismatch {
        throw mismatch.error
      } catch let error where ExitStatus.status(of: error) == ExitStatus.wrongContent {
        note("\(ExitStatus.message(of: error)); trying the checkpoint before it")
        damage = error
      }
    }
    if let damage { throw damage }
    let chosen = try linearStart(note: note, on: grid.world)
    try trainer.initialize(replacing: chosen, on: grid)
    try grid.world.agree { if isFirst { try writeMetrics() } }
    return false
  }

  /// Makes the directory of the run, and empties it to start over.
  private func prepareDirectory() throws(TrainingError) {
    let (files, directory) = (FileManager.default, options.directory)
    do {
      try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
      guard options.restart else { return }
      let results = ["metrics.jsonl", "summary.json"].map { "\(directory)/\($0)" }
      for path in Checkpoint.list(in: directory) + results where files.fileExists(atPath: path) {
        try files.removeItem(atPath: path)
      }
    } catch {
      let reason = (error as NSError).userInfo[NSUnderlyingErrorKey] ?? error
      throw TrainingError(
        exitStatus: ExitStatus.cannotCreate,
        "\(directory): cannot be made ready for a run; choose another --out (\(reason))")
    }
  }

  /// A checkpoint that is whole and belongs to another run.
  private struct Mismatch: Error {
    let error: TrainingError
  }

  /// Refuses settings and points that differ from those of the newest checkpoint that can be read.
  private static func checkSettings(
    _ configuration: RunConfiguration, _ options: RunOptions, _ file: DatasetFile,
    on world: borrowing Communicator
  ) throws {
    for path in try Checkpoint.list(in: options.directory, on: world) {
      do {
        let header = try Checkpoint.readHeader(path, on: world)
        return try check(header, configuration, file)
      } catch let mismatch as Mismatch {
        throw mismatch.error
      } catch let error where ExitStatus.status(of: error) == ExitStatus.wrongContent {
        continue
      }
    }
  }

  /// Refuses the settings and the points of another run.
  private static func check(
    _ header: CheckpointHeader, _ configuration: RunConfiguration, _ file: DatasetFile
  ) throws(Mismatch) {
    let differences = configuration.differences(from: header.configuration)
    guard differences.isEmpty else {
      throw Mismatch(
        error: .usage(
          "\(header.path) was trained with other settings: "
            + "\(differences.joined(separator: "; ")); use the same ones, another --out, or "
            + "--restart"))
    }
    guard header.points == file.points, header.outputPoints == file.outputPoints else {
      throw otherData(header, file)
    }
  }

  private static func otherData(_ header: CheckpointHeader, _ file: DatasetFile) -> Mismatch {
    Mismatch(
      error: .data(
        "\(header.path) was trained on other data than \(file.path); use that file, another "
          + "--out, or --restart"))
  }

  /// Refuses a checkpoint of another run.
  private func check(_ header: CheckpointHeader) throws(Mismatch) {
    try Self.check(header, configuration, source.file)
    guard header.normalization == normalization else {
      throw Self.otherData(header, source.file)
    }
  }

  /// Continues from a checkpoint.
  private mutating func resume(
    _ header: CheckpointHeader, on grid: borrowing ProcessGrid
  ) throws {
    let (path, share) = (header.path, trainer.executor.share)
    try trainer.resume(after: header.step, lossUnit: header.lossUnit, on: grid) { array in
      try Checkpoint.read(array, path, network, share, on: grid.world, tree: grid.tree)
    }
    plateau = header.plateau
    trainer.scaleRates(by: plateau.factor(configuration.training))
    metrics = header.metrics
    firstLoss = MetricsLine.read(header.metrics).first?.loss
  }

  /// Writes a checkpoint of the present state.
  ///
  /// Collective.
  func writeCheckpoint(on grid: borrowing ProcessGrid) throws {
    // Rank 0 keeps the metrics; datasets are written with equal contents on all ranks.
    let lines = try grid.world.broadcast(Array(metrics.utf8), from: 0)
    let content = CheckpointContent(
      configuration: configuration, network: network, points: source.file.points,
      outputPoints: source.file.outputPoints, normalization: normalization, step: trainer.step,
      lossUnit: trainer.lossUnit,
      plateau: configuration.training.schedule == .plateau ? plateau : nil,
      metrics: String(decoding: lines, as: UTF8.self), share: trainer.executor.share,
      parameters: trainer.parameters,
      moments: [trainer.optimizer.firstMoment, trainer.optimizer.secondMoment],
      owned: (0..<grid.dataGroups).map { trainer.reduction.owned(by: $0) })
    try Checkpoint.write(content, in: options.directory, on: grid)
  }
}
