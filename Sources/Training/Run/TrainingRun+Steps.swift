import BlockKernels
import Datasets
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks

extension TrainingRun {
  /// Makes the remaining steps.
  ///
  /// Collective.
  ///
  /// - Returns: Whether all steps are made; false if the run stopped early.
  mutating func steps(
    on grid: borrowing ProcessGrid, isStopRequested: () -> Bool, report: (Progress) -> Void
  ) throws -> Bool {
    let iterations = configuration.training.iterations
    let last = min(iterations, options.stopAfter ?? iterations)
    var recent: [Double] = []
    var isStopping = false
    let clock = ContinuousClock()
    // A linear start is a result without a step.
    if iterations == 0 { try writeCheckpoint(on: grid) }
    while trainer.step < last && !isStopping {
      let start = clock.now
      let before = StepCounts(grid.world.traffic, flops: trainer.executor.flops)
      let isFinite = try trainer.makeStep(on: grid)
      grid.world.stallWatch.phase = .init("end of step", trainer.step)
      // Bit 0: a loss is not finite; bit 1: somebody asked to stop. All ranks see the same.
      let flags = try grid.world.allReduce(
        .max, (isFinite ? 0 : 2) + (isStopRequested() ? 1 : 0))
      let duration = (clock.now - start).inSeconds
      counts = StepCounts(grid.world.traffic, flops: trainer.executor.flops).since(before)
      recent.append(duration)
      let step = trainer.step
      guard flags < 2 else { throw divergence("is not finite") }
      isStopping = flags == 1

      let isLast = step == last || isStopping
      let settings = configuration.training
      let isLooking = settings.schedule == .plateau && step % settings.plateauEvery == 0
      let validates =
        step == iterations || isLooking
        || (options.validateEvery > 0 && step % options.validateEvery == 0)
      let isMilestone = step == 1 || isLast || validates || step % options.reportEvery == 0
      if validates { try validate(on: grid) }
      if isMilestone {
        let loss = try trainer.lastLoss(on: grid)
        let first = firstLoss ?? loss
        firstLoss = first
        guard loss <= max(first, 1) * 1e6 else {
          throw divergence("has grown from \(first) to \(loss)")
        }
        durations.append(contentsOf: recent)
        try grid.world.agree {
          try record(
            loss: loss, isValidated: validates, isLast: isLast, recent: &recent,
            isSpeaking: grid.world.rank == 0, report: report)
        }
      }
      if isLooking, let validationError {
        plateau.take(validationError, settings)
        trainer.scaleRates(by: plateau.factor(settings))
      }
      let isDue = options.checkpointEvery > 0 && step % options.checkpointEvery == 0
      if isDue || isLast {
        // A checkpoint that cannot be trained any further must not take the place of a good one.
        let isFinite = try trainer.outputsAreFinite(on: grid)
        let isSound = try grid.world.allReduce(.min, isFinite ? 1 : 0) == 1
        guard isSound else { throw divergence("is about to become infinite") }
        try writeCheckpoint(on: grid)
      }
    }
    return trainer.step >= iterations
  }

  private func divergence(_ text: String) -> RunError {
    RunError(
      exitStatus: 70,
      "the loss \(text) at step \(trainer.step): lower `learningRate`, or check the data; "
        + "the last checkpoint before this step is kept")
  }

  private mutating func validate(on grid: borrowing ProcessGrid) throws {
    let samples = configuration.training.split.range(
      of: .validation, count: source.file.sampleCount)
    let evaluator = Evaluator(trainer.executor, source, normalization: normalization)
    validationError = try evaluator.errors(
      samples, parameters: trainer.parameters, on: grid)?.knownMean
  }

  /// Adds a line to the metrics and reports progress, on rank 0.
  private mutating func record(
    loss: Double, isValidated: Bool, isLast: Bool, recent: inout [Double],
    isSpeaking: Bool, report: (Progress) -> Void
  ) throws {
    let median = recent.sorted()[recent.count / 2]
    recent.removeAll(keepingCapacity: true)
    guard isSpeaking else { return }
    let (step, options) = (trainer.step, configuration.training)
    let line = MetricsLine(
      step: step,
      epoch: Double(options.samples(before: step)) / Double(trainer.trainingCount), loss: loss,
      learningRate: options.learningRate(at: step - 1) * plateau.factor(options),
      validationError: isValidated ? validationError : nil, secondsPerStep: median)
    metrics += line.json + "\n"
    try appendMetrics(line)
    report(
      Progress(
        step: step, iterations: options.iterations, loss: loss, validationError: validationError,
        isValidated: isValidated, secondsPerStep: median,
        secondsLeft: median * Double(options.iterations - step),
        isLast: isLast))
  }
}
