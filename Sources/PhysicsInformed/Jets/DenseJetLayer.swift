import BlockKernels

/// A dense layer z = W a + b.
///
/// Weights lie as those of a block-sparse layer of one box: inputs × outputs, column-major, then the biases.
public struct DenseJetLayer: JetLayer {
  /// The channels that it reads.
  public let inputs: Int
  /// The channels that it writes.
  public let outputs: Int

  /// Creates a layer.
  ///
  /// - Parameters:
  ///   - inputs: The channels that it reads.
  ///   - outputs: The channels that it writes.
  public init(inputs: Int, outputs: Int) {
    precondition(inputs > 0 && outputs > 0, "\(inputs) → \(outputs) channels")
    (self.inputs, self.outputs) = (inputs, outputs)
  }

  /// The number of parameters.
  public var parameterCount: Int { inputs * outputs + outputs }

  /// Returns weights of the normal distribution with variance 2 / (inputs + outputs) (Glorot), and biases of zero.
  public func initialParameters(seed: Int64, index: Int) -> [Double] {
    var random = RandomStream(seed: seed, purpose: RandomPurpose.weights, index: UInt64(index))
    let scale = (2 / Double(inputs + outputs)).squareRoot()
    return (0..<inputs * outputs).map { _ in scale * random.normal() }
      + [Double](repeating: 0, count: outputs)
  }

  /// Makes what computes with shards of a shape.
  ///
  /// - Parameter shape: The columns.
  /// - Returns: Memory and products.
  public func plan(_ shape: JetShape) -> any JetLayerPlan { DenseJetLayerPlan(self, shape) }
}

/// The products of a dense layer with shards of one shape.
final class DenseJetLayerPlan: JetLayerPlan {
  private typealias Vectors = AlignedBuffer<Double>

  private let layer: DenseJetLayer
  private let shape: JetShape
  private let forwardProduct: MatrixProduct<Double>
  private let adjointProduct: MatrixProduct<Double>
  private let gramProduct: MatrixProduct<Double>
  private let weights: Vectors
  private let transposed: Vectors
  private let bias: Vectors
  /// The gradient of one shard.
  private let product: Vectors
  private var grams: [Vectors] = []

  init(_ layer: DenseJetLayer, _ shape: JetShape) {
    (self.layer, self.shape) = (layer, shape)
    let (m, n) = (layer.inputs, layer.outputs)
    forwardProduct = MatrixProduct(ProductShape(m: shape.width, n: n, k: m, accumulates: false))
    adjointProduct = MatrixProduct(ProductShape(m: shape.width, n: m, k: n, accumulates: false))
    gramProduct = MatrixProduct(
      ProductShape(
        m: shape.samples, n: shape.samples, k: 1, lda: shape.width, accumulates: true))
    weights = Vectors(repeating: 0, count: m * n)
    transposed = Vectors(repeating: 0, count: m * n)
    bias = Vectors(repeating: 0, count: n)
    product = Vectors(repeating: 0, count: m * n)
  }

  func load(_ parameters: AlignedBuffer<Double>, at start: Int) {
    let (m, n) = (layer.inputs, layer.outputs)
    weights.copy(from: parameters, at: start, to: 0..<m * n)
    bias.copy(from: parameters, at: start + m * n, to: 0..<n)
    for i in 0..<m {
      for o in 0..<n { transposed[i * n + o] = weights[o * m + i] }
    }
  }

  func forward(_ input: AlignedBuffer<Double>, into output: AlignedBuffer<Double>) {
    let weights = weights
    var z = output.mutableSpan
    forwardProduct(input.span, at: 0, weights.span, at: 0, into: &z, at: 0)
    for o in 0..<layer.outputs {
      let (shift, start) = (bias[o], o * shape.width)
      for place in start..<start + shape.samples { z[place] += shift }
    }
  }

  func adjoint(
    _ outputAdjoint: AlignedBuffer<Double>, into inputAdjoint: AlignedBuffer<Double>
  ) {
    let transposed = transposed
    var a = inputAdjoint.mutableSpan
    adjointProduct(outputAdjoint.span, at: 0, transposed.span, at: 0, into: &a, at: 0)
  }

