import BlockKernels
import Checkpoints
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import OperatorProblems
import ParallelHDF5
import Training

extension GenerateCommand {
  /// The datasets with one row per sample, beside input and output.
  private func columns<P: OperatorProblem & ~Copyable>(
    _ problem: borrowing P, _ given: Dataset?
  ) -> [(name: String, columns: Int)] {
    (given == nil ? problem.parameterNames : []) + problem.resultNames
  }

  /// Creates the datasets and writes the attributes and the points.
  ///
  /// Collective.
  func describe<P: OperatorProblem & ~Copyable>(
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
    for (name, cloud) in [("/Points", problem.cloud), ("/OutputPoints", problem.outputCloud)] {
      guard let cloud else { continue }
      try file.write(name, cloud.coordinates, shape: [cloud.count, cloud.dimension])
    }
    var fields = [("Input", problem.points), ("Output", problem.outputShape)]
    fields += columns(problem, given).map { ($0.name, [$0.columns]) }
    for (name, shape) in fields {
      if precision == .double {
        try file.createDataset("/\(name)", shape: [count] + shape, as: Double.self)
      } else {
        try file.createDataset("/\(name)", shape: [count] + shape, as: Float.self)
      }
    }
  }

  /// The samples that a rank solves between two collective writes.
  ///
  /// As many as 64 on grids of one dimension; fewer on large ones, which take longer.
  private func samplesPerRound(_ points: Int) -> Int { min(64, max(1, 65536 / points)) }

  /// Solves round after round; each rank has its own contiguous samples.
  ///
  /// Collective.
  func solve<P: OperatorProblem & ~Copyable, Scalar: KernelScalar & HDF5Scalar>(
    _ problem: inout P, _ given: Dataset?, _ count: Int, as: Scalar.Type,
    into file: borrowing HDF5File, on world: borrowing Communicator
  ) throws {
    let own = evenPiece(of: count, pieces: world.size, piece: world.rank)
    let most = samplesPerRound(problem.pointCount)
    let rounds = ((count + world.size - 1) / world.size + most - 1) / most
    let extras = columns(problem, given)
    var sample = SampleRow(problem)
    for round in 0..<rounds {
      let low = min(own.lowerBound + round * most, own.upperBound)
      let high = min(low + most, own.upperBound)
      var inputs: [Scalar] = []
      var outputs: [Scalar] = []
      var columns = extras.map { _ in [Scalar]() }
      world.stallWatch.phase = .init("round of samples", round)
      try world.agree {
        // Signals are listened to inside of a study, which generates again when it goes on.
        guard !StopSignals.isRequested else {
          throw RunError(exitStatus: ExitStatus.stoppedEarly, "generate: stopped by a signal")
        }
        for index in low..<high {
          try sample.solve(&problem, seed, index, given)
          inputs += sample.input.map { Scalar($0) }
          outputs += sample.output.map { Scalar($0) }
          let numbers = (given == nil ? sample.parameters : []) + sample.results
          var column = 0
          for (place, item) in extras.enumerated() {
            columns[place] += numbers[column..<column + item.columns].map { Scalar($0) }
            column += item.columns
          }
        }
      }
      try file.write("/Input", rows: low..<high, from: inputs.span)
      try file.write("/Output", rows: low..<high, from: outputs.span)
      for (place, item) in extras.enumerated() {
        let values = columns[place]
        try file.write("/\(item.name)", rows: low..<high, from: values.span)
      }
      Voice.progress(
        "generate: round \(round + 1) of \(rounds)", isLast: round + 1 == rounds, every: round)
    }
  }
}

/// One sample with all its numbers.
private struct SampleRow {
  var input: [Double]
  var output: [Double]
  var parameters: [Double]
  var results: [Double]

  init<P: OperatorProblem & ~Copyable>(_ problem: borrowing P) {
    input = [Double](repeating: 0, count: problem.pointCount)
    output = [Double](repeating: 0, count: problem.outputCount)
    parameters = [Double](repeating: 0, count: problem.parameterCount)
    results = [Double](repeating: 0, count: problem.resultCount)
  }

  /// Draws a sample, or takes a given one, and solves it.
  mutating func solve<P: OperatorProblem & ~Copyable>(
    _ problem: inout P, _ seed: Int64, _ index: Int, _ given: Dataset?
  ) throws(RunError) {
    if let given {
      let points = input.count
      input = Array(given.inputs[index * points..<(index + 1) * points])
    } else {
      Self.draw(&problem, seed, index, &input, &parameters)
    }
    let (field, numbers) = (input, parameters)
    do throws(ProblemError) {
      var solution = output.mutableSpan
      if given == nil {
        try problem.solve(input: field.span, parameters: numbers.span, output: &solution)
      } else {
        try problem.solve(input: field.span, output: &solution)
      }
    } catch {
      throw .data("sample \(index) of \(P.name): \(error)")
    }
    var span = results.mutableSpan
    problem.copyResults(into: &span)
  }

  /// Draws a sample.
  private static func draw<P: OperatorProblem & ~Copyable>(
    _ problem: inout P, _ seed: Int64, _ index: Int, _ input: inout [Double],
    _ parameters: inout [Double]
  ) {
    var field = input.mutableSpan
    var numbers = parameters.mutableSpan
    problem.sample(seed: seed, index: index, input: &field, parameters: &numbers)
  }
}
