public import BlockKernels
import BlockSparse
public import MessagePassing

extension NetworkExecutor {
  /// Computes the output of a shard's input.
  ///
  /// - Parameters:
  ///   - parameters: The parameters.
  ///   - slot: The shard.
  /// - Precondition: This is the only tree rank.
  public func forward(_ parameters: AlignedBuffer<Scalar>, slot: Int = 0) {
    precondition(share.rankCount == 1, "ranks that share a network exchange values")
    lastParameters = parameters
    for (layer, part) in forwardSchedule.layers[0] { forward(layer, part, slot, parameters) }
  }

  /// Computes the outputs of some shards' inputs.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - parameters: The parameters that the rank holds.
  ///   - shards: The number of shards, equal on all ranks.
  ///   - first: The first shard; the last one is below ``slots``.
  ///   - communicator: The tree ranks.
  /// - Throws: `MPIError` if a message fails.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func forward(
    _ parameters: AlignedBuffer<Scalar>, shards: Int, from first: Int = 0,
    on communicator: borrowing Communicator
  ) throws(MPIError) {
    let (schedule, slots) = (forwardSchedule, first..<first + shards)
    lastParameters = parameters
    let before = clock?.enter(.forward)
    defer { if let before { clock?.enter(before) } }
    for round in schedule.layers.indices {
      if round > 0 {
        clock?.enter(.communication)
        try forwardExchange.run(round, values[slots], on: communicator) {
          clock?.enter(.forward)
          for slot in slots {
            for layer in schedule.overlapped[round] { forward(layer, .interior, slot, parameters) }
          }
          clock?.enter(.communication)
        }
        clock?.enter(.forward)
      }
      // Shard by shard, so that what one layer leaves is in the caches for the next.
      for slot in slots {
        for (layer, part) in schedule.layers[round] { forward(layer, part, slot, parameters) }
      }
    }
  }

  private func forward(
    _ layer: Int, _ part: LayerPart, _ slot: Int, _ parameters: AlignedBuffer<Scalar>
  ) {
    let item = wires[layer]
    let (source, target) = (values[slot][item.source], values[slot][item.target])
    let (scratch, weights) = (entries[slot][layer], packed[layer])
    var entrySpan = scratch.mutableSpan
    var targetSpan = target.mutableSpan
    let term = item.addend.map { values[slot][$0] }
    plans[layer].forward(
      part, parameters: parameters.span, packed: weights.span, source: source.span,
      adding: term?.span,
      entries: &entrySpan, target: &targetSpan)
    if part != .interior { flops += plans[layer].forwardFlops }
  }
}
