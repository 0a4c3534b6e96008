import BlockKernels
import Checkpoints
import Foundation
import MessagePassing
import Training

// The program: finds the verb, reads its options, runs it, and turns errors into exit statuses.

/// Reads the options of a verb from the command line and from the configuration file.
func readArguments(_ verb: Verb, _ words: [String]) throws(RunError) -> Arguments {
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
  return try verb.make(try readArguments(verb, words)).run()
}

/// Runs the program and returns the exit status.
func runProgram(_ words: [String]) -> Int32 {
  do {
    if let missing = Processor.missingInstructions {
      throw RunError(
        exitStatus: ExitStatus.software,
        "this program was compiled for processors with \(missing), which this one lacks: build it for this "
          + "processor, as cluster/quickstart does with CPU=portable or CPU=x86-64-v3")
    }
    guard let name = words.first, name != "--help", name != "-h", name != "help" else {
      Voice.say(Help.program)
      return words.isEmpty ? ExitStatus.usage : 0
    }
    if ["--version", "-V", "version"].contains(name) {
      Voice.say("h2nn-dist \(Checkpoint.programVersion)")
      return 0
    }
    guard let verb = Verbs.all.first(where: { $0.name == name }) else {
      let nearest = Suggestion.nearest(to: name, among: Verbs.all.map(\.name))
      let hint = nearest.map { "; did you mean \($0)?" } ?? "; see h2nn-dist --help"
      throw RunError.usage("unknown verb '\(name)'\(hint)")
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

// Before any arithmetic, and before any other thread.
Processor.flushSubnormals()
exit(runProgram(Array(CommandLine.arguments.dropFirst())))
