public import BlockKernels

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
  /// The computed rows.
  let rows: [PlannedRow]

  var kernels: [MatrixProduct<Scalar>] = []
  var kernelIndices: [ProductShape: Int32] = [:]
  let provider: ProductProvider

  /// Products of the forward pass and of the weight gradient by row, of the input gradient by source.
  var forward = ProductList()
  var weights = ProductList()
  var inputs = ProductList()
  /// Where the rows' values, gradients, addends and biases, and the sources' gradients end.
  let ends: (values: Int, gradients: Int, addends: Int, biases: Int, sources: Int)
  /// The parts of the source that are transposed together, and the one of each row.
  let panels: [SourcePanel]
  let rowPanels: [Int32]
  /// How far the samples of a transposed part are apart.
  let transposedStride: Int
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
    let start = placement.parameterStart
    let (weights, biases) = (
      layer.weights(of: placement.rows), layer.biases(of: placement.rows)
    )
    let (weightStart, biasStart) = (
      start - weights.lowerBound, start + weights.count - biases.lowerBound
    )
    (self.weightStart, self.biasStart) = (weightStart, biasStart)
    let rows = placement.rows.map { row in
      PlannedRow(
        values: placement.targetValues.start(of: row) * samples,
        gradients: placement.targetGradients.start(of: row) * samples,
        addend: placement.addendValues.start(of: row) * samples,
        bias: biasStart + layer.biasStarts[Int(layer.pattern.groups[row])],
        channels: layer.target.channels(of: row))
    }
    self.rows = rows
    func end(_ start: KeyPath<PlannedRow, Int>, times samples: Int) -> Int {
      rows.reduce(0) { max($0, $1[keyPath: start] + $1.channels * samples) }
    }
    ends = (
      end(\.values, times: samples), end(\.gradients, times: samples),
      end(\.addend, times: samples), end(\.bias, times: 1),
      placement.sources.reduce(0) { end, source in
        let start = placement.sourceGradients.start(of: source)
        return max(end, (start + layer.source.channels(of: source)) * samples)
      }
    )
    (panels, rowPanels) = SourcePanel.plan(
      placement.rows.map(Self.seen(layer, placement)),
      held: placement.sourceValues.channelCount)
    transposedStride = SourcePanel.stride(
      panels.map(\.channels).max() ?? 0, of: Scalar.self)
    var starts: [Int] = []
    if layer.blockActivation != .identity {
      var start = 0
      for row in placement.rows {
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

  /// Returns a function that gives the channels of the source that a row sees.
  private static func seen(
    _ layer: BlockSparseLayer, _ placement: LayerPlacement
  ) -> (Int) -> Range<Int> {
    { row in
      let held = placement.sourceValues
      let boxes = layer.pattern.entries(of: row).map { Int(layer.pattern.sources[$0]) }
      // A rank holds its boxes in ascending order.
      guard let first = boxes.min(), let last = boxes.max() else { return 0..<0 }
      return held.start(of: first)..<held.start(of: last) + layer.source.channels(of: last)
    }
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

  /// Whether the gradient can go through f together with the gradient of the parameters: there is f, and no
  /// function of each block.
  public var canFuseActivation: Bool {
    layer.activation != .identity && layer.blockActivation == .identity
  }

  /// The scratch for transposed parts of the source.
  public var transposedCount: Int { transposedStride * samples }

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
