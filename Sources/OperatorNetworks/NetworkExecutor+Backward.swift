public import BlockKernels
import BlockSparse
public import MessagePassing

extension NetworkExecutor {
  /// Computes the gradient with respect to all parameters.
  ///
  /// ``outputGradient`` must hold the gradient with respect to the output of the last forward pass.
  ///
  /// - Parameter gradient: The gradient with respect to the parameters, replaced.
  /// - Precondition: This is the only tree rank.
  public func backward(into gradient: AlignedBuffer<Scalar>) {
    precondition(share.rankCount == 1, "ranks that share a network exchange gradients")
    transposedValue = (-1, -1)
    for task in backwardSchedule.tasks[0] { run(task, 0, gradient) { _, _ in } }
  }

  /// Computes the gradients with respect to the parameters that this rank holds.
  ///
  /// ``outputGradient(_:)`` must hold the gradients with respect to the outputs of the last forward pass.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - buffers: For each shard where its gradient goes, replaced. Two shards may share a buffer if
  ///     `finished` has done with a range before the next shard's comes.
  ///   - communicator: The tree ranks.
  ///   - finished: Receives each shard and range of parameters when that part of the gradient is
  ///     complete: for each range the shards come in order.
  /// - Throws: `MPIError` if a message fails.
  public func backward(
    into buffers: [AlignedBuffer<Scalar>], on communicator: borrowing Communicator,
    finished: (_ shard: Int, _ range: Range<Int>) -> Void
  ) throws(MPIError) {
    let (schedule, shards) = (backwardSchedule, buffers.count)
    transposedValue = (-1, -1)
    for round in schedule.tasks.indices {
      if round > 0 {
        try backwardExchange.run(round, gradients[..<shards], on: communicator) {
          for slot in 0..<shards {
            for layer in schedule.overlappedInputs[round] { inputGradient(layer, .interior, slot) }
            for layer in schedule.overlappedSums[round] {
              parameterGradient(layer, slot, buffers[slot], finished)
            }
          }
        }
      }
      // Shard by shard, so that what one layer leaves is in the caches for the next.
      for slot in 0..<shards {
        for task in schedule.tasks[round] { run(task, slot, buffers[slot], finished) }
      }
    }
    try sumExchange.run(shards: shards, on: communicator)
    for layer in plans.indices where !plans[layer].sumCounts.isEmpty {
      for slot in 0..<shards {
        let (sums, scratch, buffer) = (sumExchange.all, scratch, buffers[slot])
        var span = buffer.mutableSpan
        var scratchSpan = scratch.mutableSpan
        plans[layer].finishParameterGradient(
          sums: sums.span, at: sumExchange.starts(layer, slot: slot, shards: shards),
          scratch: &scratchSpan, into: &span)
        finished(slot, share.parameters[layer].local)
      }
    }
  }

  private func run(
    _ task: BackwardSchedule.Task, _ slot: Int, _ buffer: AlignedBuffer<Scalar>,
    _ finished: (Int, Range<Int>) -> Void
  ) {
    if task.activates { activate(task.layer, slot) }
    if task.sums { parameterGradient(task.layer, slot, buffer, finished) }
    if let part = task.part { inputGradient(task.layer, part, slot) }
  }

  /// Takes the gradient of a layer's target through its function.
  private func activate(_ layer: Int, _ slot: Int) {
    let target = network.layers[layer].target
    let (value, gradient) = (values[slot][target], gradients[slot][target])
    let scratch = entries[slot][layer]
    var span = gradient.mutableSpan
    var entrySpan = scratch.mutableSpan
    guard let sum = sums[target] else {
      return plans[layer].gradientBeforeActivation(
        target: value.span, gradient: &span, entries: &entrySpan)
    }
    // A term that is changed by a function has a gradient of its own.
    let whole = gradients[slot][sum]
    guard let first = share.computed[target].first else { return }
    plans[layer].gradientBeforeActivation(
      target: value.span, of: whole.span, at: share.gradients[sum].start(of: first) * samples,
      gradient: &span, entries: &entrySpan)
  }

  private func parameterGradient(
    _ layer: Int, _ slot: Int, _ buffer: AlignedBuffer<Scalar>,
    _ finished: (Int, Range<Int>) -> Void
  ) {
    let item = network.layers[layer]
    let (source, gradient) = (values[slot][item.source], gradients[slot][item.target])
    let (transposed, scratch, blocks) = (transposed, scratch, entries[slot][layer])
    if transposedValue != (slot, item.source) {
      var span = transposed.mutableSpan
      plans[layer].transposeSource(source.span, into: &span)
      transposedValue = (slot, item.source)
    }
    var scratchSpan = scratch.mutableSpan
    var span = buffer.mutableSpan
    plans[layer].parameterGradient(
      sourceTransposed: transposed.span, gradient: gradient.span, entries: blocks.span,
      scratch: &scratchSpan, into: &span)
    flops += plans[layer].parameterFlops
    if plans[layer].sumCounts.isEmpty {
      finished(slot, share.parameters[layer].local)
    } else {
      sumExchange.add(scratch, layer, slot: slot, count: plans[layer].sumCounts[share.rank])
    }
  }

  private func inputGradient(_ layer: Int, _ part: LayerPart, _ slot: Int) {
    let item = network.layers[layer]
    let (weights, blocks) = (packed[layer], entries[slot][layer])
    let (gradient, result) = (gradients[slot][item.target], gradients[slot][item.source])
    if part != .interior, plans[layer].hasRemoteEntries, let parameters = lastParameters {
      let (remote, source) = (weightExchange.remote[layer], values[slot][item.source])
      var entrySpan = blocks.mutableSpan
      plans[layer].remoteEntryGradients(
        parameters: parameters.span, remote: remote.span, source: source.span,
        gradient: gradient.span, entries: &entrySpan)
    }
    var span = result.mutableSpan
    plans[layer].inputGradient(
      part, packed: weights.span, gradient: gradient.span, entries: blocks.span,
      sourceGradient: &span)
    if part != .interior { flops += plans[layer].inputFlops }
  }
}
