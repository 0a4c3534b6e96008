import Checkpoints
import Factorization
import Foundation
import MessagePassing

/// `factor`: factors a matrix and trains the factors, or continues.
struct FactorCommand: DistributedCommand {
  static let stopsAtSignals = true

  let arguments: Arguments
  let configuration: FactorConfiguration
  let options: FactorRunOptions

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    _ = try arguments.required("out")
    _ = try arguments.required("matrix")
    var factors = FactorOptions()
    try arguments.read(Setting<FactorOptions>.factors, into: &factors)
    var refinement = RefinementOptions()
    try arguments.read(Setting<RefinementOptions>.refinement, into: &refinement)
    try refinement.validate()
    var options = FactorRunOptions()
    try arguments.read(Setting<FactorRunOptions>.factorRun, into: &options)
    self.options = options
    configuration = FactorConfiguration(
      matrix: try arguments.matrixSource(), factors: factors, refinement: refinement)
  }

  /// Factors.
  ///
  /// Collective.
  ///
  /// - Returns: The exit status: 0, or 75 if the run stopped early.
  func run(on world: borrowing Communicator) throws -> Int32 {
    let outcome = try FactorRun.run(
      configuration, options: options, on: world, isStopRequested: { StopSignals.isRequested },
      begin: { facts in FactorReport.lines(facts).forEach(Voice.note) }, note: { Voice.note($0) },
      report: { Voice.progress(FactorReport.line($0), stays: true) })
    switch outcome {
    case .stopped(let step):
      Voice.note(
        "\(options.directory): stopped after step \(step) with a checkpoint; run the same command again to "
          + "continue")
      return ExitStatus.stoppedEarly
    case .alreadyFinished(let summary):
      Voice.note(
        "\(options.directory): all is done; nothing to do (--restart starts over)")
      try report(summary, on: world)
    case .finished(let summary): try report(summary, on: world)
    }
    return 0
  }

  /// Prints and writes the results.
  private func report(_ summary: FactorSummary, on world: borrowing Communicator) throws {
    Voice.say(FactorReport.table(summary))
    let object = FactorReport.object(summary)
    try world.agree {
      guard Voice.speaks else { return }
      try Voice.summarize(object, to: "\(options.directory)/summary.json")
      try Voice.summarize(object, to: arguments.text("summary"))
      try FactorPictures.write(summary, in: options.directory)
    }
  }
}
