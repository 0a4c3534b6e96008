import BlockKernels
import BlockSparse
import ClusterTrees
import Datasets
import NetworkExecution
import OperatorNetworks

/// The samples of one shard on their way into and out of the part of a network that a rank computes.
struct ShardBuffer<Scalar: KernelScalar> {
  /// For each channel: its column in the dataset, its point, and what is subtracted there.
  private struct Channels {
    var columns: [Int32] = []
    var points: [Int32] = []
    var shifts: [Double] = []
    /// Whether the columns follow each other.
    var isContiguous = false

    /// Finds the channels among the columns of a dataset; nil columns are all points in their order.
    init(_ points: [Int32], columns: [Int32]?, shift: [Double]) {
      self.points = points
      shifts = points.map { shift[Int($0)] }
      self.columns = Self.find(points, in: columns, count: shift.count)
      isContiguous =
        !points.isEmpty
        && zip(self.columns, self.columns.dropFirst()).allSatisfy { $1 == $0 + 1 }
    }

    private static func find(_ points: [Int32], in columns: [Int32]?, count: Int) -> [Int32] {
      guard let columns else { return points }
      var places = [Int32](repeating: -1, count: count)
      for (column, point) in columns.enumerated() { places[Int(point)] = Int32(column) }
      let found = points.map { places[Int($0)] }
      precondition(found.allSatisfy { $0 >= 0 }, "the dataset lacks points of this rank")
      return found
    }
  }

  let samples: Int
  let normalization: Normalization
  private let input: Channels
  private let output: Channels
  /// The rows of a shard before they are transposed.
  private let rows: AlignedBuffer<Scalar>

  /// Plans where samples are read from and written to.
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
    rows = AlignedBuffer(
      repeating: 0, count: samples * max(input.columns.count, output.columns.count))
  }

  /// The column of the dataset, and the point, of each channel of the output that the rank computes.
  var outputColumns: [Int32] { output.columns }
  var outputPoints: [Int32] { output.points }

  /// Fills the input of a network with normalized rows of a dataset; columns without a row become zero.
  func load(_ data: Dataset, _ chosen: ArraySlice<Int>, into buffer: AlignedBuffer<Scalar>) {
    gather(
      data.inputs, count: data.inputWidth, input, chosen, scale: normalization.inputScale,
      into: buffer)
  }

  /// Fills a buffer with normalized outputs: the channels that the rank computes.
  func loadOutputs(_ data: Dataset, _ chosen: ArraySlice<Int>, into buffer: AlignedBuffer<Scalar>) {
    gather(
      data.outputs, count: data.outputWidth, output, chosen, scale: normalization.outputScale,
      into: buffer)
  }

  /// Samples lie anywhere in a large dataset: they are fetched while others before them are normalized.
  private static var rowsAhead: Int { 6 }

  /// Normalizes the chosen rows, one behind the other, and transposes them.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func gather(
    _ values: [Double], count: Int, _ channels: Channels, _ chosen: ArraySlice<Int>, scale: Double,
    into buffer: AlignedBuffer<Scalar>
  ) {
    let (width, rows) = (channels.columns.count, rows)
    precondition(
      chosen.count <= samples && buffer.count == width * samples,
      "\(chosen.count) samples in a shard of \(samples), \(buffer.count) elements")
    let factor = 1 / scale
    var rowSpan = rows.mutableSpan
    unsafe values.withUnsafeBufferPointer { values in
      unsafe channels.columns.withUnsafeBufferPointer { columns in
        unsafe channels.shifts.withUnsafeBufferPointer { shifts in
          unsafe rowSpan.withUnsafeMutableBufferPointer { rows in
            guard let values = values.baseAddress, let rows = rows.baseAddress else { return }
            // `columns` name columns of the dataset, `chosen` its samples, and `rows` holds `samples` rows.
            for (column, sample) in chosen.enumerated() {
              let (source, row) = unsafe (values + sample * count, rows + column * width)
              if column + Self.rowsAhead < chosen.count {
                let next = chosen[chosen.startIndex + column + Self.rowsAhead]
                unsafe Elementwise.prefetch(values + next * count, count: count)
              }
              if channels.isContiguous {
                let source = unsafe source + Int(columns[0])
                for c in 0..<width { unsafe row[c] = Scalar((source[c] - shifts[c]) * factor) }
              } else {
                for c in 0..<width {
                  unsafe row[c] = Scalar((source[Int(columns[c])] - shifts[c]) * factor)
                }
              }
            }
            for i in chosen.count * width..<samples * width { unsafe rows[i] = 0 }
          }
        }
      }
    }
    var span = buffer.mutableSpan
    // Seen from here the channels of a sample are the contiguous ones.
    Elementwise.transpose(
      rows.span, channels: samples, samples: width, stride: samples, into: &span)
  }
}
