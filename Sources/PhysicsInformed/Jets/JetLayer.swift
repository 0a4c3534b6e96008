public import BlockKernels

/// A linear layer of a network through which jets go: sizes and parameters, without memory.
///
/// A low-rank pair, or a hierarchical matrix, takes the place of a dense layer by describing itself so.
public protocol JetLayer: Sendable {
  /// The channels that it reads.
  var inputs: Int { get }
  /// The channels that it writes.
  var outputs: Int { get }
  /// The number of its parameters.
  var parameterCount: Int { get }

  /// Returns initial parameters.
  ///
  /// - Parameters:
  ///   - seed: The seed.
  ///   - index: The place of the layer in its network.
  /// - Returns: The parameters, a function of the arguments.
  func initialParameters(seed: Int64, index: Int) -> [Double]

  /// Makes what computes with shards of a shape.
  ///
  /// - Parameter shape: The columns.
  /// - Returns: Memory and products.
  func plan(_ shape: JetShape) -> any JetLayerPlan
}

/// What computes one layer on shards of one shape.
///
/// Values are `[channel][column][sample]`. All products have shapes, and all sums orders, that follow from layer and shard.
public protocol JetLayerPlan: AnyObject {
  /// Takes new parameters.
  ///
  /// - Parameters:
  ///   - parameters: Those of the network.
  ///   - start: Where those of this layer begin.
  func load(_ parameters: AlignedBuffer<Double>, at start: Int)

  /// Computes z = W a + b, with the bias on the first column of each channel only.
  ///
  /// - Parameters:
  ///   - input: a.
  ///   - output: z, replaced.
  func forward(_ input: AlignedBuffer<Double>, into output: AlignedBuffer<Double>)

  /// Computes ā = Wᵀ z̄.
  ///
  /// - Parameters:
  ///   - outputAdjoint: z̄.
  ///   - inputAdjoint: ā, replaced.
  func adjoint(_ outputAdjoint: AlignedBuffer<Double>, into inputAdjoint: AlignedBuffer<Double>)

  /// Adds Σ z̄ aᵀ over all columns to the gradient.
  ///
  /// - Parameters:
  ///   - input: a.
  ///   - outputAdjoint: z̄.
  ///   - gradient: That of the network's parameters.
  ///   - start: Where that of this layer begins.
  func addGradient(
    _ input: AlignedBuffer<Double>, _ outputAdjoint: AlignedBuffer<Double>,
    to gradient: AlignedBuffer<Double>, at start: Int)

  /// Writes the gradient of each sample by itself: rows of a Jacobian.
  ///
  /// - Parameters:
  ///   - input: a.
  ///   - outputAdjoint: z̄.
  ///   - jacobian: `[parameter][row]`, of all parameters of the network.
  ///   - start: Where the parameters of this layer begin.
  ///   - rows: The rows of the Jacobian.
  ///   - row: The row of the first sample.
  func writeJacobian(
    _ input: AlignedBuffer<Double>, _ outputAdjoint: AlignedBuffer<Double>,
    into jacobian: AlignedBuffer<Double>, at start: Int, rows: Int, from row: Int)

  /// Adds ⟨Jₘ, Jₙ⟩ of this layer's parameters, for all samples m and n of two shards, without the Jacobian.
  ///
  /// - Parameters:
  ///   - first: a and z̄ of the shard of m.
  ///   - second: a and z̄ of the shard of n.
  ///   - gram: `[n][m]`, increased.
  func addGram(_ first: JetFactors, _ second: JetFactors, to gram: AlignedBuffer<Double>)
}

/// What a layer read, and the adjoint of what it wrote: the factors of its parameters' gradients.
public struct JetFactors {
  /// a, `[channel][column][sample]`.
  public let input: AlignedBuffer<Double>
  /// z̄, `[channel][column][sample]`.
  public let outputAdjoint: AlignedBuffer<Double>

  /// Creates factors.
  ///
  /// - Parameters:
  ///   - input: a.
  ///   - outputAdjoint: z̄.
  public init(input: AlignedBuffer<Double>, outputAdjoint: AlignedBuffer<Double>) {
    (self.input, self.outputAdjoint) = (input, outputAdjoint)
  }
}
