import ClusterTrees
import Foundation
import MessagePassing
import ParallelHDF5
import Training

// The program: finds the verb, reads its options, runs it, and turns errors into exit statuses.

/// Reads the options of a verb from the command line and from the configuration file.
func readArguments(_ verb: Verb, _ words: [String]) throws(TrainingError) -> Arguments {
  var arguments = try Arguments(verb, words)
  if let path = arguments.text("config") {
    try arguments.merge(try ConfigurationFile.read(path), from: path)
  }
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
    try MPIEnvironment.run { world in try command.run(on: world) }
  case "train":
    let command = try TrainCommand(arguments)
    return try MPIEnvironment.run { world in try command.run(on: world) }
  case "evaluate":
    let command = try EvaluateCommand(arguments)
    try MPIEnvironment.run { world in try command.run(on: world) }
  case "predict":
    let command = try PredictCommand(arguments)
    try MPIEnvironment.run { world in try command.run(on: world) }
  case "compare":
    let command = try CompareCommand(arguments)
    try MPIEnvironment.run { world in try command.run(on: world) }
  case "inspect":
    try InspectCommand(arguments).run()
  default:
    let command = try PlotCommand(arguments)
    try MPIEnvironment.run { world in try command.run(on: world) }
  }
  return 0
}

/// Runs the program and returns the exit status.
func runProgram(_ words: [String]) -> Int32 {
  do {
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
      throw TrainingError.usage(
        "unknown verb '\(name)'\(nearest.map { "; did you mean \($0)?" } ?? "; see h2nn-dist --help")"
      )
    }
    return try run(verb, Array(words.dropFirst()))
  } catch let failure as RemoteFailure {
    // The rank that failed says why, or rank 0 does if it was another.
    Voice.note("h2nn-dist: rank \(failure.rank): \(failure.message)")
    return failure.exitStatus
  } catch let error as ClusterTreeError {
    Voice.note("h2nn-dist: \(error.message)")
    return ExitStatus.wrongContent
  } catch {
    Voice.note("h2nn-dist: \(ExitStatus.message(of: error))")
    return ExitStatus.status(of: error)
  }
}

exit(runProgram(Array(CommandLine.arguments.dropFirst())))