  func addGradient(
    _ input: AlignedBuffer<Double>, _ outputAdjoint: AlignedBuffer<Double>,
    to gradient: AlignedBuffer<Double>, at start: Int
  ) {
    let (m, n, width) = (layer.inputs, layer.outputs, shape.width)
    let product = self.product
    BLAS.multiply(
      DenseFactor(input, rows: width, columns: m, isTransposed: true),
      DenseFactor(outputAdjoint, rows: width, columns: n), into: product)
    let own = product.span
    var sums = gradient.mutableSpan
    Elementwise.add(own, at: 0, to: &sums, in: start..<start + m * n)
    let adjoint = outputAdjoint.span
    for o in 0..<n {
      var sum = 0.0
      for sample in 0..<shape.samples { sum += adjoint[o * width + sample] }
      sums[start + m * n + o] += sum
    }
  }

  func writeJacobian(
    _ input: AlignedBuffer<Double>, _ outputAdjoint: AlignedBuffer<Double>,
    into jacobian: AlignedBuffer<Double>, at start: Int, rows: Int, from row: Int
  ) {
    let (m, n, width, samples) = (layer.inputs, layer.outputs, shape.width, shape.samples)
    let columns = shape.columns
    precondition(
      input.count >= m * width && outputAdjoint.count >= n * width && row + samples <= rows
        && jacobian.count >= (start + layer.parameterCount) * rows)
    let (values, adjoints) = (input.span, outputAdjoint.span)
    var result = jacobian.mutableSpan
    unsafe values.withUnsafeBufferPointer { values in
      unsafe adjoints.withUnsafeBufferPointer { adjoints in
        unsafe result.withUnsafeMutableBufferPointer { result in
          guard let values = values.baseAddress, let adjoints = adjoints.baseAddress,
            let result = result.baseAddress
          else { return }
          // The extents were checked above, samples are a multiple of 16.
          for o in 0..<n {
            for s in stride(from: 0, to: samples, by: 16) {
              let z = unsafe adjoints + o * width + s
              var target = unsafe result + (start + o * m) * rows + row + s
              var a = unsafe values + s
              for _ in 0..<m {
                var sum = unsafe SIMD16(at: z) * SIMD16(at: a)
                for c in 1..<max(columns, 1) {
                  sum += unsafe SIMD16(at: z + c * samples) * SIMD16(at: a + c * samples)
                }
                unsafe sum.store(at: target)
                unsafe target += rows
                unsafe a += width
              }
              let bias = unsafe result + (start + m * n + o) * rows + row + s
              unsafe SIMD16(at: z).store(at: bias)
            }
          }
        }
      }
    }
  }

  func addGram(_ first: JetFactors, _ second: JetFactors, to gram: AlignedBuffer<Double>) {
    let size = shape.samples * shape.samples
    precondition(gram.count >= size, "a Gram matrix of \(gram.count) elements")
    if grams.isEmpty { grams = (0..<2).map { _ in Vectors(repeating: 0, count: size) } }
    let (adjoints, inputs) = (grams[0], grams[1])
    for c in 0..<shape.columns {
      for e in 0..<shape.columns {
        multiply(first.outputAdjoint, c, second.outputAdjoint, e, layer.outputs, into: adjoints)
        multiply(first.input, c, second.input, e, layer.inputs, into: inputs)
        let extra = c == 0 && e == 0 ? 1.0 : 0
        let (x, y) = (adjoints.span, inputs.span)
        var sum = gram.mutableSpan
        for place in 0..<size { sum[place] += x[place] * (y[place] + extra) }
      }
    }
  }

  /// Computes Σ over channels of x y, for all samples of column c of x and column e of y.
  private func multiply(
    _ x: Vectors, _ c: Int, _ y: Vectors, _ e: Int, _ channels: Int, into result: Vectors
  ) {
    let (width, samples) = (shape.width, shape.samples)
    result.fill(0)
    let (left, right) = (x.span, y.span)
    var sums = result.mutableSpan
    for channel in 0..<channels {
      gramProduct(
        left, at: channel * width + c * samples, right, at: channel * width + e * samples,
        into: &sums, at: 0)
    }
  }
}
