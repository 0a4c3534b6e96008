import BlockKernels
import Datasets

/// Kernel ridge regression, û = ū + Σᵢ aᵢ k(xᵢ, x) with (K + λ) A = Y for centred outputs Y.
struct KernelRidge {
  private let inputs: CentredField
  private let squares: [Double]
  private let outputMean: [Double]
  private let data: Dataset
  private let samples: Range<Int>

  /// Takes the samples that the regression is fitted to.
  ///
  /// - Parameters:
  ///   - data: The dataset.
  ///   - samples: The samples, in the order of the file.
  init(_ data: Dataset, _ samples: Range<Int>) {
    inputs = CentredField(data.inputs, width: data.inputWidth, samples)
    squares = RegressionKernel.squares(inputs)
    outputMean = CentredField.mean(data.outputs, width: data.outputWidth, samples)
    (self.data, self.samples) = (data, samples)
  }

  /// Returns the regression with coefficients that are not computed yet.
  func model(_ kernel: RegressionKernel) -> RegressionModel {
    RegressionModel(
      features: .kernel(kernel, inputs, squares), inputMean: inputs.mean, outputMean: outputMean,
      coefficients: AlignedBuffer(repeating: 0, count: inputs.count * outputMean.count))
  }

  /// Computes the coefficients by Cholesky's factorization.
  ///
  /// - Parameters:
  ///   - model: What ``model(_:)`` returned; it is filled in.
  ///   - regularization: λ.
  /// - Throws: `LAPACKError` if K + λ is not positive definite in double precision.
  /// - Complexity: n³/3 + n² (N + 2M) flops and 8 n² bytes for n samples with N and M points.
  func fit(_ model: RegressionModel, _ regularization: Double) throws(LAPACKError) {
    guard case .kernel(let kernel, _, _) = model.features else { return }
    let (count, width) = (samples.count, outputMean.count)
    let matrix = kernel.matrix(inputs, squares: squares)
    for index in 0..<count { matrix[index * (count + 1)] += regularization }
    var span = matrix.mutableSpan
    try LAPACK.factorize(&span, order: count)
    let outputs = CentredField(data.outputs, width: width, samples, mean: outputMean).transposed()
    let coefficients = model.coefficients
    coefficients.copy(from: outputs, at: 0, to: 0..<count * width)
    var solution = coefficients.mutableSpan
    try LAPACK.solve(factor: matrix.span, order: count, rightHandSides: &solution, count: width)
  }
}
