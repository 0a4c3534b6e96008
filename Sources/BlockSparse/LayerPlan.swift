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
/// `[box][channel][sample]`; parameters and their gradients are those that a rank holds, in which
/// the rank's weights and biases of the layer begin at given places. A class, since a plan is large and many are kept.
public final class LayerPlan<Scalar: KernelScalar> {
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
  /// How gradients of weights that rows share are summed; nil if rows have weights to themselves.
  let rowSums: RowSums?
  /// The rows, those that need nothing of other ranks first, and how many these are.
  var rowOrder: [Int32] = []
  var interiorRows = 0
  /// For each row: whether its entries are all slots of its group, each once.
  var coversGroup: [Bool] = []
  /// The sources in the same way.
  var sourceOrder: [Int32] = []
  var interiorSources = 0
  /// For layers with a function of each block: where the values of the entries of this rank's rows begin.
  let entryStarts: [Int]
  /// For such layers: entries of other ranks' rows whose values are computed here again for the gradients of
  /// this rank's sources.
  var remoteBlocks: [RemoteBlock] = []

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
  ///   - samples: The samples of a shard, a positive multiple of 16.
  ///   - placement: The part, and where its data stand.
  ///   - needsInputGradient: Whether the gradient with respect to the input will be asked for.
  ///   - accumulatesInput: Whether that gradient is added to what stands in its buffer.
  ///   - provider: Which library multiplies.
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
      var start = 0
      for row in rows {
        for _ in layer.pattern.entries(of: row) {
          starts.append(start)
          start += layer.target.channels(of: row) * samples
        }
      }
      starts.append(start)
    }
    entryStarts = starts
    entryScratchCount = starts.last ?? 0
    rowSums =
      layer.rowsOwnWeights
      ? nil : RowSums(layer, rankRows: placement.rankRows, rank: placement.rank)
    let columns = needsInputGradient ? PatternColumns(layer.pattern) : nil
    packing = WeightPacking(layer, placement, columns, weightStart: weightStart)
    planRows()
    if let columns { planSources(columns) }
    kernelIndices = [:]
    order(columns)
    (forwardFlops, parameterFlops, inputFlops) = (
      flops(of: forward), flops(of: self.weights),
      remoteBlocks.reduce(flops(of: inputs)) { $0 + kernels[Int($1.product.kernel)].shape.flops }
    )
  }

  /// Puts the rows and sources that need nothing of other ranks before the others.
  private func order(_ columns: PatternColumns?) {
    let (rows, sources) = (placement.rows, placement.sources)
    func sort(_ count: Int, _ isInterior: (Int) -> Bool) -> ([Int32], Int) {
      let interior = (0..<count).filter(isInterior)
      let boundary = interior.count == count ? [] : (0..<count).filter { !isInterior($0) }
      return ((interior + boundary).map { Int32($0) }, interior.count)
    }
    (rowOrder, interiorRows) = sort(rows.count) { index in
      layer.pattern.entries(of: rows.lowerBound + index).allSatisfy {
        sources.contains(Int(layer.pattern.sources[$0]))
      }
    }
    guard let columns else { return }
    (sourceOrder, interiorSources) = sort(sources.count) { index in
      columns.links(of: sources.lowerBound + index).allSatisfy {
        rows.contains(Int(columns.targets[$0]))
      }
    }
  }

  /// The scratch that a layer with a function of each block needs between forward and backward pass.
  public internal(set) var entryScratchCount = 0

  /// The number of weights of other ranks that the packed copy needs: blocks by source and by target, each
  /// column-major with its inputs as rows; or all weights of the layer, if the rank receives these.
  public var remoteWeightCount: Int { packing.remoteCount }

  /// The size of the packed copy of the weights.
  public var packedWeightCount: Int { packing.count }

  /// The scratch that the gradient of the parameters needs: none if rows have weights to themselves.
  public var gradientScratchCount: Int {
    rowSums.map { $0.counts[placement.rank] + $0.stackCount } ?? 0
  }

  /// For each rank that computes a part of the layer: the sums that it contributes to the gradient of shared
  /// weights; empty if the rank's own gradient is complete.
  public var sumCounts: [Int] { placement.rankRows.count == 1 ? [] : rowSums?.counts ?? [] }

  /// The floating-point operations of the forward products of one shard.
  public private(set) var forwardFlops = 0

  /// The floating-point operations of the products of the parameters' gradient of one shard.
  public private(set) var parameterFlops = 0

  /// The floating-point operations of the products of the input's gradient of one shard.
  public private(set) var inputFlops = 0

  /// The floating-point operations of the products of both gradients of one shard.
  public var backwardFlops: Int { parameterFlops + inputFlops }

  func flops(of list: ProductList) -> Int {
    list.products.reduce(0) { $0 + kernels[Int($1.kernel)].shape.flops }
  }

  /// Finds or plans the kernel of a shape.
  func kernel(_ shape: ProductShape) -> Int32 {
    if let index = kernelIndices[shape] { return index }
    let index = Int32(kernels.count)
    kernels.append(MatrixProduct(shape, provider: provider))
    kernelIndices[shape] = index
    return index
  }
}

/// Which rows, or sources, of a layer are computed.
public enum LayerPart: Sendable {
  /// All of them.
  case all
  /// Those that need nothing of other ranks.
  case interior
  /// The others.
  case boundary

  /// Returns the part of an order that has `interior` items first.
  @inline(__always)
  func range(of count: Int, interior: Int) -> Range<Int> {
    switch self {
    case .all: 0..<count
    case .interior: 0..<interior
    case .boundary: interior..<count
    }
  }
}

/// Products in the order of their execution, grouped by row or by source.
struct ProductList: Sendable {
  var products: [PlannedProduct] = []
  var starts: [Int] = [0]

  mutating func closeGroup() { starts.append(products.count) }

  var groupCount: Int { starts.count - 1 }
}
