import BlockKernels
import ClusterTrees
import Foundation
import MessagePassing
import OperatorNetworks
import Training

/// `bench`: measures the machine and writes the file that `inspect` and `train` can plan with.
struct BenchCommand {
  let arguments: Arguments
  let configuration: RunConfiguration
  let shape: [Int]
  let repetitions: Int

  init(_ arguments: Arguments) throws(TrainingError) {
    self.arguments = arguments
    var network = try arguments.networkOptions()
    if arguments.text("model") == nil { network.model = .mnnH2 }
    configuration = RunConfiguration(
      network: network, training: try arguments.trainingOptions())
    shape = try arguments.shape("points") ?? [320]
    try Voice.checkSummary(arguments.text("out"))
    repetitions = try arguments.integer("repeat") ?? 9
  }

  /// Measures.
  ///
  /// Collective.
  func run(on world: borrowing Communicator) throws {
    switch configuration.training.precision {
    case .float: try run(as: Float.self, on: world)
    case .double: try run(as: Double.self, on: world)
    }
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
    let step: (seconds: Double, flops: Int, parameters: Int)
    do {
      step = try benchmark.step(configuration, points: .grid(shape), on: world)
    } catch let error as NetworkError {
      throw TrainingError.usage(error.description)
    }
    machine.setFlopRate(
      seconds: step.seconds, flops: step.flops, parameters: step.parameters,
      scalar: MemoryLayout<Scalar>.size)
    let training = configuration.training
    Voice.say(
      "\(configuration.network.model.rawValue) on \(PointDescription(.grid(shape)).text), batch "
        + "\(training.batch), shards of \(training.shard), \(training.precision.rawValue), "
        + "\(world.size) \(world.size == 1 ? "rank" : "ranks") at once")
    var rows = [
      ("ms per step", Voice.short(step.seconds * 1000)),
      ("Gflop/s per rank", Voice.short(Double(step.flops) / step.seconds / 1e9)),
      ("memory GB/s per rank", Voice.short(machine.memoryBandwidth / 1e9)),
    ]
    if let messages {
      rows.append(("latency µs", Voice.short(messages.latency * 1e6)))
      rows.append(("bandwidth GB/s", Voice.short(messages.bandwidth / 1e9)))
    } else {
      Voice.note("messages are measured on two ranks or more: mpirun -n 2 h2nn-dist bench")
    }
    for (name, value) in rows { Voice.say("\(name.padded(to: 24))\(value)") }
    var object = machine.jsonObject
    if messages == nil {
      object["latency"] = nil
      object["bandwidth"] = nil
    }
    try Voice.summarize(object, to: arguments.text("out"))
    object["seconds_per_step"] = step.seconds
    object["flops_per_step"] = step.flops
    object["ranks"] = world.size
    try Voice.summarize(object, to: arguments.text("summary"))
  }
}
