import BlockKernels

/// The products of a rank with a block matrix W of weights: W x row by row, Wᵀ y source by source, and the gradient
/// y xᵀ of the weights.
///
/// Rows are the targets of the weights' shape, columns its sources; which values x and y are, and which of the products
/// is the forward one, is decided by the layer that uses it. A class, since the lists are large.
final class BlockProduct<Scalar: KernelScalar> {
  /// Sizes and pattern of W; its h asks for blocks that are computed one by one.
  let shape: BlockSparseLayer
  let samples: Int
  let placement: LayerPlacement
  /// Where x and y stand in each of the three products.
  let buffers: ProductBuffers
  /// What is added to a place among the layer's biases to find it among the parameters.
  let biasStart: Int
  /// What is added to a place among the layer's weights to find it among the parameters.
  let weightStart: Int

  var kernels: [MatrixProduct<Scalar>] = []
  private var kernelIndices: [ProductShape: Int32] = [:]
  private let provider: ProductProvider

  /// y = W x, by row.
  var rows: ProductPass
  /// x = Wᵀ y, by source.
  var columns: ProductPass
  /// The gradient of the weights, by row.
  var weights = ProductList()

  /// The parts of x that are transposed together, and the one of each row.
  let panels: [SourcePanel]
  let rowPanels: [Int32]
  /// How far the samples of a transposed part are apart.
  let transposedStride: Int
  /// The packed copy of the weights, stacked by source.
  let packing: WeightPacking
  /// How gradients of weights that rows share are summed; nil if rows have weights to themselves.
  let rowSums: RowSums?
  /// Whether the gradient of the weights is added to what stands in its place.
  let accumulatesWeights: Bool
  /// For each row: whether its entries are all slots of its group, each once.
  var coversGroup: [Bool] = []
  /// With a function of each block: where the values of the entries of this rank's rows begin.
  let entryStarts: [Int]
  /// With a function of each block: the size of all these values.
  var entryScratchCount: Int
  /// With a function of each block: entries of other ranks' rows whose values are computed here again for the
  /// gradients of this rank's sources.
  var remoteBlocks: [RemoteBlock] = []

  /// Plans the products of a rank.
  ///
  /// - Parameters:
  ///   - shape: Sizes and pattern of W.
  ///   - samples: The samples of a shard.
  ///   - placement: Which rows and sources the rank has, and where its parameters are.
  ///   - buffers: Where x and y stand.
  ///   - hasRows: Whether W x will be asked for, and whether it is then added to y.
  ///   - hasColumns: Whether Wᵀ y will be asked for, and whether it is then added to x.
  ///   - hasBias: Whether the gradient of biases is summed with that of the weights.
  ///   - accumulatesWeights: Whether the gradient of the weights is added to what stands in its place.
  ///   - provider: Which library multiplies.
  init(
    _ shape: BlockSparseLayer, samples: Int, placement: LayerPlacement, buffers: ProductBuffers,
    rows hasRows: (Bool, accumulates: Bool), columns hasColumns: (Bool, accumulates: Bool),
    hasBias: Bool, accumulatesWeights: Bool, provider: ProductProvider
  ) {
    self.shape = shape
    self.samples = samples
    self.placement = placement
    self.buffers = buffers
    self.accumulatesWeights = accumulatesWeights
    self.provider = provider
    let start = placement.parameterStart
    let (weights, biases) = (
      shape.weights(of: placement.rows), shape.biases(of: placement.rows)
    )
    weightStart = start - weights.lowerBound
    biasStart = start + weights.count - biases.lowerBound
    (panels, rowPanels) = SourcePanel.plan(
      placement.rows.map(Self.seen(shape, buffers.gradient.x)),
      held: buffers.gradient.x.channelCount)
    transposedStride = SourcePanel.stride(
      panels.map(\.channels).max() ?? 0, of: Scalar.self)
    var starts: [Int] = []
    if shape.blockActivation != .identity {
      var start = 0
      for row in placement.rows {
        for _ in shape.pattern.entries(of: row) {
          starts.append(start)
          start += shape.target.channels(of: row) * samples
        }
      }
      starts.append(start)
    }
    entryStarts = starts
    entryScratchCount = starts.last ?? 0
    rowSums =
      shape.rowsOwnWeights
      ? nil
      : RowSums(
        shape, rankRows: placement.rankRows, rank: placement.rank, hasBias: hasBias)
    let links = hasColumns.0 ? PatternColumns(shape.pattern) : nil
    packing = WeightPacking(shape, placement, links, weightStart: weightStart)
    rows = ProductPass(accumulates: hasRows.accumulates)
    columns = ProductPass(accumulates: hasColumns.accumulates)
    planRows(hasProducts: hasRows.0)
    rows.order(placement.rows.count) { index in
      shape.pattern.entries(of: placement.rows.lowerBound + index).allSatisfy {
        placement.sources.contains(Int(shape.pattern.sources[$0]))
      }
    }
    if let links {
      planColumns(links)
      columns.order(placement.sources.count) { index in
        links.links(of: placement.sources.lowerBound + index).allSatisfy {
          placement.rows.contains(Int(links.targets[$0]))
        }
      }
    }
    kernelIndices = [:]
  }

