import BlockKernels
import BlockSparse
import OperatorNetworks

/// Tree ranks in one process: each computes its rows and sources in buffers of its own, and what it lacks is
/// copied from the owners' buffers.
final class TreeRanks<Scalar: KernelScalar> {
  let network: Network
  let partition: TreePartition
  let samples: Int
  /// For each rank and value: what it holds, and the buffers.
  private var heldValues: [[HeldBoxes]] = []
  private var heldGradients: [[HeldBoxes]] = []
  private var values: [[AlignedBuffer<Scalar>]] = []
  private var gradients: [[AlignedBuffer<Scalar>]] = []
  private var plans: [[LayerPlan<Scalar>]] = []
  private var parameters: [AlignedBuffer<Scalar>] = []
  private var parameterGradients: [AlignedBuffer<Scalar>] = []
  /// The first layer in the order of the backward pass that reads a value replaces its gradient.
  private let accumulates: [Bool]
  /// For each value: the value whose gradient is also its own, that of the sum to which it belongs.
  private let gradientOf: [Int]

  init(_ network: Network, ranks: Int, samples: Int, replicatedBoxes: Int) {
    self.network = network
    self.samples = samples
    partition = TreePartition(network, ranks: ranks, replicatedBoxes: replicatedBoxes)
    var (isWritten, accumulates) = (Set<Int>(), [Bool]())
    var gradientOf = Array(network.values.indices)
    for item in network.layers.reversed() {
      accumulates.append(!isWritten.insert(item.source).inserted)
      if let addend = item.addend { gradientOf[addend] = gradientOf[item.target] }
    }
    self.accumulates = accumulates.reversed()
    self.gradientOf = gradientOf
    for rank in 0..<ranks { add(rank) }
  }

  private func add(_ rank: Int) {
    let computed = partition.values.map { Set($0.computed(by: rank)) }
    var (lackingValues, lackingGradients) = (computed, computed)
    for item in network.layers {
      let pattern = item.layer.pattern
      for row in 0..<pattern.targetCount {
        for entry in pattern.entries(of: row) {
          let box = Int(pattern.sources[entry])
          if computed[item.target].contains(row) { lackingValues[item.source].insert(box) }
          if computed[item.source].contains(box) {
            lackingGradients[gradientOf[item.target]].insert(row)
          }
        }
      }
    }
    let layouts = network.values.map(\.layout)
    let (held, graded) = (
      layouts.indices.map { HeldBoxes(lackingValues[$0], of: layouts[$0]) },
      layouts.indices.map { HeldBoxes(lackingGradients[gradientOf[$0]], of: layouts[$0]) }
    )
    heldValues.append(held)
    heldGradients.append(graded)
    values.append(held.map { AlignedBuffer(repeating: .nan, count: $0.channelCount * samples) })
    gradients.append(
      graded.map { AlignedBuffer(repeating: .nan, count: $0.channelCount * samples) })
    var start = 0
    var own: [LayerPlan<Scalar>] = []
    for (index, item) in network.layers.enumerated() {
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      let rows = target.computed(by: rank)
      own.append(
        LayerPlan(
          item.layer, samples: samples,
          placement: LayerPlacement(
            rows: rows, sources: source.computed(by: rank), sourceValues: held[item.source],
            sourceGradients: graded[item.source], targetValues: held[item.target],
            targetGradients: graded[item.target], addendValues: item.addend.map { held[$0] },
            parameterStart: start),
          needsInputGradient: item.source != 0, accumulatesInput: accumulates[index]))
      start += item.layer.weights(of: rows).count + item.layer.biases(of: rows).count
    }
    plans.append(own)
    parameters.append(AlignedBuffer(repeating: .nan, count: start))
    parameterGradients.append(AlignedBuffer(repeating: .nan, count: start))
  }

  /// The ranks.
  var ranks: Range<Int> { 0..<partition.rankCount }

  /// For each rank: the places of its parameters among those of the network, in their order.
  func parameterPlaces(_ rank: Int) -> [Int] {
    network.layers.flatMap { item in
      let rows = partition.values[item.target].computed(by: rank)
      return item.layer.weights(of: rows).map { item.weights.lowerBound + $0 }
        + item.layer.biases(of: rows).map { item.biases.lowerBound + $0 }
    }
  }

  /// Copies boxes of a value to the ranks that hold them from the ranks that own them.
  private func exchange(
    _ held: [[HeldBoxes]], _ buffers: [[AlignedBuffer<Scalar>]], _ value: Int,
    from partition: BoxPartition
  ) {
    for rank in ranks {
      for box in held[rank][value].list where !partition.computed(by: rank).contains(box) {
        let owner = partition.owner(of: box)
        let from = held[owner][value].start(of: box) * samples
        let to = held[rank][value].start(of: box) * samples
        for index in 0..<network.values[value].layout.channels(of: box) * samples {
          buffers[rank][value][to + index] = buffers[owner][value][from + index]
        }
      }
    }
  }

  /// Computes the output from the input and the parameters of the whole network.
  func forward(input: AlignedBuffer<Scalar>, parameters whole: [Scalar]) {
    for rank in ranks {
      for (index, place) in parameterPlaces(rank).enumerated() {
        parameters[rank][index] = whole[place]
      }
      fill(values[rank][0], heldValues[rank][0], value: 0, from: input)
    }
    for (index, item) in network.layers.enumerated() {
      exchange(heldValues, values, item.source, from: partition.values[item.source])
      for rank in ranks {
        let (source, target) = (values[rank][item.source], values[rank][item.target])
        run(
          plans[rank][index], parameters[rank], source, item.addend.map { values[rank][$0] }, target
        )
      }
    }
  }

