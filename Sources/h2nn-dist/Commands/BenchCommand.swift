import BlockKernels
import ClusterTrees
import Foundation
import MessagePassing
import OperatorNetworks
import Training

/// `bench`: measures the machine and a training step on it; writes the file that `inspect` and `train` can plan
/// with.
struct BenchCommand: DistributedCommand {
  let arguments: Arguments
  let configuration: RunConfiguration
  let shape: [Int]
  let repetitions: Int
  let grid: GridOptions

  init(_ arguments: Arguments) throws(RunError) {
    self.arguments = arguments
    configuration = RunConfiguration(
      network: try arguments.networkOptions(standard: Self.standardNetwork),
      training: try arguments.trainingOptions())
    shape = try arguments.shape("points") ?? PointDescription.standardShape
    repetitions = try arguments.integer("repeat") ?? Self.standardRepetitions
    grid = try arguments.gridOptions()
    let bytes = 16 * Double(configuration.training.batch) * shape.reduce(1.0) { $0 * Double($1) }
    guard bytes <= Self.mostBytes else {
      throw .usage(
        "--batch \(configuration.training.batch): the fields of a batch need \(Voice.short(bytes / 1e9)) GB "
          + "on each rank, at most \(Voice.short(Self.mostBytes / 1e9)) GB are measured with")
    }
  }

  /// The network whose step is measured, unless options say otherwise.
  static var standardNetwork: NetworkOptions {
    var network = NetworkOptions()
    network.model = .mnnH2
    return network
  }

  static let standardRepetitions = 9

  /// The most bytes of the fields of a batch.
  private static let mostBytes = 4e9

  /// Measures.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws -> Int32 {
    try world.agree { try Voice.checkPlace(of: "out", arguments) }
    if let remark = configuration.network.unusedRemark { Voice.note(remark) }
    switch configuration.training.precision {
    case .float: try run(as: Float.self, on: world)
    case .double: try run(as: Double.self, on: world)
    }
    return 0
  }

  private func run<Scalar: KernelScalar & MPIScalar>(
    as: Scalar.Type, on world: borrowing Communicator
  ) throws {
    let benchmark = MachineBenchmark<Scalar>(repetitions: repetitions)
    var machine = CostModel()
    let messages = try benchmark.messages(on: world)
    machine.latency = messages?.latency ?? machine.latency
    machine.bandwidth = messages?.bandwidth ?? machine.bandwidth
    machine.memoryBandwidth = try benchmark.memoryBandwidth(on: world)
    let peak = try benchmark.peakFlopRate(on: world)
    let (alone, step): (StepTimes, StepTimes)
    do {
      alone = try benchmark.step(configuration, points: .grid(shape), nil, on: world)
      step =
        world.size == 1
        ? alone : try benchmark.step(configuration, points: .grid(shape), grid, on: world)
    } catch let error as NetworkError {
      throw RunError(error)
    }
    machine.setFlopRate(
      seconds: alone.seconds, flops: alone.flops, parameters: alone.parameters,
      scalar: MemoryLayout<Scalar>.size)
    var object = machine.jsonObject
    if messages == nil {
      object["latency"] = nil
      object["bandwidth"] = nil
    }
    try Voice.summarize(object, to: arguments.text("out"))
    let report = StepReport(
      step: step, alone: alone, ranks: world.size, peak: peak,
      memoryBandwidth: machine.memoryBandwidth)
    object.merge(report.jsonObject) { $1 }
    try Voice.summarize(object, to: arguments.text("summary"))
    if arguments.has("json") { return try Voice.say(object) }
    let training = configuration.training
    Voice.say(
      "\(configuration.network.model.rawValue) on \(PointDescription(.grid(shape)).text), batch "
        + "\(training.batch), shards of \(training.shard), \(training.precision.rawValue), "
        + "\(world.size) \(world.size == 1 ? "rank" : "ranks")")
    for line in report.lines { Voice.say(line) }
    if let messages {
      Voice.say("latency µs".padded(to: 24) + Voice.short(messages.latency * 1e6))
      Voice.say("bandwidth GB/s".padded(to: 24) + Voice.short(messages.bandwidth / 1e9))
    } else {
      Voice.note("messages are measured on two ranks or more: mpirun -n 2 h2nn-dist bench")
    }
  }
}
