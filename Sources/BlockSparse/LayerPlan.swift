public import BlockKernels

/// One product of a plan: which kernel, and where its matrices begin.
@usableFromInline struct PlannedProduct: Sendable {
  @usableFromInline let kernel: Int32
  @usableFromInline let a: Int
  @usableFromInline let b: Int
  @usableFromInline let c: Int
}

/// A layer made ready to be computed for a shard of samples.
///
/// Making a plan allocates and compiles; computing with it does neither. All arrays of samples are
/// `[box][channel][sample]`; parameters and their gradients are those of the whole network, in which
/// the layer's weights and biases begin at given places.
public struct LayerPlan<Scalar: KernelScalar>: Sendable {
  /// The layer.
  public let layer: BlockSparseLayer
  /// The samples of a shard, a multiple of 16.
  public let samples: Int
  /// The part of the layer that is computed, and where its data stand.
  public let placement: LayerPlacement
  /// What is added to a place among the layer's biases to find it among the parameters.
  let biasStart: Int
  /// What is added to a place among the layer's weights to find it among the parameters.
  let weightStart: Int
  /// For each computed row: where its values, their gradients, and the values of an addend begin.
  let rowValues: [Int]
  let rowGradients: [Int]
  let rowAddends: [Int]

  var kernels: [MatrixProduct<Scalar>] = []
  var kernelIndices: [ProductShape: Int32] = [:]
  let provider: ProductProvider

  /// Products of the forward pass and of the weight gradient by row, of the input gradient by source.
  var forward = ProductList()
  var weights = ProductList()
  var inputs = ProductList()
  /// Whether the input gradient is added to what earlier layers left.
  let accumulatesInput: Bool
  /// The packed copy of the weights, stacked by source, for the input gradient.
  let packing: WeightPacking
  /// For layers with a function of each block: where an entry's values begin, from the first row's on.
  let entryStarts: [Int]

  /// Creates a plan.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - parameterStart: Where the layer's parameters begin in the network's.
  ///   - needsInputGradient: Whether the gradient with respect to the input will be asked for.
  ///   - accumulatesInput: Whether that gradient is added to what stands in its buffer.
  ///   - provider: Which library multiplies.
  public init(
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
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - placement: The part, and where its data stand.
  ///   - needsInputGradient: Whether the gradient with respect to the input will be asked for.
  ///   - accumulatesInput: Whether that gradient is added to what stands in its buffer.
  ///   - provider: Which library multiplies.
  /// - Precondition: A layer with a function of each block is computed whole.
  public init(
    _ layer: BlockSparseLayer, samples: Int, placement: LayerPlacement,
    needsInputGradient: Bool = true, accumulatesInput: Bool = false,
    provider: ProductProvider = .automatic
  ) {
    precondition(samples > 0 && samples % 16 == 0, "\(samples) samples in a shard")
    self.layer = layer
    self.samples = samples
    self.provider = provider
    self.accumulatesInput = accumulatesInput
    self.placement = placement
    let (rows, start) = (placement.rows, placement.parameterStart)
    let (weights, biases) = (layer.weights(of: rows), layer.biases(of: rows))
    weightStart = start - weights.lowerBound
    biasStart = start + weights.count - biases.lowerBound
    rowValues = rows.map { placement.targetValues.start(of: $0) * samples }
    rowAddends = rows.map { placement.addendValues.start(of: $0) * samples }
    rowGradients = rows.map { placement.targetGradients.start(of: $0) * samples }
    var starts: [Int] = []
    if layer.blockActivation != .identity {
      precondition(
        rows.count == layer.target.boxCount && placement.sources.count == layer.source.boxCount,
        "\(layer.name): a function of each block needs the whole layer on one rank")
      var start = 0
      for row in 0..<layer.pattern.targetCount {
        for _ in layer.pattern.entries(of: row) {
          starts.append(start)
          start += layer.target.channels(of: row) * samples
        }
      }
      starts.append(start)
    }
    entryStarts = starts
    let columns = needsInputGradient ? PatternColumns(layer.pattern) : nil
    packing = WeightPacking(layer, placement, columns, weightStart: weightStart)
    planRows()
    if let columns { planSources(columns) }
    kernelIndices = [:]
  }

  /// The scratch that a layer with a function of each block needs between forward and backward pass.
  public var entryScratchCount: Int { entryStarts.last ?? 0 }

  /// The number of weights of other ranks that the packed copy needs: blocks one after the other, in the
  /// order of `remoteEntries(_:)`, each column-major with its inputs as rows.
  public var remoteWeightCount: Int { packing.remoteCount }

  /// The size of the packed copy of the weights.
  public var packedWeightCount: Int { packing.count }

  /// The floating-point operations of the forward products of one shard.
  public var forwardFlops: Int { flops(of: forward) }

  /// The floating-point operations of the products of both gradients of one shard.
  public var backwardFlops: Int { flops(of: weights) + flops(of: inputs) }

  func flops(of list: ProductList) -> Int {
    list.products.reduce(0) { $0 + kernels[Int($1.kernel)].shape.flops }
  }

  /// Finds or plans the kernel of a shape.
  mutating func kernel(_ shape: ProductShape) -> Int32 {
    if let index = kernelIndices[shape] { return index }
    let index = Int32(kernels.count)
    kernels.append(MatrixProduct(shape, provider: provider))
    kernelIndices[shape] = index
    return index
  }
}

/// Products in the order of their execution, grouped by row or by source.
struct ProductList: Sendable {
  var products: [PlannedProduct] = []
  var starts: [Int] = [0]

  mutating func closeGroup() { starts.append(products.count) }

  var groupCount: Int { starts.count - 1 }
}
