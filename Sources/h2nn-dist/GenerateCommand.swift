import BlockKernels
import ClusterTrees
import Foundation
import MessagePassing
import OperatorProblems
import ParallelHDF5
import Training

/// `generate`: solves a problem for many input fields, spread over ranks, into one file.
struct GenerateCommand {
  let arguments: Arguments
  let out: OutputFile
  let seed: Int64
  let samples: Int?
  let inputs: String?
  let precision: Precision
  let layout: DatasetLayout
  let absorption: Double?
  let diagonal: Double?

  /// The samples that a rank solves between two collective writes.
  static let samplesPerRound = 64

  init(_ arguments: Arguments) throws(TrainingError) {
    self.arguments = arguments
    out = try OutputFile(arguments)
    seed = try arguments.seed() ?? 1
    samples = try arguments.integer("samples")
    inputs = arguments.text("inputs")
    precision = try arguments.choice("precision", Precision.self) ?? .double
    layout = try arguments.layout()
    absorption = try arguments.real("absorption", 0...1e6)
    diagonal = try arguments.real("diagonal")
    guard let problem = arguments.positional else {
      throw .usage("generate: which problem? One of \(Self.problems.joined(separator: ", "))")
    }
    guard Self.problems.contains(problem) else {
      let nearest = Suggestion.nearest(to: problem, among: Self.problems)
      throw .usage(
        "generate: unknown problem '\(problem)'; "
          + (nearest.map { "did you mean \($0)?" }
            ?? "needed is one of \(Self.problems.joined(separator: ", "))"))
    }
    if inputs != nil {
      for name in ["points", "samples", "seed"] where arguments.has(name) {
        throw .usage("generate: --\(name) has no meaning with --inputs, whose fields are labelled")
      }
    }
    // Wrong values are found before anything runs.
    if inputs == nil { _ = try gridPoints() }
    _ = try field()
  }

  static let problems = [RadiativeTransfer1D.name, CustomOperator.name]

  private func gridPoints() throws(TrainingError) -> Int {
    let shape = try arguments.shape("points") ?? [320]
    guard shape.count == 1 else {
      throw .usage("--points \(arguments.text("points") ?? ""): this problem has one dimension")
    }
    return shape[0]
  }

  private func field() throws(TrainingError) -> GaussianField {
    var field = GaussianField()
    field.gaussians = try arguments.integer("gaussians", atLeast: 0) ?? field.gaussians
    field.amplitude = try arguments.interval("amplitude") ?? field.amplitude
    field.centres = try arguments.interval("centres") ?? field.centres
    field.gap = try arguments.real("gap", 0...1) ?? field.gap
    field.variance = try arguments.interval("variance") ?? field.variance
    return field
  }

