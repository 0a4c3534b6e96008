import BlockKernels
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5
import TestSupport
import Testing

@testable import Checkpoints

/// What the reader in Python needs of the description of a run.
private struct Described: Encodable {
  struct Configuration: Encodable {
    let training = ["loss": "mse"]
  }
  struct Scales: Encodable {
    let input_scale = 1.0
    let output_scale = 1.0
  }
  let step = 1
  let precision = "double"
  let configuration = Configuration()
  let normalization = Scales()
  let network: NetworkDescription
}

/// A network in a file, with a dataset that it has computed.
private struct NetworkFile {
  static let samples = 16

  /// Writes both.
  static func write(_ network: Network, to folder: String, on world: borrowing Communicator) throws
  {
    let parameters = AlignedBuffer<Double>(repeating: 0, count: network.activeParameterCount)
    for place in 0..<parameters.count {
      parameters[place] = 0.3 * sin(1.7 * Double(place) + 0.4)
    }
    let executor = NetworkExecutor<Double>(network, samples: samples, forTraining: false)
    executor.parametersChanged(parameters)
    let (inputs, outputs) = (network.inputOrder.count, network.outputOrder.count)
    var fields = [Double](repeating: 0, count: samples * inputs)
    for place in fields.indices { fields[place] = cos(0.9 * Double(place)) }
    for (channel, point) in network.inputOrder.enumerated() {
      for sample in 0..<samples {
        executor.input[channel * samples + sample] = fields[sample * inputs + Int(point)]
      }
    }
    executor.forward(parameters)
    var computed = [Double](repeating: 0, count: samples * outputs)
    for (channel, point) in network.outputOrder.enumerated() {
      for sample in 0..<samples {
        computed[sample * outputs + Int(point)] = executor.output[channel * samples + sample]
      }
    }
    try Checkpoint.publish(step: 1, in: folder, keeping: 1, on: world) { writer in
      try writer.write(network)
      try writer.write("/normalization/input_shift", [Double](repeating: 0, count: inputs))
      try writer.write("/normalization/output_shift", [Double](repeating: 0, count: outputs))
      let parts = ArrayPart.parameters(network, RankShare(whole: network))
      try writer.write("/parameters", parts, of: parameters)
      return Described(network: NetworkDescription(network))
    }
    let data = try HDF5File.create("\(folder)/data.h5", on: world)
    try data.write("/Input", fields, shape: [samples, inputs])
    try data.write("/Output", computed, shape: [samples, outputs])
    try data.close()
  }
}

@Suite("Parameters that several layers use, in files", .serialized, .waiting)
struct SliceFileTests {
  /// Each file is written and read in a process of its own, which can initialize MPI.
  @Test("what is written is read on any tree ranks", arguments: SliceNetworks.names)
  func roundTrip(name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      let network = try #require(SliceNetworks.build(name))
      let scratch = try ScratchFolder()
      try MPIEnvironment.run { world in
        try NetworkFile.write(network, to: scratch.path, on: world)
        let file = try OpenCheckpoint("\(scratch.path)/checkpoint-00000001.h5", on: world)
        try file.check(network, NetworkDescription(network))
        for ranks in [1, 2, 3, 5] {
          let partition = TreePartition(network, ranks: ranks, replicatedBoxes: 2 * ranks)
          let plan = CommunicationPlan(network, partition)
          for rank in 0..<ranks {
            let share = RankShare(network, partition, plan, rank: rank)
            let buffer = AlignedBuffer<Double>(repeating: .nan, count: share.parameterCount)
            // The digests of parts are those of whole arrays on one rank only.
            for part in ArrayPart.parameters(network, share) {
              let values = try file.read("/parameters/\(part.name)", as: Double.self)
              for (row, place) in zip(part.rows, part.places) { buffer[place] = values[row] }
            }
            let places = share.parameters.flatMap { Array($0.weights) + Array($0.biases) }
            for (local, place) in places.enumerated() {
              try #require(buffer[local] == 0.3 * sin(1.7 * Double(place) + 0.4))
            }
          }
        }
        // The same layers with other uses of the parameters are another network.
        let other = try #require(SliceNetworks.build("slices twice"))
        let found = Result { try file.check(other, NetworkDescription(other)) }
        if name != "slices twice" {
          guard case .failure(let error) = found else {
            Issue.record("another network is accepted")
            return
          }
          try #require(ExitStatus.status(of: error) == ExitStatus.wrongContent)
        }
      }
    }
  }

  @Test("the reader in Python computes the same", arguments: SliceNetworks.names)
  func peer(name: String) async throws {
    let folder: String =
      FileManager.default.temporaryDirectory.path + "/slices-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    await #expect(processExitsWith: .success) { [name, folder = folder as String] in
      let network = try #require(SliceNetworks.build(name))
      try MPIEnvironment.run { world in
        try NetworkFile.write(network, to: folder, on: world)
      }
    }
    guard try python(["-c", "import numpy, h5py"]).status == 0 else { return }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Peers/run_checkpoint.py").path
    let data = "\(folder)/data.h5"
    let run = try python(
      [script, "\(folder)/checkpoint-00000001.h5", data, "--compare", data])
    #expect(run.status == 0, "\(run.text)")
    #expect(run.text.contains("largest deviation"), "\(run.text)")
  }

  private func python(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"] + arguments
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}