  /// Returns a function that gives the channels of x that a row sees.
  private static func seen(
    _ shape: BlockSparseLayer, _ held: HeldBoxes
  ) -> (Int) -> Range<Int> {
    { row in
      let boxes = shape.pattern.entries(of: row).map { Int(shape.pattern.sources[$0]) }
      // A rank holds its boxes in ascending order.
      guard let first = boxes.min(), let last = boxes.max() else { return 0..<0 }
      return held.start(of: first)..<held.start(of: last) + shape.source.channels(of: last)
    }
  }

  /// Whether blocks are computed one by one, since a function follows each.
  var hasBlocks: Bool { !entryStarts.isEmpty }

  /// The floating-point operations of the products of a list.
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

/// Where x, by the sources of a matrix, and y, by its rows, stand in its three products.
struct ProductBuffers {
  /// y = W x.
  let byRow: (x: HeldBoxes, y: HeldBoxes)
  /// x = Wᵀ y.
  let byColumn: (x: HeldBoxes, y: HeldBoxes)
  /// The gradient y xᵀ of the weights.
  let gradient: (x: HeldBoxes, y: HeldBoxes)

  /// Finds the buffers of a layer.
  ///
  /// A layer W x has its values on both sides of W x, and its gradients on both sides of Wᵀ y. For a transposed layer it is
  /// the other way round.
  init(_ placement: LayerPlacement, isTransposed: Bool) {
    let (source, target) = (placement.sourceValues, placement.targetValues)
    let gradients = (source: placement.sourceGradients, target: placement.targetGradients)
    if isTransposed {
      byRow = (gradients.target, gradients.source)
      byColumn = (target, source)
      gradient = (gradients.target, source)
    } else {
      byRow = (source, target)
      byColumn = (gradients.source, gradients.target)
      gradient = (source, gradients.target)
    }
  }
}

/// One direction of a product: what is computed for each of its outputs, a row or a source.
struct ProductPass {
  /// The products, grouped by output.
  var list = ProductList()
  /// Whether they are added to what stands in the outputs' places.
  let accumulates: Bool
  /// The outputs, those that need no data of other ranks first, and how many these are.
  private(set) var order: [Int32] = []
  private(set) var interior = 0

  init(accumulates: Bool) { self.accumulates = accumulates }

  /// Puts the outputs that need no data of other ranks before the others.
  mutating func order(_ count: Int, _ isInterior: (Int) -> Bool) {
    let inner = (0..<count).filter(isInterior)
    let boundary = inner.count == count ? [] : (0..<count).filter { !isInterior($0) }
    order = (inner + boundary).map { Int32($0) }
    interior = inner.count
  }
}
