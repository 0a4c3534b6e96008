import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks

/// The samples of one shard on their way into and out of the part of a network that a rank computes.
struct ShardBuffer<Scalar: KernelScalar> {
  /// For each channel: its column in the dataset, its point, and what is subtracted there.
  private struct Channels {
    var columns: [Int32] = []
    var points: [Int32] = []
    var shifts: [Double] = []

    /// Finds the channels among the columns of a dataset; nil columns are all points in their order.
    init(_ points: [Int32], columns: [Int32]?, shift: [Double]) {
      self.points = points
      shifts = points.map { shift[Int($0)] }
      guard let columns else {
        self.columns = points
        return
      }
      var places = [Int32](repeating: -1, count: shift.count)
      for (column, point) in columns.enumerated() { places[Int(point)] = Int32(column) }
      self.columns = points.map { places[Int($0)] }
      precondition(self.columns.allSatisfy { $0 >= 0 }, "the dataset lacks points of this rank")
    }
  }

  let samples: Int
  let normalization: Normalization
  private let input: Channels
  private let output: Channels

  /// Plans the way of samples.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - share: What the rank holds of it.
  ///   - source: The samples, with at least the rank's points.
  ///   - samples: The samples of a shard.
  ///   - normalization: How fields are normalized.
  init(
    _ network: Network, _ share: RankShare, _ source: SampleSource, samples: Int,
    normalization: Normalization
  ) {
    self.samples = samples
    self.normalization = normalization
    input = Channels(
      share.inputPoints(network), columns: source.inputColumns, shift: normalization.inputShift)
    output = Channels(
      share.outputPoints(network), columns: source.outputColumns,
      shift: normalization.outputShift)
  }

  /// The column of the dataset, and the point, of each channel of the output that the rank computes.
  var outputColumns: [Int32] { output.columns }
  var outputPoints: [Int32] { output.points }

  /// Fills the input of a network with normalized rows of a dataset; columns without a row become zero.
  func load(_ data: Dataset, _ chosen: [Int], into buffer: AlignedBuffer<Scalar>) {
    gather(
      data.inputs, count: data.inputWidth, input, chosen, scale: normalization.inputScale,
      into: buffer)
  }

  /// Fills a buffer with normalized outputs: the channels that the rank computes.
  func loadOutputs(_ data: Dataset, _ chosen: [Int], into buffer: AlignedBuffer<Scalar>) {
    gather(
      data.outputs, count: data.outputWidth, output, chosen, scale: normalization.outputScale,
      into: buffer)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func gather(
    _ values: [Double], count: Int, _ channels: Channels, _ chosen: [Int], scale: Double,
    into buffer: AlignedBuffer<Scalar>
  ) {
    precondition(
      chosen.count <= samples && buffer.count == channels.columns.count * samples,
      "\(chosen.count) samples in a shard of \(samples), \(buffer.count) elements")
    let factor = 1 / scale
    let (columns, shifts) = (channels.columns, channels.shifts)
    var span = buffer.mutableSpan
    unsafe values.withUnsafeBufferPointer { values in
      unsafe columns.withUnsafeBufferPointer { columns in
        unsafe shifts.withUnsafeBufferPointer { shifts in
          unsafe span.withUnsafeMutableBufferPointer { out in
            // `columns` name columns of the dataset, `chosen` its samples, and the buffer holds `samples`
            // elements for each channel.
            for column in 0..<samples {
              if column >= chosen.count {
                for channel in 0..<columns.count { unsafe out[channel * samples + column] = 0 }
                continue
              }
              let row = chosen[column] * count
              for channel in 0..<columns.count {
                unsafe out[channel * samples + column] = Scalar(
                  (values[row + Int(columns[channel])] - shifts[channel]) * factor)
              }
            }
          }
        }
      }
    }
  }
}

extension RankShare {
  /// The points of the input that the rank holds, by channel.
  func inputPoints(_ network: Network) -> [Int32] {
    let starts = network.values[0].layout.starts
    return values[0].list.flatMap { network.inputOrder[starts[$0]..<starts[$0 + 1]] }
  }

  /// The points of the output that the rank computes, by channel.
  func outputPoints(_ network: Network) -> [Int32] {
    let (starts, boxes) = (network.values[network.output].layout.starts, computed[network.output])
    return Array(network.outputOrder[starts[boxes.lowerBound]..<starts[boxes.upperBound]])
  }
}
