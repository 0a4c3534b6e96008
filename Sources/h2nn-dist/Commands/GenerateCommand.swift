import BlockKernels
import Datasets
import Foundation
import MessagePassing
import OperatorProblems
import ParallelHDF5
import Training

/// `generate`: solves a problem for many input fields, spread over ranks, into one file.
struct GenerateCommand: DistributedCommand {
  let arguments: Arguments
  let entry: ProblemEntry
  let out: OutputFile
  let seed: Int64
  let samples: Int?
  let inputs: String?
  let precision: Precision
  let layout: DatasetLayout

  static let standardSeed: Int64 = 1
  static let standardSamples = 20000
  static let standardPrecision = Precision.double

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    out = try OutputFile(arguments)
    seed = try arguments.seed() ?? Self.standardSeed
    samples = try arguments.integer("samples")
    inputs = arguments.text("inputs")
    precision = try arguments.choice("precision", Precision.self) ?? Self.standardPrecision
    layout = try arguments.layout()
    entry = try ProblemCatalogue.entry(arguments.positional)
    try entry.refuseForeign(arguments)
    // Wrong values are found before anything runs.
    try entry.check(arguments, ProblemPoints(shape: try entry.shape(arguments)))
  }

  /// Generates the file.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try out.check(on: world)
    do {
      guard let inputs else {
        let points = ProblemPoints(shape: try entry.shape(arguments))
        try entry.generate(self, points, nil, world)
        return 0
      }
      let given = try Dataset.load(inputs, layout: layout, needsOutputs: false, on: world)
      let points = try entry.points(of: given, layout.inputName)
      try entry.generate(self, points, given, world)
      return 0
    } catch let error as ProblemError {
      throw RunError.usage("generate: \(error)")
    }
  }

  /// Writes the file of a problem, and says what was done.
  ///
  /// Collective.
  func write<P: OperatorProblem & ~Copyable>(
    _ problem: inout P, _ given: Dataset?, on world: borrowing Communicator
  ) throws {
    let start = ContinuousClock.now
    let count = given?.sampleCount ?? samples ?? Self.standardSamples
    try out.write(on: world) { path in
      let file = try HDF5File.create(path, on: world)
      try describe(problem, given, count, in: file)
      switch precision {
      case .double: try solve(&problem, given, count, as: Double.self, into: file, on: world)
      case .float: try solve(&problem, given, count, as: Float.self, into: file, on: world)
      }
      try file.close()
    }
    let duration = (ContinuousClock.now - start).components
    let seconds = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    Voice.say(
      "\(out.path): \(count) samples of \(P.name) with \(problem.pointCount) points, "
        + "\(Voice.short(seconds)) s on \(world.size) rank\(world.size == 1 ? "" : "s")")
    try Voice.summarize(
      [
        "problem": P.name, "samples": count, "points": problem.pointCount, "seconds": seconds,
        "ranks": world.size,
      ], to: arguments.text("summary"))
  }
}
