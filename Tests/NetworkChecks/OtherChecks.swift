import BlockKernels
import BlockSparse
import MessagePassing
import OperatorNetworks

@testable import NetworkExecution

/// Without activations the network is linear but for its biases: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for each layer, over
/// all ranks and all exchanges.
func checkAdjoint(
  _ network: Network, _ partition: TreePartition, on tree: borrowing Communicator
) throws {
  let samples = 16
  for (index, item) in network.layers.enumerated() where item.source != 0 {
    // An input of its own before the layer, so that the gradient of the layer's source is asked for.
    var builder = NetworkBuilder(input: item.layer.source)
    let source = builder.add(
      "before", from: 0, to: item.layer.source,
      pattern: .diagonal(item.layer.source.boxCount, sharing: .own))
    let target = builder.add(
      "layer", from: source, to: item.layer.target, pattern: item.layer.pattern)
    let single = builder.finish(
      output: target, inputOrder: (0..<Int32(item.layer.source.channelCount)).map { $0 },
      outputOrder: (0..<Int32(item.layer.target.channelCount)).map { $0 })
    let ranks = TreePartition(single, ranks: tree.size, replicatedBoxes: 0)
    let executor = NetworkExecutor<Double>(single, ranks, rank: tree.rank, samples: samples)
    let share = executor.share
    let parameters = AlignedBuffer<Double>(repeating: 0, count: share.parameterCount)
    // Weights of the layer by place, so that all ranks agree; before it the identity, no biases.
    for (layer, own) in share.parameters.enumerated() {
      for (offset, place) in own.weights.enumerated() {
        var stream = RandomStream(seed: 3, purpose: UInt32(layer), index: UInt64(place))
        parameters[own.start + offset] = layer == 0 ? 0 : stream.normal()
      }
    }
    for row in share.computed[1] {
      let block = single.layers[0].layer
      let size = block.target.channels(of: row)
      let start =
        share.parameters[0].start + block.weightStarts[row]
        - block.weights(of: share.computed[1]).lowerBound
      for channel in 0..<size { parameters[start + channel * (size + 1)] = 1 }
    }
    func fill(_ held: HeldBoxes, _ value: Int, _ buffer: AlignedBuffer<Double>) {
      let layout = single.values[value].layout
      for box in held.list {
        for channel in 0..<layout.channels(of: box) * samples {
          let place = layout.starts[box] * samples + channel
          var stream = RandomStream(seed: 4, purpose: UInt32(value), index: UInt64(place))
          buffer[held.start(of: box) * samples + channel] = stream.normal()
        }
      }
    }
    fill(share.values[0], 0, executor.input)
    fill(share.gradients[target], target, executor.outputGradient)
    try executor.parametersChanged(parameters, on: tree)
    try executor.forward(parameters, shards: 1, on: tree)
    // The bias gradient of the identity before the layer is the gradient of the source, summed over the
    // samples; with inputs that are equal in all samples ⟨x, Aᵀ y⟩ is ⟨x, that⟩.
    let gradient = AlignedBuffer<Double>(repeating: 0, count: share.parameterCount)
    try executor.backward(into: [gradient][...], on: tree) { _, _ in }
    var (left, right) = (0.0, 0.0)
    for box in share.computed[target] {
      let layout = single.values[target].layout
      for channel in 0..<layout.channels(of: box) * samples {
        left +=
          executor.output[share.values[target].start(of: box) * samples + channel]
          * executor.outputGradient[share.gradients[target].start(of: box) * samples + channel]
      }
    }
    // ⟨x, Aᵀ y⟩ = Σ over the blocks before the layer of the trace of x (Aᵀ y)ᵀ, the weights' gradient.
    let block = single.layers[0].layer
    for row in share.computed[1] {
      let size = block.target.channels(of: row)
      let start =
        share.parameters[0].start + block.weightStarts[row]
        - block.weights(of: share.computed[1]).lowerBound
      for channel in 0..<size { right += gradient[start + channel * (size + 1)] }
    }
    let all = try tree.allGather([left, right][0])
    let others = try tree.allGather([left, right][1])
    let (a, b) = (all.reduce(0, +), others.reduce(0, +))
    try expect(
      abs(a - b) <= 1e-12 * Double(item.layer.weightCount) && a != 0,
      "\(item.layer.name) (layer \(index)): ⟨Ax, y⟩ = \(a), ⟨x, Aᵀy⟩ = \(b)")
  }
}

/// What was sent is what the plan says.
func checkTraffic(
  _ network: Network, _ partition: TreePartition, on tree: borrowing Communicator
) throws {
  let (samples, shards) = (16, 2)
  let plan = CommunicationPlan(network, partition)
  let executor = NetworkExecutor<Float>(
    network, partition, rank: tree.rank, samples: samples, slots: shards)
  let count = executor.share.parameterCount
  let parameters = AlignedBuffer<Float>(repeating: 0.1, count: count)
  let gradients = (0..<shards).map { _ in AlignedBuffer<Float>(repeating: 0, count: count) }
  let size = MemoryLayout<Float>.size
  func check(_ phase: CommunicationPlan.Phase, _ factor: Int, extra: Int = 0) throws {
    let sent = plan.sent(by: tree.rank).filter { $0.phase == phase }
    let gathers = plan.gathers.filter { $0.phase == phase }
    let traffic = tree.traffic
    let found = [
      traffic.messages, traffic.messageBytes, traffic.collectives, traffic.collectiveBytes,
    ]
    let expected = [
      sent.count, sent.reduce(0) { $0 + $1.count } * factor * size,
      gathers.count + (extra > 0 ? 1 : 0),
      gathers.reduce(0) { $0 + $1.counts[tree.rank] } * factor * size
        + (extra > 0 ? plan.sumCounts[tree.rank] * shards * size : 0),
    ]
    try expect(
      found == expected,
      "\(phase): messages, bytes, collectives, bytes are \(found), planned were \(expected)")
    tree.traffic.reset()
  }
  tree.traffic.reset()
  try executor.parametersChanged(parameters, on: tree)
  try check(.weights, 1)
  try executor.forward(parameters, shards: shards, on: tree)
  try check(.forward, samples * shards)
  try executor.backward(into: gradients[...], on: tree) { _, _ in }
  try check(.backward, samples * shards, extra: plan.sumCounts.reduce(0, +))
  // Every floating-point operation was planned.
  try expect(
    executor.flops == RankLoad.all(network, partition)[tree.rank].flopsPerSample * samples * shards,
    "\(executor.flops) floating-point operations")
}
