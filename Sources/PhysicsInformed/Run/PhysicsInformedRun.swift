import BlockKernels
import Checkpoints
import Foundation
public import MessagePassing

/// How a run proceeds; none of it changes the result of a step.
public struct PhysicsInformedRunOptions: Sendable {
  /// The directory of checkpoints, metrics, pictures and summary.
  public var directory = "run"
  /// Whether to start over although the directory has checkpoints.
  public var restart = false
  /// The step after which to stop with a checkpoint.
  public var stopAfter: Int?
  /// The steps between two checkpoints, only the last if 0.
  public var checkpointEvery = 100
  /// The seconds of this and earlier parts of training after which to stop with a checkpoint.
  public var timeLimit: Double?

  /// Creates the default options.
  public init() {}
}

/// The results of a run, or of what it has done so far.
public struct PhysicsInformedSummary: Sendable {
  /// All that determined the training.
  public let configuration: PhysicsInformedConfiguration
  /// The number of parameters.
  public let parameters: Int
  /// The steps made.
  public let steps: Int
  /// Whether training has ended.
  public let isFinished: Bool
  /// The step of the best parameters.
  public let bestStep: Int
  /// The loss after the last step, at its points; nil before the first.
  public let loss: Double?
  /// The least root mean square of the residual at the fixed points.
  public let validation: Double
  /// ‖u − û‖₂/‖u‖₂ on the grid of the equation.
  public let error: Double
  /// The seconds that training took.
  public let seconds: Double
  /// The digest of the best parameters.
  public let digest: String
  /// The coordinates of a coarse grid, and there u and û, `[first coordinate][second coordinate]`; empty in other
  /// dimensions than two.
  public let field: (axes: [[Double]], exact: [Double], found: [Double])
  /// The lines of the metrics.
  public let metrics: String
}

/// Trains a network that solves an equation, with checkpoints and metrics.
public struct PhysicsInformedRun {
  /// The number of checkpoints that a run keeps.
  private static let keptCheckpoints = 2
  /// The points of each coordinate of the field of the summary.
  private static let fieldPoints = 64

  private let configuration: PhysicsInformedConfiguration
  private let options: PhysicsInformedRunOptions
  private let training: PhysicsInformedTraining
  private var record: PhysicsInformedRecord
  private var metrics = ""

  /// Trains, or continues.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - configuration: All that determines the training.
  ///   - options: How the run proceeds.
  ///   - world: The ranks.
  ///   - isStopRequested: Whether this rank was asked to stop.
  ///   - note: Receives remarks that the user should see.
  ///   - report: Receives the steps after which the residual at the fixed points was found.
  /// - Returns: What was found; of a run that stopped early, what was found so far.
  /// - Throws: An `ExitStatusError`, the same on all ranks.
  public static func run(
    _ configuration: PhysicsInformedConfiguration, options: PhysicsInformedRunOptions,
    on world: borrowing Communicator, isStopRequested: () -> Bool, note: (String) -> Void,
    report: (PhysicsInformedStep) -> Void
  ) throws -> PhysicsInformedSummary {
    try configuration.training.validate()
    _ = try EquationCatalogue.named(configuration.training.equation)
    world.stallWatch.phase = .init("start")
    let lock = try world.agree { world.rank == 0 ? try DirectoryLock(options.directory) : nil }
    defer { lock?.release() }
    try world.agree {
      if world.rank == 0 {
        try RunDirectory.prepare(
          options.directory, restarts: options.restart, isExclusive: lock?.isExclusive ?? false)
      }
    }
    let found = try PhysicsInformedCheckpoint.first(
      of: try Checkpoint.list(in: options.directory, on: world), on: world, note: note)
    var run = try PhysicsInformedRun(configuration, options, found, note: note, on: world)
    if !run.training.isFinished {
      try run.train(on: world, isStopRequested: isStopRequested, report: report)
      try run.writeCheckpoint(on: world)
    }
    return try run.summary()
  }

