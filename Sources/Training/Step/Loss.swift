import BlockKernels
import Datasets
import NetworkExecution

/// The loss (1/B) Σᵢ wᵢ ‖ŷᵢ − yᵢ‖² over the samples of a batch, with a weight for each sample.
///
/// With the squared relative residual wᵢ = s² / ‖uᵢ‖², s the scale of the outputs; with the mean squared
/// error wᵢ = 1/N. Columns of a shard without a sample have the weight zero.
///
/// Gradients are those of the loss divided by ``unit``, so that both losses have gradients of one size. The relative
/// weights of outputs that vary by 1e-6 of their size are 1e-12 of those of the mean squared error, and the
/// gradients would vanish beside the ε of the optimizer.
struct Loss<Scalar: KernelScalar> {
  /// B.
  var batch: Int
  /// wᵢ for every sample of the dataset.
  let weights: [Double]
  /// The power of two next to N times the mean weight of the training samples; one with the mean squared error.
  ///
  /// A power of two changes no digit of gradients, moments and updates; it only decides what ε is compared with.
  let unit: Double
  private let sums: BoxSums
  private let samples: Int
  private let factors: AlignedBuffer<Scalar>
  private let boxSquares: AlignedBuffer<Scalar>
  private let scratch: AlignedBuffer<Double>

  /// Creates a loss.
  ///
  /// - Parameters:
  ///   - kind: What is minimized.
  ///   - batch: The number of samples of a batch.
  ///   - norms: ‖uᵢ / s‖² for every sample of the dataset.
  ///   - training: The training samples.
  ///   - points: N, the number of points of an output.
  ///   - sums: Sums over the boxes of the output.
  ///   - samples: The columns of a shard, a multiple of 16.
  init(
    _ kind: LossKind, batch: Int, norms: [Double], training: Range<Int>, points: Int, sums: BoxSums,
    samples: Int
  ) {
    self.batch = batch
    let weights = norms.map { kind == .mse ? 1 / Double(points) : 1 / $0 }
    self.weights = weights
    unit = kind == .mse ? 1 : Self.unit(weights[training], points: points)
    self.sums = sums
    self.samples = samples
    factors = AlignedBuffer(repeating: 0, count: samples)
    boxSquares = AlignedBuffer(repeating: 0, count: samples)
    scratch = AlignedBuffer(repeating: 0, count: sums.scratchCount(width: samples))
  }

  /// Returns the power of two next to N times the mean of weights, which are summed in the order of the samples.
  private static func unit(_ weights: ArraySlice<Double>, points: Int) -> Double {
    let mean = weights.reduce(0, +) / Double(weights.count) * Double(points)
    guard mean.isNormal, mean > 0 else { return 1 }
    let exponent = Int(mean.exponent) + (mean.significand > 2.0.squareRoot() ? 1 : 0)
    return Double(sign: .plus, exponent: exponent, significand: 1)
  }

  /// The numbers that ``evaluate(output:at:truth:chosen:gradient:at:into:shard:)`` leaves for a shard.
  var squareCount: Int { sums.nodeCount * samples }

  /// Computes the differences of a shard and the gradient of the batch's loss, divided by ``unit``, with respect to ŷ.
  ///
  /// - Parameters:
  ///   - output: ŷ, `[channel][sample]`.
  ///   - outputStart: Where the channels that this rank computes begin.
  ///   - truth: y, for the channels that this rank computes.
  ///   - chosen: The samples of the columns.
  ///   - gradient: The gradient, replaced.
  ///   - gradientStart: Where these channels begin in it.
  ///   - squares: For each shard ‖ŷᵢ − yᵢ‖² over the boxes of each node of this rank, `[node][column]`.
  ///   - shard: The shard.
  /// - Complexity: no allocation.
  func evaluate(
    output: AlignedBuffer<Scalar>, at outputStart: Int, truth: AlignedBuffer<Scalar>,
    chosen: ArraySlice<Int>, gradient: AlignedBuffer<Scalar>, at gradientStart: Int,
    into squares: AlignedBuffer<Double>, shard: Int
  ) {
    for column in 0..<samples {
      factors[column] =
        column < chosen.count
        ? Scalar(2 * weights[chosen[chosen.startIndex + column]] / Double(batch) / unit) : 0
    }
    sums.sum(width: samples, scratch: scratch, into: squares, at: shard * squareCount) {
      channels, sums, place in
      differences(
        of: output, at: outputStart, from: truth, channels: channels, gradient: gradient,
        at: gradientStart, into: sums, at: place)
    }
  }

