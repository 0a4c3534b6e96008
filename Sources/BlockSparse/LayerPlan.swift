public import BlockKernels

/// A layer prepared for shards of samples: a product with a block matrix, with bias, addend and functions,
/// y = f(W x + b + a) with h for each block.
///
/// Creating a plan allocates memory and compiles kernels; computing does neither. All arrays of samples are
/// `[box][channel][sample]`; parameters and their gradients are those that a rank holds, in which
/// the rank's weights and biases of the layer begin at given places. A class, since a plan is large and many are kept.
///
/// A transposed layer y = f(Wᵀ x + a) goes the other way through the product of the layer whose weights it uses: forward
/// by sources, with the packed weights, and back by rows. It has neither biases nor h.
public final class LayerPlan<Scalar: KernelScalar> {
  /// The layer.
  public let layer: BlockSparseLayer
  /// The samples of a shard, a multiple of 16.
  public let samples: Int
  /// The part of the layer that is computed, and where its data stand.
  public let placement: LayerPlacement
  /// Whether the layer is the transpose of the one whose weights it uses.
  public let isTransposed: Bool
  /// The layer with the shape of its weights: itself, or the one that is transposed.
  public var shape: BlockSparseLayer { product.shape }
  /// The products with its weights.
  let product: BlockProduct<Scalar>
  /// The boxes that are computed.
  let rows: [PlannedRow]
  /// Where the rows' values, gradients, addends and biases, and the sources' gradients end.
  let ends: (values: Int, gradients: Int, addends: Int, biases: Int, sources: Int)
  /// Whether the gradient of the biases is added to what stands in its place.
  let accumulatesBiases: Bool

  /// Creates a plan.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - parameterStart: Where the layer's parameters begin in the network's.
  ///   - needsInputGradient: Whether the gradient with respect to the input will be asked for.
  ///   - accumulatesInput: Whether that gradient is added to what stands in its buffer.
  ///   - provider: Which library multiplies.
  public convenience init(
    _ layer: BlockSparseLayer, samples: Int, parameterStart: Int, needsInputGradient: Bool = true,
    accumulatesInput: Bool = false, provider: ProductProvider = .automatic
  ) {
    self.init(
      layer, samples: samples,
      placement: LayerPlacement(whole: layer, parameterStart: parameterStart),
      needsInputGradient: needsInputGradient, accumulatesInput: accumulatesInput,
      provider: provider)
  }

  /// Creates a plan for the part of a layer that a rank computes.
  ///
  /// The products have the shapes that they have in the plan of the whole layer, so the bits are the same.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - shape: The layer whose weights it uses transposed; nil if its weights are its own.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - placement: The part, and where its data stand.
  ///   - needsInputGradient: Whether the gradient with respect to the input will be asked for.
  ///   - accumulatesInput: Whether that gradient is added to what stands in its buffer.
  ///   - accumulatesWeights: Whether the gradient of the weights is added to what another layer with the same weights
  ///     left.
  ///   - accumulatesBiases: Whether that of the biases is.
  ///   - provider: Which library multiplies.
  /// - Precondition: A transposed layer joins the boxes of `shape`, and neither it nor `shape` has a function of each
  ///   block.
  public init(
    _ layer: BlockSparseLayer, transposing shape: BlockSparseLayer? = nil, samples: Int,
    placement: LayerPlacement, needsInputGradient: Bool = true, accumulatesInput: Bool = false,
    accumulatesWeights: Bool = false, accumulatesBiases: Bool = false,
    provider: ProductProvider = .automatic
  ) {
    precondition(samples > 0 && samples % 16 == 0, "\(samples) samples in a shard")
    if let shape {
      precondition(
        layer.source == shape.target && layer.target == shape.source && !layer.hasBias,
        "\(layer.name) is not the transpose of \(shape.name)")
      precondition(
        layer.blockActivation == .identity && shape.blockActivation == .identity,
        "\(layer.name): a transposed layer with a function of each block")
    }
    self.layer = layer
    self.samples = samples
    self.placement = placement
    self.accumulatesBiases = accumulatesBiases
    let isTransposed = shape != nil
    self.isTransposed = isTransposed
    let product = BlockProduct<Scalar>(
      shape ?? layer, samples: samples, placement: placement,
      buffers: ProductBuffers(placement, isTransposed: isTransposed),
      rows: (!isTransposed || needsInputGradient, isTransposed && accumulatesInput),
      columns: (isTransposed || needsInputGradient, !isTransposed && accumulatesInput),
      hasBias: layer.hasBias, accumulatesWeights: accumulatesWeights, provider: provider)
    self.product = product
    let (targets, sources) =
      isTransposed ? (placement.sources, placement.rows) : (placement.rows, placement.sources)
    let rows = targets.map { row in
      PlannedRow(
        values: placement.targetValues.start(of: row) * samples,
        gradients: placement.targetGradients.start(of: row) * samples,
        addend: placement.addendValues.start(of: row) * samples,
        bias: layer.hasBias
          ? product.biasStart + layer.biasStarts[Int(layer.pattern.groups[row])] : 0,
        channels: layer.target.channels(of: row))
    }
    self.rows = rows
    func end(_ start: KeyPath<PlannedRow, Int>, times samples: Int) -> Int {
      rows.reduce(0) { max($0, $1[keyPath: start] + $1.channels * samples) }
    }
    ends = (
      end(\.values, times: samples), end(\.gradients, times: samples),
      end(\.addend, times: samples), layer.hasBias ? end(\.bias, times: 1) : 0,
      sources.reduce(0) { end, source in
        let start = placement.sourceGradients.start(of: source)
        return max(end, (start + layer.source.channels(of: source)) * samples)
      }
    )
  }