  private init(
    _ configuration: PhysicsInformedConfiguration, _ options: PhysicsInformedRunOptions,
    _ found: borrowing PhysicsInformedCheckpoint?, note: (String) -> Void,
    on world: borrowing Communicator
  ) throws {
    (self.configuration, self.options) = (configuration, options)
    var state: PhysicsInformedState?
    var record: PhysicsInformedRecord?
    switch found {
    case .some(let checkpoint):
      let changes = configuration.differences(from: checkpoint.configuration)
      guard changes.isEmpty else {
        throw RunError.usage(
          "\(checkpoint.path) was made with other settings: \(changes.joined(separator: "; ")); use the "
            + "same ones, another `out`, or `restart`")
      }
      (state, record) = (try checkpoint.state(), checkpoint.record)
      metrics = try checkpoint.metrics()
      note(
        "\(checkpoint.path): "
          + (checkpoint.record.isFinished
            ? "all is done; nothing to do (`restart` starts over)"
            : "continues after step \(checkpoint.record.step)"))
    case .none: break
    }
    training = try PhysicsInformedTraining(configuration.training, state: state, on: world)
    self.record = record ?? PhysicsInformedRecord(parameters: training.network.parameterCount)
  }

  /// Goes steps until the end, or until it is time to stop.
  private mutating func train(
    on world: borrowing Communicator, isStopRequested: () -> Bool,
    report: (PhysicsInformedStep) -> Void
  ) throws {
    let clock = ContinuousClock()
    let (begin, before) = (clock.now, record.seconds)
    var stops = false
    while !training.isFinished && !stops {
      if let limit = options.stopAfter, training.step >= limit { return }
      world.stallWatch.phase = .init("step of training", training.step + 1)
      let step = try training.advance()
      (record.step, record.loss) = (step.step, step.loss)
      record.seconds = before + (clock.now - begin) / .seconds(1)
      if step.validation != nil {
        report(step)
        try note(step, on: world)
      }
      let isLate = options.timeLimit.map { record.seconds >= $0 } ?? false
      stops = try world.allReduce(.max, isLate || isStopRequested() ? 1 : 0) == 1
      let every = options.checkpointEvery
      if every > 0, step.step % every == 0, !stops, !training.isFinished {
        try writeCheckpoint(on: world)
      }
    }
  }

  /// Adds a line to the metrics.
  private mutating func note(
    _ step: PhysicsInformedStep, on world: borrowing Communicator
  ) throws {
    let object: [String: Any] = [
      "step": step.step, "loss": jsonNumber(step.loss),
      "validation": jsonNumber(step.validation), "damping": jsonNumber(step.damping),
      "seconds": record.seconds,
    ]
    let data = try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    metrics += String(decoding: data, as: UTF8.self) + "\n"
    try world.agree {
      if world.rank == 0 { try RunDirectory.write(metrics: metrics, in: options.directory) }
    }
  }

  /// Writes a checkpoint of the present state.
  private mutating func writeCheckpoint(on world: borrowing Communicator) throws {
    let state = training.state
    record.isFinished = training.isFinished
    record.digest = digest
    record.progress = state.progress
    record.arrays = state.arrays.keys.sorted()
    let lines = try world.broadcast(Array(metrics.utf8), from: 0)
    let (configuration, record) = (configuration, record)
    try Checkpoint.publish(
      step: record.step, in: options.directory, keeping: Self.keptCheckpoints, on: world
    ) { writer in
      try writer.write("/metrics", lines)
      for name in record.arrays {
        try writer.write("/state/\(name)", state.arrays[name] ?? [])
      }
      return SavedDescription(configuration: configuration, state: record)
    }
  }

  /// The digest of the best parameters.
  private var digest: String {
    let best = training.best
    return Digest.of(best.span)
  }

  /// Measures the best parameters.
  private func summary() throws -> PhysicsInformedSummary {
    let equation = training.equation
    var field: (axes: [[Double]], exact: [Double], found: [Double]) = ([], [], [])
    if equation.dimension == 2 {
      field.axes = equation.domain.map { interval in
        let length = interval.upperBound - interval.lowerBound
        return (0..<Self.fieldPoints).map {
          interval.lowerBound + length * (Double($0) + 0.5) / Double(Self.fieldPoints)
        }
      }
      let points = field.axes[0].flatMap { x in field.axes[1].map { SIMD3(x, $0, 0) } }
      field.exact = points.map { equation.solution(at: $0) }
      field.found = try training.solution(at: points)
    }
    return PhysicsInformedSummary(
      configuration: configuration, parameters: record.parameters, steps: training.step,
      isFinished: training.isFinished, bestStep: training.bestStep, loss: record.loss,
      validation: training.bestValidation, error: try training.relativeError(),
      seconds: record.seconds, digest: digest, field: field,
      metrics: metrics)
  }
}
