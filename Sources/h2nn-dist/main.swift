import BlockKernels
import ClusterTrees
import Foundation
import MessagePassing
import ParallelHDF5
import Training

// The program: finds the verb, reads its options, runs it, and turns errors into exit statuses.

/// A failure that has been reported.
struct Reported: Error {
  let exitStatus: Int32
}

/// Reports an error on rank 0 and returns its exit status.
func report(_ error: any Error) -> Int32 {
  switch error {
  case let failure as RemoteFailure:
    Voice.note("h2nn-dist: rank \(failure.rank): \(failure.message)")
    return failure.exitStatus
  case let error as ClusterTreeError:
    Voice.note("h2nn-dist: \(error.message)")
    return ExitStatus.usage
  default:
    Voice.note("h2nn-dist: \(ExitStatus.message(of: error))")
    return ExitStatus.status(of: error)
  }
}

/// Runs a body on all ranks.
///
/// An error is reported before the ranks part: mpirun ends the others as soon as one has gone with a
/// status, and rank 0 would not be heard any more.
func onRanks<R>(_ body: (borrowing Communicator) throws -> R) throws -> R {
  try MPIEnvironment.run { world in
    do {
      return try body(world)
    } catch {
      throw Reported(exitStatus: report(error))
    }
  }
}

/// Reads the options of a verb from the command line and from the configuration file.
func readArguments(_ verb: Verb, _ words: [String]) throws(TrainingError) -> Arguments {
  var arguments = try Arguments(verb, words)
  if let path = arguments.text("config") {
    try arguments.merge(try ConfigurationFile.read(path), from: path)
  }
  try Voice.checkSummary(arguments.text("summary"))
  return arguments
}

/// Runs a verb and returns the exit status.
func run(_ verb: Verb, _ words: [String]) throws -> Int32 {
  if words.contains("--help") || words.contains("-h") {
    Voice.say(Help.text(verb))
    return 0
  }
  let arguments = try readArguments(verb, words)
  switch verb.name {
  case "generate":
    let command = try GenerateCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  case "train":
    let command = try TrainCommand(arguments)
    // A signal must not end the program while it reads its data either.
    StopSignals.install()
    return try onRanks { world in try command.run(on: world) }
  case "evaluate":
    let command = try EvaluateCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  case "predict":
    let command = try PredictCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  case "compare":
    let command = try CompareCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  case "bench":
    let command = try BenchCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  case "study":
    let command = try StudyCommand(arguments)
    StopSignals.install()
    return try onRanks { world in try command.run(on: world) }
  case "baseline":
    let command = try BaselineCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  case "inspect":
    try InspectCommand(arguments).run()
  default:
    let command = try PlotCommand(arguments)
    try onRanks { world in try command.run(on: world) }
  }
  return 0
}

/// Runs the program and returns the exit status.
func runProgram(_ words: [String]) -> Int32 {
  do {
    if let missing = Processor.missingInstructions {
      throw TrainingError(
        exitStatus: ExitStatus.software,
        "this program was compiled for processors with \(missing), which this one lacks: build it for this "
          + "processor, as cluster/quickstart does with CPU=portable or CPU=x86-64-v3")
    }
    guard let name = words.first, name != "--help", name != "-h", name != "help" else {
      Voice.say(Help.program)
      return words.isEmpty ? ExitStatus.usage : 0
    }
    if name == "--version" {
      Voice.say("h2nn-dist \(Checkpoint.programVersion)")
      return 0
    }
    guard let verb = Verbs.all.first(where: { $0.name == name }) else {
      let nearest = Suggestion.nearest(to: name, among: Verbs.all.map(\.name))
      let hint = nearest.map { "; did you mean \($0)?" } ?? "; see h2nn-dist --help"
      throw TrainingError.usage("unknown verb '\(name)'\(hint)")
    }
    return try run(verb, Array(words.dropFirst()))
  } catch let reported as Reported {
    return reported.exitStatus
  } catch {
    // Before MPI has begun the ranks do not know of each other. mpirun ends all of them when rank 0, which
    // speaks, has gone; the others must not go first.
    let status = report(error)
    if !Voice.speaks { Thread.sleep(forTimeInterval: 5) }
    return status
  }
}

exit(runProgram(Array(CommandLine.arguments.dropFirst())))
