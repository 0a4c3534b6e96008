import BlockKernels

/// The loss (1/B) Σᵢ wᵢ ‖ŷᵢ − yᵢ‖² over the samples of a batch, with a weight for each sample.
///
/// With the squared relative residual wᵢ = s² / ‖uᵢ‖², s the scale of the outputs; with the mean squared
/// error wᵢ = 1/N. Columns of a shard without a sample have the weight zero.
struct Loss<Scalar: KernelScalar> {
  let kind: LossKind
  let batch: Int
  /// wᵢ for every sample of the dataset.
  let weights: [Double]

  init(_ kind: LossKind, batch: Int, data: Dataset, scale: Double) {
    self.kind = kind
    self.batch = batch
    let count = data.outputCount
    weights = (0..<data.sampleCount).map { sample in
      switch kind {
      case .mse: 1 / Double(count)
      case .relative:
        // Divided by the scale first, so that the squares of tiny fields do not vanish.
        1 / squaredNorm(data.outputs[sample * count..<(sample + 1) * count], scale: scale)
      }
    }
  }

  /// Computes the loss of a shard, without the factor 1/B, and the gradient with respect to ŷ.
  ///
  /// - Parameters:
  ///   - output: ŷ, `[channel][sample]`.
  ///   - truth: y.
  ///   - chosen: The samples of the columns.
  ///   - samples: The columns of the shard.
  ///   - gradient: The gradient of the batch's loss, replaced.
  /// - Returns: The shard's part of the sum, in double precision.
  func evaluate(
    output: AlignedBuffer<Scalar>, truth: AlignedBuffer<Scalar>, chosen: [Int], samples: Int,
    gradient: AlignedBuffer<Scalar>
  ) -> Double {
    var factors = [Scalar](repeating: 0, count: samples)
    for (column, sample) in chosen.enumerated() {
      factors[column] = Scalar(2 * weights[sample] / Double(batch))
    }
    var squares = [Double](repeating: 0, count: samples)
    var gradientSpan = gradient.mutableSpan
    Self.differences(
      output.span, truth.span, factors, samples: samples, &gradientSpan, &squares)
    var sum = 0.0
    for (column, sample) in chosen.enumerated() { sum += weights[sample] * squares[column] }
    return sum
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func differences(
    _ output: Span<Scalar>, _ truth: Span<Scalar>, _ factors: [Scalar], samples: Int,
    _ gradient: inout MutableSpan<Scalar>, _ squares: inout [Double]
  ) {
    precondition(
      output.count == truth.count && output.count == gradient.count, "outputs of different sizes")
    unsafe output.withUnsafeBufferPointer { y in
      unsafe truth.withUnsafeBufferPointer { t in
        unsafe gradient.withUnsafeMutableBufferPointer { g in
          unsafe squares.withUnsafeMutableBufferPointer { sums in
            unsafe factors.withUnsafeBufferPointer { f in
              // All three have the same size, a multiple of `samples`.
              for start in stride(from: 0, to: y.count, by: samples) {
                for column in 0..<samples {
                  let difference = unsafe y[start + column] - t[start + column]
                  unsafe g[start + column] = f[column] * difference
                  unsafe sums[column] += Double(difference) * Double(difference)
                }
              }
            }
          }
        }
      }
    }
  }
}

/// Returns ‖u / scale‖², summed in order.
func squaredNorm(_ values: ArraySlice<Double>, scale: Double = 1) -> Double {
  let factor = 1 / scale
  return values.reduce(0) { $0 + ($1 * factor) * ($1 * factor) }
}
