import Checkpoints
import MessagePassing
import PhysicsInformed

/// `pinn`: trains a network that solves an equation, or continues.
struct PhysicsInformedCommand: DistributedCommand {
  static let stopsAtSignals = true

  let arguments: Arguments
  let configuration: PhysicsInformedConfiguration
  let options: PhysicsInformedRunOptions

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    _ = try arguments.required("out")
    var training = PhysicsInformedOptions()
    guard let equation = arguments.positional else {
      let known = EquationCatalogue.all.map { type(of: $0).name }.joined(separator: ", ")
      throw .usage("pinn: which equation? There are \(known)")
    }
    training.equation = equation
    _ = try EquationCatalogue.named(equation)
    try arguments.read(Setting<PhysicsInformedOptions>.network, into: &training)
    try arguments.read(Setting<PhysicsInformedOptions>.training, into: &training)
    try training.validate()
    var options = PhysicsInformedRunOptions()
    try arguments.read(Setting<PhysicsInformedRunOptions>.physicsInformedRun, into: &options)
    self.options = options
    configuration = PhysicsInformedConfiguration(training: training)
  }

  /// Trains.
  ///
  /// Collective.
  ///
  /// - Returns: The exit status: 0, or 75 if the run stopped early.
  func run(on world: borrowing Communicator) throws -> Int32 {
    let summary = try PhysicsInformedRun.run(
      configuration, options: options, on: world, isStopRequested: { StopSignals.isRequested },
      note: { Voice.note($0) },
      report: { Voice.progress(PhysicsInformedReport.line($0), stays: true) })
    Voice.say(PhysicsInformedReport.table(summary))
    let object = PhysicsInformedReport.object(summary)
    try world.agree {
      guard Voice.speaks else { return }
      try Voice.summarize(object, to: "\(options.directory)/summary.json")
      try Voice.summarize(object, to: arguments.text("summary"))
      try PhysicsInformedReport.draw(summary, in: options.directory)
    }
    guard summary.isFinished else {
      Voice.note(
        "\(options.directory): stopped after step \(summary.steps) with a checkpoint; run the same command again "
          + "to continue")
      return ExitStatus.stoppedEarly
    }
    return 0
  }
}
