public import BlockKernels
import BlockSparse
public import MessagePassing
import OperatorNetworks

extension NetworkExecutor {
  /// Computes the gradient with respect to all parameters.
  ///
  /// ``outputGradient(_:)`` must hold the gradient with respect to the output of the shard's last forward pass.
  ///
  /// - Parameters:
  ///   - gradient: The gradient with respect to the parameters, replaced.
  ///   - slot: The shard.
  /// - Precondition: This is the only tree rank.
  public func backward(into gradient: AlignedBuffer<Scalar>, slot: Int = 0) {
    precondition(share.rankCount == 1, "ranks that share a network exchange gradients")
    for task in backwardSchedule.tasks[0] { run(task, slot, gradient) { _, _ in } }
    addLateSums(slot, gradient) { _, _ in }
    clearUnused(slot, gradient) { _, _ in }
  }

  /// Computes the gradients with respect to the parameters that this rank holds.
  ///
  /// ``outputGradient(_:)`` must hold the gradients with respect to the outputs of the last forward pass.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - buffers: For each shard where its gradient goes, replaced. Two shards may share a buffer if
  ///     `finished` returns for a range of one shard before the same range of the next one is computed.
  ///   - firstSlot: The first of the shards among those that are kept.
  ///   - communicator: The tree ranks.
  ///   - finished: Receives each shard and range of parameters when that part of the gradient is
  ///     complete: for each range the shards come in order.
  /// - Throws: `MPIError` if a message fails.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func backward(
    into buffers: ArraySlice<AlignedBuffer<Scalar>>, slot firstSlot: Int = 0,
    on communicator: borrowing Communicator,
    finished: (_ shard: Int, _ range: Range<Int>) throws(MPIError) -> Void
  ) throws(MPIError) {
    let (schedule, shards) = (backwardSchedule, buffers.count)
    let (slots, first) = (firstSlot..<firstSlot + shards, buffers.startIndex - firstSlot)
    let before = clock?.enter(.other)
    defer { if let before { clock?.enter(before) } }
    for round in schedule.tasks.indices {
      if round > 0 {
        clock?.enter(.communication)
        try backwardExchange.run(round, gradients[slots], on: communicator) {
          () throws(MPIError) in
          for slot in slots {
            for layer in schedule.overlappedInputs[round] { inputGradient(layer, .interior, slot) }
            for layer in schedule.overlappedSums[round] {
              try parameterGradient(layer, slot, buffers[first + slot], finished)
            }
          }
          clock?.enter(.communication)
        }
      }
      // Shard by shard, so that what one layer leaves is in the caches for the next.
      for slot in slots {
        for task in schedule.tasks[round] { try run(task, slot, buffers[first + slot], finished) }
      }
    }
    for slot in slots { try addLateSums(slot, buffers[first + slot], finished) }
    clock?.enter(.communication)
    try sumExchange.run(slots, on: communicator)
    clock?.enter(.sums)
    // Shard by shard, as shards may share a buffer; layers in the order of the backward pass, in which they add to a slice.
    for slot in slots {
      for layer in plans.indices.reversed() where !plans[layer].sumCounts.isEmpty {
        let (sums, scratch, buffer) = (sumExchange.all, scratch, buffers[first + slot])
        var span = buffer.mutableSpan
        var scratchSpan = scratch.mutableSpan
        plans[layer].finishParameterGradient(
          sums: sums.span, at: sumExchange.starts(layer, slot: slot - firstSlot, shards: shards),
          scratch: &scratchSpan, into: &span)
        try finish(layer, slot, buffer, finished)
      }
    }
    for slot in slots { try clearUnused(slot, buffers[first + slot], finished) }
  }

  /// Computes the gradients of parameters that several layers use, and of transposed layers.
  private func addLateSums<Failure: Error>(
    _ slot: Int, _ buffer: AlignedBuffer<Scalar>,
    _ finished: (Int, Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    for layer in backwardSchedule.lateSums { try parameterGradient(layer, slot, buffer, finished) }
  }

  /// Clears the gradients of parameters that no layer uses.
  private func clearUnused<Failure: Error>(
    _ slot: Int, _ buffer: AlignedBuffer<Scalar>,
    _ finished: (Int, Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    var span = buffer.mutableSpan
    for slice in sliceOrder.withoutWeights {
      Elementwise.clear(&span, in: share.parameters[slice].local)
      try finished(slot, share.parameters[slice].local)
    }
  }

  /// Tells that the gradient of a slice is complete, after the last layer that uses it.
  private func finish<Failure: Error>(
    _ layer: Int, _ slot: Int, _ buffer: AlignedBuffer<Scalar>,
    _ finished: (Int, Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    guard sliceOrder.completes[layer] else { return }
    let own = share.parameters[sliceOrder.slices[layer]]
    if sliceOrder.clearsBiases[layer] {
      var span = buffer.mutableSpan
      Elementwise.clear(&span, in: own.start + own.weights.count..<own.local.upperBound)
    }
    try finished(slot, own.local)
  }

  private func run<Failure: Error>(
    _ task: BackwardSchedule.Task, _ slot: Int, _ buffer: AlignedBuffer<Scalar>,
    _ finished: (Int, Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    // If both gradients are computed now, that of a row goes through f while the row is in the cache.
    let isFused = task.activates && task.sums && plans[task.layer].canFuseActivation
    if task.activates && !isFused { activate(task.layer, slot) }
    if task.sums { try parameterGradient(task.layer, slot, buffer, activates: isFused, finished) }
    if let part = task.part { inputGradient(task.layer, part, slot) }
  }

  /// Takes the gradient of a layer's target through its function.
  private func activate(_ layer: Int, _ slot: Int) {
    clock?.enter(.elementwise)
    let target = wires[layer].target
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

  private func parameterGradient<Failure: Error>(
    _ layer: Int, _ slot: Int, _ buffer: AlignedBuffer<Scalar>, activates: Bool = false,
    _ finished: (Int, Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    let item = wires[layer]
    let (source, target) = (values[slot][item.source], values[slot][item.target])
    let gradient = gradients[slot][item.target]
    let (transposed, scratch, blocks) = (transposed, scratch, entries[slot][layer])
    clock?.enter(.weightGradient)
    // A term that is changed by a function has a gradient of its own.
    let sum = activates ? sums[item.target] : nil
    let whole = sum.map { gradients[slot][$0] }
    let first = share.computed[item.target].first
    let start = sum.map { sum in first.map { share.gradients[sum].start(of: $0) } ?? 0 } ?? 0
    var transposedSpan = transposed.mutableSpan
    var gradientSpan = gradient.mutableSpan
    var scratchSpan = scratch.mutableSpan
    var span = buffer.mutableSpan
    plans[layer].parameterGradient(
      source: source.span, transposed: &transposedSpan,
      activating: activates ? target.span : nil, from: whole?.span, at: start * samples,
      gradient: &gradientSpan, entries: blocks.span, scratch: &scratchSpan, into: &span)
    flops += plans[layer].parameterFlops
    clock?.enter(.sums)
    if plans[layer].sumCounts.isEmpty {
      try finish(layer, slot, buffer, finished)
    } else {
      sumExchange.add(scratch, layer, slot: slot, count: plans[layer].sumCounts[share.rank])
    }
  }

  private func inputGradient(_ layer: Int, _ part: LayerPart, _ slot: Int) {
    let item = wires[layer]
    let (weights, blocks) = (packed[layer], entries[slot][layer])
    let (gradient, result) = (gradients[slot][item.target], gradients[slot][item.source])
    clock?.enter(.inputGradient)
    if part != .interior, plans[layer].hasRemoteEntries, let parameters = lastParameters {
      let (remote, source) = (weightExchange.remote[layer], values[slot][item.source])
      var entrySpan = blocks.mutableSpan
      plans[layer].remoteEntryGradients(
        parameters: parameters.span, remote: remote.span, source: source.span,
        gradient: gradient.span, entries: &entrySpan)
    }
    var span = result.mutableSpan
    let parameters = lastParameters
    plans[layer].inputGradient(
      part, parameters: parameters?.span, packed: weights.span, gradient: gradient.span,
      entries: blocks.span,
      sourceGradient: &span)
    if part != .interior { flops += plans[layer].inputFlops }
  }
}