  private func run(
    _ plan: LayerPlan<Scalar>, _ own: AlignedBuffer<Scalar>, _ source: AlignedBuffer<Scalar>,
    _ addend: AlignedBuffer<Scalar>?, _ target: AlignedBuffer<Scalar>
  ) {
    let entries = AlignedBuffer<Scalar>(repeating: 0, count: 0)
    var entrySpan = entries.mutableSpan
    var span = target.mutableSpan
    if let addend {
      plan.forward(
        parameters: own.span, source: source.span, adding: addend.span, entries: &entrySpan,
        target: &span)
    } else {
      plan.forward(
        parameters: own.span, source: source.span, entries: &entrySpan, target: &span)
    }
  }

  private func fill(
    _ buffer: AlignedBuffer<Scalar>, _ held: HeldBoxes, value: Int,
    from whole: AlignedBuffer<Scalar>
  ) {
    let layout = network.values[value].layout
    for box in held.list {
      let (from, to) = (layout.starts[box] * samples, held.start(of: box) * samples)
      for index in 0..<layout.channels(of: box) * samples {
        buffer[to + index] = whole[from + index]
      }
    }
  }

  /// Computes all gradients from that of the output.
  func backward(outputGradient: AlignedBuffer<Scalar>, parameters whole: [Scalar]) {
    for rank in ranks {
      fill(
        gradients[rank][network.output], heldGradients[rank][network.output],
        value: network.output, from: outputGradient)
    }
    for (index, item) in network.layers.enumerated().reversed() {
      let graded = gradientOf[item.target]
      for rank in ranks {
        let (target, gradient) = (values[rank][item.target], gradients[rank][graded])
        activate(plans[rank][index], target, gradient)
      }
      exchange(heldGradients, gradients, graded, from: partition.values[item.target])
      for rank in ranks {
        adjoint(
          plans[rank][index], item, rank, gradients[rank][graded],
          remote: remoteWeights(item, plans[rank][index], whole))
      }
    }
  }

  private func activate(
    _ plan: LayerPlan<Scalar>, _ target: AlignedBuffer<Scalar>, _ gradient: AlignedBuffer<Scalar>
  ) {
    let scratch = AlignedBuffer<Scalar>(repeating: 0, count: 0)
    var span = gradient.mutableSpan
    var entries = scratch.mutableSpan
    plan.gradientBeforeActivation(target: target.span, gradient: &span, entries: &entries)
  }

  /// The blocks that other ranks would send.
  private func remoteWeights(
    _ item: NetworkLayer, _ plan: LayerPlan<Scalar>, _ whole: [Scalar]
  ) -> AlignedBuffer<Scalar> {
    let (layer, pattern) = (item.layer, item.layer.pattern)
    let buffer = AlignedBuffer<Scalar>(repeating: .nan, count: plan.remoteWeightCount)
    var place = 0
    for entry in item.source == 0 ? [] : layer.remoteEntries(plan.placement) {
      let row = (0..<pattern.targetCount).first { pattern.entries(of: $0).contains(entry) } ?? 0
      let inputs = layer.source.channels(of: Int(pattern.sources[entry]))
      for output in 0..<layer.target.channels(of: row) {
        for input in 0..<inputs {
          buffer[place] =
            whole[
              item.weights.lowerBound + layer.weightStarts[row] + Int(layer.entryInputs[entry])
                + input + output * layer.groupInputs[row]]
          place += 1
        }
      }
    }
    return buffer
  }

  private func adjoint(
    _ plan: LayerPlan<Scalar>, _ item: NetworkLayer, _ rank: Int,
    _ gradient: AlignedBuffer<Scalar>, remote: AlignedBuffer<Scalar>
  ) {
    let (own, source) = (parameters[rank], values[rank][item.source])
    let (sums, into) = (parameterGradients[rank], gradients[rank][gradientOf[item.source]])
    let packed = AlignedBuffer<Scalar>(repeating: 0, count: plan.packedWeightCount)
    let transposed = AlignedBuffer<Scalar>(repeating: 0, count: source.count)
    let none = AlignedBuffer<Scalar>(repeating: 0, count: 0)
    var packedSpan = packed.mutableSpan
    var transposedSpan = transposed.mutableSpan
    var sumSpan = sums.mutableSpan
    plan.transposeSource(source.span, into: &transposedSpan)
    plan.parameterGradient(
      sourceTransposed: transposed.span, gradient: gradient.span, entries: none.span,
      into: &sumSpan)
    guard item.source != 0 else { return }
    plan.packWeights(own.span, into: &packedSpan)
    plan.packRemoteWeights(remote.span, into: &packedSpan)
    var intoSpan = into.mutableSpan
    plan.inputGradient(
      packed: packed.span, gradient: gradient.span, entries: none.span, sourceGradient: &intoSpan)
  }

  /// Returns the output of the ranks, box by box from their owners.
  func output() -> [Scalar] {
    let (layout, boxes) = (
      network.values[network.output].layout, partition.values[network.output]
    )
    return (0..<layout.boxCount).flatMap { box in
      let owner = boxes.owner(of: box)
      let start = heldValues[owner][network.output].start(of: box) * samples
      return (0..<layout.channels(of: box) * samples).map {
        values[owner][network.output][start + $0]
      }
    }
  }

  /// Returns the gradient of a rank's parameters.
  func gradient(_ rank: Int) -> [Scalar] { parameterGradients[rank].array() }
}
