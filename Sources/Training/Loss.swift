import BlockKernels
import MessagePassing

/// The loss (1/B) Σᵢ wᵢ ‖ŷᵢ − yᵢ‖² over the samples of a batch, with a weight for each sample.
///
/// With the squared relative residual wᵢ = s² / ‖uᵢ‖², s the scale of the outputs; with the mean squared
/// error wᵢ = 1/N. Columns of a shard without a sample have the weight zero.
struct Loss<Scalar: KernelScalar> {
  let batch: Int
  /// wᵢ for every sample of the dataset.
  let weights: [Double]

  /// Creates a loss.
  ///
  /// - Parameters:
  ///   - kind: What is minimized.
  ///   - batch: The number of samples of a batch.
  ///   - norms: ‖uᵢ / s‖² for every sample of the dataset.
  ///   - points: N, the number of points of an output.
  init(_ kind: LossKind, batch: Int, norms: [Double], points: Int) {
    self.batch = batch
    weights = norms.map { kind == .mse ? 1 / Double(points) : 1 / $0 }
  }

  /// Computes the differences of a shard and the gradient of the batch's loss with respect to ŷ.
  ///
  /// - Parameters:
  ///   - output: ŷ, `[channel][sample]`.
  ///   - outputStart: Where the channels that this rank computes begin.
  ///   - truth: y, for the channels that this rank computes.
  ///   - chosen: The samples of the columns.
  ///   - samples: The columns of the shard.
  ///   - gradient: The gradient of the batch's loss, replaced.
  ///   - gradientStart: Where these channels begin in it.
  ///   - sums: Sums over the boxes of the output.
  /// - Returns: ‖ŷᵢ − yᵢ‖² over the boxes of each node of this rank, `[node][column]`.
  func evaluate(
    output: AlignedBuffer<Scalar>, at outputStart: Int, truth: AlignedBuffer<Scalar>,
    chosen: [Int], samples: Int, gradient: AlignedBuffer<Scalar>, at gradientStart: Int,
    sums: BoxSums
  ) -> [Double] {
    var factors = [Scalar](repeating: 0, count: samples)
    for (column, sample) in chosen.enumerated() {
      factors[column] = Scalar(2 * weights[sample] / Double(batch))
    }
    return sums.sum(width: samples) { channels, squares, place in
      var span = gradient.mutableSpan
      Self.differences(
        output.span, outputStart, truth.span, channels, factors, samples: samples, &span,
        gradientStart, &squares, place)
    }
  }

  /// Returns the part of a shard in the loss, without the factor 1/B.
  ///
  /// - Parameters:
  ///   - squares: ‖ŷᵢ − yᵢ‖² of each column.
  ///   - chosen: The samples of the columns.
  /// - Returns: The weighted sum.
  func value(_ squares: ArraySlice<Double>, chosen: [Int]) -> Double {
    zip(chosen, squares).reduce(0) { $0 + weights[$1.0] * $1.1 }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func differences(
    _ output: Span<Scalar>, _ outputStart: Int, _ truth: Span<Scalar>, _ channels: Range<Int>,
    _ factors: [Scalar], samples: Int, _ gradient: inout MutableSpan<Scalar>,
    _ gradientStart: Int, _ squares: inout [Double], _ place: Int
  ) {
    let end = channels.upperBound * samples
    precondition(
      outputStart + end <= output.count && end <= truth.count
        && gradientStart + end <= gradient.count && place + samples <= squares.count,
      "channels \(channels) of outputs that are smaller")
    unsafe output.withUnsafeBufferPointer { y in
      unsafe truth.withUnsafeBufferPointer { t in
        unsafe gradient.withUnsafeMutableBufferPointer { g in
          unsafe squares.withUnsafeMutableBufferPointer { sums in
            unsafe factors.withUnsafeBufferPointer { f in
              // The channels lie inside of all three buffers, as checked above.
              for start in stride(from: channels.lowerBound * samples, to: end, by: samples) {
                for column in 0..<samples {
                  let index = start + column
                  let difference = unsafe y[outputStart + index] - t[index]
                  unsafe g[gradientStart + index] = f[column] * difference
                  unsafe sums[place + column] += Double(difference) * Double(difference)
                }
              }
            }
          }
        }
      }
    }
  }
}

/// Computes ‖u / scale‖² of every sample of a dataset, of which this rank may hold a part of the points.
///
/// Collective.
///
/// - Parameters:
///   - source: The samples.
///   - columns: The column of each channel that this rank computes.
///   - scale: What fields are divided by first, so that the squares of tiny ones do not vanish.
///   - sums: Sums over the boxes of the output.
///   - tree: The tree ranks.
/// - Returns: The squares for every sample.
/// - Throws: `MPIError` if the gathering fails, an `ExitStatusError` if samples cannot be read.
func squaredNorms(
  _ source: SampleSource, _ columns: [Int32], scale: Double, _ sums: BoxSums,
  on tree: borrowing Communicator
) throws -> [Double] {
  let factor = 1 / scale
  var nodes = [[Double]](repeating: [], count: sums.nodeCount)
  try source.visit(0..<source.file.sampleCount) { data, rows in
    let width = data.outputWidth
    let own = sums.sum(width: rows.count) { channels, squares, place in
      for (index, row) in rows.enumerated() {
        for channel in channels {
          let value = data.outputs[row * width + Int(columns[channel])] * factor
          squares[place + index] += value * value
        }
      }
    }
    for node in nodes.indices { nodes[node] += own[node * rows.count..<(node + 1) * rows.count] }
  }
  return try sums.finish(Array(nodes.joined()), width: source.file.sampleCount, on: tree)
}
