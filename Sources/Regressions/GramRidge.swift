import BlockKernels
import Datasets
import MessagePassing

/// Linear ridge regressions for all regularizations, by one eigendecomposition.
///
/// With centred inputs X (points × samples) and outputs Y, û = ū + W (x − x̄) minimizes
/// ‖Y − W X‖² + λ ‖W‖². With X Xᵀ = Q Λ Qᵀ it is W = Y Xᵀ Q (Λ + λ)⁻¹ Qᵀ; where there are fewer samples than
/// points, with Xᵀ X = Q Λ Qᵀ, it is W = Y Q (Λ + λ)⁻¹ (X Q)ᵀ.
struct GramRidge {
  private let inputMean: [Double]
  private let outputMean: [Double]
  /// Qᵀ and X Q: points × modes.
  private let basis: DenseFactor
  /// Y Xᵀ Q or Y Q: outputs × modes.
  private let targets: AlignedBuffer<Double>
  private let eigenvalues: [Double]
  /// Eigenvalues plus λ that are not larger are rounding errors: these modes are left out.
  private let cutoff: Double
  /// The mean of the diagonal of X Xᵀ, in which regularizations are given.
  private let unit: Double

  /// Decomposes the smaller one of the two Gram matrices.
  ///
  /// - Parameters:
  ///   - data: The dataset.
  ///   - samples: The samples that the regression is fitted to.
  /// - Throws: `RunError` (64) if there are too many points and samples, `LAPACKError`.
  /// - Complexity: O(n N (n or N) + min(n, N)³) for n samples with N points.
  init(_ data: Dataset, _ samples: Range<Int>) throws {
    let inputs = CentredField(data.inputs, width: data.inputWidth, samples)
    let outputs = CentredField(data.outputs, width: data.outputWidth, samples)
    let (points, count, width) = (inputs.mean.count, inputs.count, outputs.mean.count)
    let order = min(points, count)
    guard order < 1 << 15 else {
      throw RunError.usage(
        "`method` ridge: \(points) points and \(count) samples are too many; the smaller number must be "
          + "below \(1 << 15) (`samplesLimit` takes fewer samples)")
    }
    let gram = AlignedBuffer<Double>(repeating: 0, count: order * order)
    BLAS.multiplyByTranspose(inputs.factor(transposed: count < points), into: gram)
    var span = gram.mutableSpan
    eigenvalues = try LAPACK.diagonalize(&span, order: order)
    let modes = DenseFactor(gram, rows: order, columns: order)
    targets = AlignedBuffer(repeating: 0, count: width * order)
    if count < points {
      let basis = AlignedBuffer<Double>(repeating: 0, count: points * order)
      BLAS.multiply(inputs.factor(), modes, into: basis)
      self.basis = DenseFactor(basis, rows: points, columns: order)
      BLAS.multiply(outputs.factor(), modes, into: targets)
    } else {
      basis = modes
      let products = AlignedBuffer<Double>(repeating: 0, count: width * points)
      BLAS.multiply(outputs.factor(), inputs.factor(transposed: true), into: products)
      BLAS.multiply(DenseFactor(products, rows: width, columns: points), modes, into: targets)
    }
    (inputMean, outputMean) = (inputs.mean, outputs.mean)
    cutoff = Double(max(points, count)) * .ulpOfOne * (eigenvalues.last ?? 0)
    unit = eigenvalues.reduce(0, +) / Double(points)
  }

  /// Returns the regression with a regularization.
  ///
  /// - Parameter regularization: λ, in units of the mean of the diagonal of X Xᵀ.
  /// - Returns: The regression.
  func model(_ regularization: Double) -> RegressionModel {
    let (modes, width) = (eigenvalues.count, outputMean.count)
    let scaled = AlignedBuffer<Double>(repeating: 0, count: targets.count)
    for mode in 0..<modes {
      let denominator = eigenvalues[mode] + regularization * unit
      let factor = denominator > cutoff ? 1 / denominator : 0
      for index in mode * width..<(mode + 1) * width { scaled[index] = targets[index] * factor }
    }
    let coefficients = AlignedBuffer<Double>(repeating: 0, count: inputMean.count * width)
    BLAS.multiply(
      basis, DenseFactor(scaled, rows: width, columns: modes, isTransposed: true),
      into: coefficients)
    return RegressionModel(
      features: .inputs, inputMean: inputMean, outputMean: outputMean, coefficients: coefficients)
  }
}