  /// Returns the part of a shard in the loss, without the factor 1/B.
  ///
  /// - Parameters:
  ///   - squares: ‖ŷᵢ − yᵢ‖² of each column.
  ///   - chosen: The samples of the columns.
  /// - Returns: The weighted sum.
  func value(_ squares: ArraySlice<Double>, chosen: ArraySlice<Int>) -> Double {
    zip(chosen, squares).reduce(0) { $0 + weights[$1.0] * $1.1 }
  }

  /// Computes the differences in the channels of one box.
  ///
  /// Their squares are added up in the precision of the network first.
  ///
  /// - Parameters:
  ///   - output: ŷ, `[channel][sample]`.
  ///   - outputStart: Where the channels that this rank computes begin.
  ///   - truth: y, for the channels that this rank computes.
  ///   - channels: The channels of the box, among those that this rank computes.
  ///   - gradient: The gradient, replaced in these channels.
  ///   - gradientStart: Where the channels that this rank computes begin in it.
  ///   - sums: The sums of squares, one for each column.
  ///   - place: Where the sums of the box begin.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func differences(
    of output: AlignedBuffer<Scalar>, at outputStart: Int, from truth: AlignedBuffer<Scalar>,
    channels: Range<Int>, gradient: AlignedBuffer<Scalar>, at gradientStart: Int,
    into sums: AlignedBuffer<Double>, at place: Int
  ) {
    let (start, samples) = (channels.lowerBound * samples, samples)
    let count = channels.count * samples
    precondition(
      outputStart + start + count <= output.count && start + count <= truth.count
        && gradientStart + start + count <= gradient.count && place + samples <= sums.count,
      "channels \(channels) of outputs that are smaller")
    let (ySpan, tSpan, factors, boxSquares) = (output.span, truth.span, factors, boxSquares)
    let factorSpan = factors.span
    var gSpan = gradient.mutableSpan
    var partSpan = boxSquares.mutableSpan
    var sumSpan = sums.mutableSpan
    unsafe ySpan.withUnsafeBufferPointer { y in
      unsafe tSpan.withUnsafeBufferPointer { t in
        unsafe factorSpan.withUnsafeBufferPointer { f in
          unsafe gSpan.withUnsafeMutableBufferPointer { g in
            unsafe partSpan.withUnsafeMutableBufferPointer { part in
              unsafe sumSpan.withUnsafeMutableBufferPointer { sums in
                guard let y = y.baseAddress, let t = t.baseAddress, let f = f.baseAddress,
                  let g = g.baseAddress, let part = part.baseAddress, let sums = sums.baseAddress
                else { return }
                // The channels lie inside of all buffers, as checked above.
                for i in 0..<samples { unsafe part[i] = 0 }
                for channel in 0..<channels.count {
                  let first = start &+ channel &* samples
                  let (y, t) = unsafe (y + outputStart + first, t + first)
                  let g = unsafe g + gradientStart + first
                  for i in 0..<samples {
                    let difference = unsafe y[i] - t[i]
                    unsafe g[i] = f[i] * difference
                    unsafe part[i] += difference * difference
                  }
                }
                for i in 0..<samples { unsafe sums[place &+ i] += Double(part[i]) }
              }
            }
          }
        }
      }
    }
  }
}