  /// The products that give y.
  var forward: ProductPass { isTransposed ? product.columns : product.rows }

  /// The products that give the gradient with respect to x.
  var inputs: ProductPass { isTransposed ? product.rows : product.columns }

  /// The first of the boxes of x whose gradients are computed.
  var firstSource: Int {
    isTransposed ? placement.rows.lowerBound : placement.sources.lowerBound
  }

  /// Refreshes the packed copy of the weights; to be called after each change of the parameters.
  ///
  /// - Parameters:
  ///   - parameters: The parameters that the rank holds.
  ///   - packed: The packed weights of this layer.
  public func packWeights(_ parameters: Span<Scalar>, into packed: inout MutableSpan<Scalar>) {
    product.packWeights(parameters, into: &packed)
  }

  /// Refreshes the part of the packed copy that consists of other ranks' weights.
  ///
  /// - Parameters:
  ///   - remote: ``remoteWeightCount`` weights.
  ///   - packed: The packed weights of this layer.
  public func packRemoteWeights(_ remote: Span<Scalar>, into packed: inout MutableSpan<Scalar>) {
    product.packRemoteWeights(remote, into: &packed)
  }

  /// The scratch that a layer with a function of each block needs between forward and backward pass.
  public var entryScratchCount: Int { product.entryScratchCount }

  /// The number of weights of other ranks that the packed copy needs: blocks by source and by target, each
  /// column-major with its inputs as rows; or all weights of the layer, if the rank receives these.
  public var remoteWeightCount: Int { product.packing.remoteCount }

  /// The size of the packed copy of the weights.
  public var packedWeightCount: Int { product.packing.count }

  /// The scratch that the gradient of the parameters needs: none if rows have weights to themselves.
  public var gradientScratchCount: Int {
    product.rowSums.map { $0.counts[placement.rank] + $0.stackCount } ?? 0
  }

  /// For each rank that computes a part of the layer: the sums that it contributes to the gradient of shared
  /// weights; empty if the rank's own gradient is complete.
  public var sumCounts: [Int] {
    placement.rankRows.count == 1 ? [] : product.rowSums?.counts ?? []
  }

  /// The floating-point operations of the forward products of one shard.
  public private(set) lazy var forwardFlops = product.flops(of: forward.list)

  /// The floating-point operations of the products of the parameters' gradient of one shard.
  public private(set) lazy var parameterFlops = product.flops(of: product.weights)

  /// The floating-point operations of the products of the input's gradient of one shard.
  public private(set) lazy var inputFlops = product.remoteBlocks.reduce(
    product.flops(of: inputs.list)
  ) { $0 + product.kernels[Int($1.product.kernel)].shape.flops }

  /// The floating-point operations of the products of both gradients of one shard.
  public var backwardFlops: Int { parameterFlops + inputFlops }

  /// Whether the gradient can go through f together with the gradient of the parameters: there is f, no function of
  /// each block, and the products run over the boxes that f was applied to.
  public var canFuseActivation: Bool {
    layer.activation != .identity && layer.blockActivation == .identity && !isTransposed
  }

  /// The scratch for transposed parts of the source.
  public var transposedCount: Int { product.transposedStride * samples }
}
