import BlockKernels
import BlockSparse
import MessagePassing
import OperatorNetworks

@testable import NetworkExecution

/// A network on tree ranks and the same network on one rank, with equal numbers for several shards.
final class BitsCheck<Scalar: KernelScalar & MPIScalar> {
  static var shards: Int { 3 }
  static var samples: Int { 32 }

  let network: Network
  let whole: NetworkExecutor<Scalar>
  let part: NetworkExecutor<Scalar>
  let wholeParameters: AlignedBuffer<Scalar>
  let parameters: AlignedBuffer<Scalar>

  init(_ network: Network, _ partition: TreePartition, rank: Int) {
    self.network = network
    whole = NetworkExecutor(network, samples: Self.samples)
    part = NetworkExecutor(
      network, partition, rank: rank, samples: Self.samples, slots: Self.shards)
    wholeParameters = AlignedBuffer(repeating: 0, count: network.activeParameterCount)
    parameters = AlignedBuffer(repeating: .nan, count: part.share.parameterCount)
  }

  private static func fill(_ buffer: AlignedBuffer<Scalar>, purpose: UInt32) {
    var stream = RandomStream(seed: 5, purpose: purpose, index: 0)
    // With the deviation one, as many values are positive as negative.
    for index in 0..<buffer.count { buffer[index] = Scalar(3.464 * (stream.uniform() - 0.5)) }
  }

  /// The places of this rank's parameters among those of the network.
  var places: [Int] { part.share.parameters.flatMap { Array($0.weights) + Array($0.biases) } }

  /// Copies the boxes that a rank holds.
  private func take(
    _ held: HeldBoxes, _ value: Int, from source: AlignedBuffer<Scalar>,
    to target: AlignedBuffer<Scalar>
  ) {
    let layout = network.values[value].layout
    for box in held.list {
      let (from, to) = (layout.starts[box] * Self.samples, held.start(of: box) * Self.samples)
      for index in 0..<layout.channels(of: box) * Self.samples {
        target[to + index] = source[from + index]
      }
    }
  }

  /// Compares the boxes that a rank computes.
  private func compare(
    _ value: Int, _ found: AlignedBuffer<Scalar>, _ expected: AlignedBuffer<Scalar>
  ) throws {
    let layout = network.values[value].layout
    let held = part.share.values[value]
    for box in part.share.computed[value] {
      for index in 0..<layout.channels(of: box) * Self.samples {
        let (a, b) = (
          found[held.start(of: box) * Self.samples + index],
          expected[layout.starts[box] * Self.samples + index]
        )
        try expect(a == b, "\(network.values[value].name), box \(box): \(a) instead of \(b)")
      }
    }
  }

  /// Compares all shards, then some of them with other numbers: nothing may be left over.
  func run(on tree: borrowing Communicator) throws {
    try checkOwners(on: tree)
    try run(shards: Self.shards, purpose: 1, on: tree)
    try run(shards: Self.shards - 1, purpose: 101, on: tree)
  }

  private func run(
    shards count: Int, purpose: UInt32, on tree: borrowing Communicator
  ) throws {
    Self.fill(wholeParameters, purpose: purpose)
    for (local, place) in places.enumerated() { parameters[local] = wholeParameters[place] }
    let (output, shards) = (network.output, 0..<count)
    let outputs = shards.map { _ in AlignedBuffer<Scalar>(repeating: 0, count: whole.output.count) }
    let gradients = shards.map { _ in
      AlignedBuffer<Scalar>(repeating: .nan, count: network.activeParameterCount)
    }
    whole.parametersChanged(wholeParameters)
    try part.parametersChanged(parameters, on: tree)
    for shard in shards {
      Self.fill(whole.input, purpose: purpose + UInt32(10 + shard))
      take(part.share.values[0], 0, from: whole.input, to: part.values[shard][0])
      whole.forward(wholeParameters)
      for index in 0..<whole.output.count { outputs[shard][index] = whole.output[index] }
      Self.fill(whole.outputGradient, purpose: purpose + UInt32(20 + shard))
      take(
        part.share.gradients[output], output, from: whole.outputGradient,
        to: part.outputGradient(shard))
      whole.backward(into: gradients[shard])
    }
    try part.forward(parameters, shards: count, on: tree)
    for shard in shards { try compare(output, part.values[shard][output], outputs[shard]) }

    let sums = shards.map { _ in
      AlignedBuffer<Scalar>(repeating: .nan, count: part.share.parameterCount)
    }
    // How many shards each parameter has, and whether another one than the next has come.
    var (finished, isOrdered) = ([Int](repeating: 0, count: part.share.parameterCount), true)
    try part.backward(into: sums[...], on: tree) { shard, range in
      for place in range {
        isOrdered = isOrdered && finished[place] == shard
        finished[place] += 1
      }
    }
    try expect(
      isOrdered && finished.allSatisfy { $0 == count }, "shards that come out of order")
    for shard in shards {
      for (local, place) in places.enumerated() {
        let (a, b) = (sums[shard][local], gradients[shard][place])
        try expect(a == b, "gradient of parameter \(place), shard \(shard): \(a) instead of \(b)")
      }
    }
  }

  /// Every parameter is held by a rank, and by one only unless it is replicated.
  private func checkOwners(on tree: borrowing Communicator) throws {
    var owners = [Int](repeating: 0, count: network.activeParameterCount)
    for item in part.share.parameters {
      for place in Array(item.weights) + Array(item.biases) {
        owners[place] += item.isReplicated ? 1000 : 1
      }
    }
    var span = owners.mutableSpan
    try tree.allReduce(.sum, &span)
    try expect(
      owners.allSatisfy { $0 == 1 || $0 == 1000 * tree.size || tree.size == 1 },
      "parameters with several owners or none")
  }
}
