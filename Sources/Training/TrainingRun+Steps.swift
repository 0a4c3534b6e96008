import BlockKernels
import Foundation
import MessagePassing
import OperatorNetworks

extension TrainingRun {
  /// Makes the remaining steps.
  ///
  /// Collective.
  ///
  /// - Returns: Whether all steps are made; false if the run stopped early.
  mutating func steps(
    on communicator: borrowing Communicator, isStopRequested: () -> Bool,
    report: (Progress) -> Void
  ) throws -> Bool {
    let iterations = configuration.training.iterations
    let last = min(iterations, options.stopAfter ?? iterations)
    var recent: [Double] = []
    var firstLoss: Double?
    var isStopping = false
    let clock = ContinuousClock()
    while trainer.step < last && !isStopping {
      let start = clock.now
      let isFinite = try trainer.makeStep(on: communicator)
      // Bit 0: a loss is not finite; bit 1: somebody asked to stop. All ranks see the same.
      let flags = try communicator.allReduce(
        .max, (isFinite ? 0 : 2) + (isStopRequested() ? 1 : 0))
      let duration = clock.now - start
      recent.append(
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18)
      let step = trainer.step
      guard flags < 2 else { throw divergence("is not finite") }
      isStopping = flags == 1

      let isLast = step == last || isStopping
      let validates = isLast || (options.validateEvery > 0 && step % options.validateEvery == 0)
      let isMilestone = step == 1 || validates || step % options.reportEvery == 0
      if validates { try validate(on: communicator) }
      if isMilestone {
        let loss = try trainer.lastLoss(on: communicator)
        let first = firstLoss ?? loss
        firstLoss = first
        guard loss <= max(first, 1) * 1e6 else {
          throw divergence("has grown from \(first) to \(loss)")
        }
        durations.append(contentsOf: recent)
        record(
          step: step, loss: loss, isValidated: validates, recent: &recent, on: communicator,
          report: report)
      }
      let isDue = options.checkpointEvery > 0 && step % options.checkpointEvery == 0
      if isDue || isLast { try writeCheckpoint(on: communicator) }
    }
    return trainer.step >= iterations
  }

  private func divergence(_ text: String) -> TrainingError {
    TrainingError(
      exitStatus: 70,
      "the loss \(text) at step \(trainer.step): lower --learning-rate, or check the data; "
        + "the last checkpoint before this step is kept")
  }

  private mutating func validate(on communicator: borrowing Communicator) throws {
    let samples = configuration.training.split.range(of: .validation, count: data.sampleCount)
    let evaluator = Evaluator(trainer.executor, normalization: normalization)
    let parameters = trainer.parameters
    validationError = try evaluator.errors(
      data, samples: samples, parameters: parameters.span, on: communicator)?.mean
  }

  /// Adds a line to the metrics and reports progress.
  private mutating func record(
    step: Int, loss: Double, isValidated: Bool, recent: inout [Double],
    on communicator: borrowing Communicator, report: (Progress) -> Void
  ) {
    let median = recent.sorted()[recent.count / 2]
    recent.removeAll(keepingCapacity: true)
    let options = configuration.training
    guard communicator.rank == 0 else { return }
    let line = MetricsLine(
      step: step, epoch: Double(step * options.batch) / Double(trainer.trainingCount), loss: loss,
      learning_rate: options.learningRate(at: step - 1),
      validation_error: isValidated ? validationError : nil,
      seconds_per_step: median)
    metrics += line.json + "\n"
    // The file is a copy for the user's eyes; the checkpoint holds the lines that belong to it.
    try? metrics.write(
      toFile: "\(self.options.directory)/metrics.jsonl", atomically: true, encoding: .utf8)
    report(
      Progress(
        step: step, iterations: options.iterations, loss: loss, validationError: validationError,
        secondsPerStep: median, secondsLeft: median * Double(options.iterations - step)))
  }
}

/// One line of the metrics.
struct MetricsLine: Encodable {
  let step: Int
  let epoch: Double
  let loss: Double
  let learning_rate: Double
  let validation_error: Double?
  let seconds_per_step: Double

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }
}
