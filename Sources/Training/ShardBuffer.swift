import BlockKernels
import ClusterTrees
import OperatorNetworks

/// The samples of one shard on their way into and out of a network.
struct ShardBuffer<Scalar: KernelScalar> {
  let samples: Int
  let normalization: Normalization
  private let inputOrder: [Int32]
  private let outputOrder: [Int32]

  init(_ network: Network, samples: Int, normalization: Normalization) {
    self.samples = samples
    self.normalization = normalization
    inputOrder = network.inputOrder
    outputOrder = network.outputOrder
  }

  /// Fills the input of a network with normalized samples; columns without a sample become zero.
  func load(_ data: Dataset, _ chosen: [Int], into buffer: AlignedBuffer<Scalar>) {
    gather(
      data.inputs, count: data.points.count, order: inputOrder, chosen,
      shift: normalization.inputShift, scale: normalization.inputScale, into: buffer)
  }

  /// Fills a buffer with normalized outputs, in the layout of the network's output.
  func loadOutputs(_ data: Dataset, _ chosen: [Int], into buffer: AlignedBuffer<Scalar>) {
    gather(
      data.outputs, count: data.outputCount, order: outputOrder, chosen,
      shift: normalization.outputShift, scale: normalization.outputScale, into: buffer)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func gather(
    _ values: [Double], count: Int, order: [Int32], _ chosen: [Int], shift: [Double],
    scale: Double, into buffer: AlignedBuffer<Scalar>
  ) {
    precondition(chosen.count <= samples, "\(chosen.count) samples in a shard of \(samples)")
    let factor = 1 / scale
    var span = buffer.mutableSpan
    unsafe values.withUnsafeBufferPointer { values in
      unsafe order.withUnsafeBufferPointer { order in
        unsafe shift.withUnsafeBufferPointer { shift in
          unsafe span.withUnsafeMutableBufferPointer { out in
            // `order` is a permutation of the points, `chosen` names samples of the dataset, and the
            // buffer holds `samples` columns for each point.
            for column in 0..<samples {
              if column >= chosen.count {
                for channel in 0..<order.count { unsafe out[channel * samples + column] = 0 }
                continue
              }
              let row = chosen[column] * count
              for channel in 0..<order.count {
                let point = unsafe Int(order[channel])
                unsafe out[channel * samples + column] = Scalar(
                  (values[row + point] - shift[point]) * factor)
              }
            }
          }
        }
      }
    }
  }

  /// Writes one column of a network's output, in physical units and in the order of the points.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func store(
    _ column: Int, of buffer: AlignedBuffer<Scalar>, into values: inout [Double], at start: Int
  ) {
    let span = buffer.span
    for channel in 0..<outputOrder.count {
      let point = Int(outputOrder[channel])
      values[start + point] =
        Double(span[channel * samples + column]) * normalization.outputScale
        + normalization.outputShift[point]
    }
  }
}