  /// Generates the file.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws {
    try out.check(on: world)
    let given = try inputs.map { path in
      try Dataset.load(path, layout: layout, needsOutputs: false, on: world)
    }
    if let given, given.points.gridShape?.count != 1 {
      throw TrainingError.data(
        "\(given.path):\(layout.inputName): this problem needs fields on a uniform grid in one "
          + "dimension, samples × points")
    }
    let points = try given.map { $0.points.count } ?? gridPoints()
    do {
      if arguments.positional == RadiativeTransfer1D.name {
        var options = RadiativeTransfer1D.Options()
        options.points = points
        options.field = try field()
        options.absorption = absorption ?? options.absorption
        var problem = try RadiativeTransfer1D(options: options)
        try write(&problem, given, on: world)
      } else {
        var options = CustomOperator.Options()
        options.points = points
        options.field = try field()
        options.diagonal = diagonal ?? options.diagonal
        var problem = try CustomOperator(options: options)
        try write(&problem, given, on: world)
      }
    } catch let error as ProblemError {
      throw TrainingError.usage("generate: \(error)")
    }
  }

  private func write<P: OperatorProblem & ~Copyable>(
    _ problem: inout P, _ given: Dataset?, on world: borrowing Communicator
  ) throws {
    let start = ContinuousClock.now
    let count = given?.sampleCount ?? samples ?? 20000
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

  /// Creates the datasets and writes the attributes.
  ///
  /// Collective.
  private func describe<P: OperatorProblem & ~Copyable>(
    _ problem: borrowing P, _ given: Dataset?, _ count: Int, in file: borrowing HDF5File
  ) throws {
    try file.setAttribute("program", "h2nn-dist \(Checkpoint.programVersion)")
    try file.setAttribute("problem", P.name)
    if let given {
      try file.setAttribute("inputs", "given in \((given.path as NSString).lastPathComponent)")
    } else {
      try file.setAttribute("seed", seed)
    }
    for (name, value) in problem.attributes + (given == nil ? problem.fieldAttributes : []) {
      switch value {
      case .text(let text): try file.setAttribute(name, text)
      case .real(let number): try file.setAttribute(name, number)
      case .reals(let numbers): try file.setAttribute(name, numbers)
      case .integer(let integer): try file.setAttribute(name, Int64(integer))
      }
    }
    for (name, values) in problem.constants {
      try file.write("/\(name)", values, shape: [values.count])
    }
    var fields = [("Input", problem.pointCount), ("Output", problem.pointCount)]
    if given == nil { fields += problem.parameterNames.map { ($0.name, $0.columns) } }
    for (name, columns) in fields {
      if precision == .double {
        try file.createDataset("/\(name)", shape: [count, columns], as: Double.self)
      } else {
        try file.createDataset("/\(name)", shape: [count, columns], as: Float.self)
      }
    }
  }

  /// Solves round after round; each rank has its own contiguous samples.
  ///
  /// Collective.
  private func solve<P: OperatorProblem & ~Copyable, Scalar: KernelScalar & HDF5Scalar>(
    _ problem: inout P, _ given: Dataset?, _ count: Int, as: Scalar.Type,
    into file: borrowing HDF5File, on world: borrowing Communicator
  ) throws {
    let own = evenPiece(of: count, pieces: world.size, piece: world.rank)
    let rounds =
      ((count + world.size - 1) / world.size + Self.samplesPerRound - 1)
      / Self.samplesPerRound
    let (points, width) = (problem.pointCount, problem.parameterCount)
    var input = [Double](repeating: 0, count: points)
    var output = input
    var parameters = [Double](repeating: 0, count: width)
    for round in 0..<rounds {
      let low = min(own.lowerBound + round * Self.samplesPerRound, own.upperBound)
      let high = min(low + Self.samplesPerRound, own.upperBound)
      var inputs: [Scalar] = []
      var outputs: [Scalar] = []
      var columns = problem.parameterNames.map { _ in [Scalar]() }
      try world.agree {
        for index in low..<high {
          if let given {
            input = Array(given.inputs[index * points..<(index + 1) * points])
          } else {
            var field = input.mutableSpan
            var numbers = parameters.mutableSpan
            problem.sample(seed: seed, index: index, input: &field, parameters: &numbers)
          }
          do throws(ProblemError) {
            var solution = output.mutableSpan
            try problem.solve(input: input.span, output: &solution)
          } catch {
            throw TrainingError.data("sample \(index) of \(P.name): \(error)")
          }
          inputs += input.map { Scalar($0) }
          outputs += output.map { Scalar($0) }
          var column = 0
          for (place, item) in problem.parameterNames.enumerated() where given == nil {
            columns[place] += parameters[column..<column + item.columns].map { Scalar($0) }
            column += item.columns
          }
        }
      }
      try file.write("/Input", rows: low..<high, from: inputs.span)
      try file.write("/Output", rows: low..<high, from: outputs.span)
      for (place, item) in problem.parameterNames.enumerated() where given == nil {
        let values = columns[place]
        try file.write("/\(item.name)", rows: low..<high, from: values.span)
      }
      Voice.progress(
        "generate: round \(round + 1) of \(rounds)", isLast: round + 1 == rounds, every: round)
    }
  }
}
