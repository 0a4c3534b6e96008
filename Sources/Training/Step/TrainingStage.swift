import BlockKernels
import MessagePassing

/// The shards of a step; a batch that grows has another one.
struct TrainingStage<Scalar: KernelScalar & MPIScalar> {
  /// The samples of the batch.
  let batch: Int
  /// How gradients are summed.
  var reduction: GradientReduction<Scalar>
  /// For each of this group's shards: its places among the samples of the group.
  let places: [Range<Int>]
  /// For each of these shards: ‖ŷᵢ − yᵢ‖² of the last step, `[node][column]`.
  let squares: AlignedBuffer<Double>
  /// For each of these shards: where its gradient goes.
  let gradients: [AlignedBuffer<Scalar>]

  /// Plans the shards.
  ///
  /// - Parameters:
  ///   - batch: The samples of the batch.
  ///   - shard: The samples of a shard.
  ///   - parameters: The parameters that the rank holds.
  ///   - squareCount: The numbers that the loss leaves for a shard.
  ///   - group: The data group of the rank.
  ///   - groups: The number of data groups.
  init(batch: Int, shard: Int, parameters: Int, squareCount: Int, group: Int, groups: Int) {
    let shards = (batch + shard - 1) / shard
    let reduction = GradientReduction<Scalar>(
      shards: shards, parameters: parameters, group: group, groupCount: groups)
    let own = reduction.shards
    let first = min(own.lowerBound * shard, batch)
    places = own.map { index in
      index * shard - first..<min((index + 1) * shard, batch) - first
    }
    gradients = own.map { reduction.buffer(of: $0) }
    squares = AlignedBuffer(repeating: 0, count: own.count * squareCount)
    (self.batch, self.reduction) = (batch, reduction)
  }
}
