public import BlockKernels
import BlockSparse
public import ClusterTrees

/// Writes a matrix into the linear path of a network: the layers without activation beside bridges and near
/// field, and the transfers.
///
/// The near field is taken over as it is; the far field is compressed into the H²-structure of the network:
/// nested bases from the leaves upward by singular values of block rows and columns, couplings by projection
/// (Hackbusch and Börm 2002). The compression is exact if each box has as many channels as its far field has ranks.
/// The last layers of the nonlinear chains become zero, so that at first the network is the matrix.
public struct LinearPath {
  /// The network.
  public let network: Network
  let sources: ClusterTree
  let receivers: ClusterTree
  let options: NetworkOptions
  /// For each level: the far sources of each receiver, and the far receivers of each source.
  let far: [BoxLists]
  let farOfSources: [BoxLists]
  /// The coarsest level with a far field; beyond the leaves if there is none.
  let coarsest: Int
  private let layers: [String: Int]

  /// Finds the linear path of a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - options: What it was built from.
  ///   - sources: The points of the input.
  ///   - receivers: The points of the output; those of the input if nil.
  /// - Throws: ``NetworkError`` if the network has no linear path.
  public init(
    _ network: Network, _ options: NetworkOptions, sources: PointSet, receivers: PointSet?
  ) throws(NetworkError) {
    guard options.model == .h2nn, options.linearPath else {
      throw NetworkError("a linear start needs `model` h2nn with `linearPath`")
    }
    guard options.transfers == (1, .identity), options.blockActivation != .sigmoid else {
      throw NetworkError(
        "a linear start needs linear transfers of one layer, and functions of blocks that vanish at 0"
      )
    }
    self.network = network
    self.options = options
    layers = Dictionary(
      uniqueKeysWithValues: network.layers.indices.map { (network.layers[$0].layer.name, $0) })
    do {
      let trees = try Network.trees(options, sources: sources, receivers: receivers)
      let targets = trees.receivers ?? trees.sources
      let lists = try InteractionLists.admissible(
        receivers: targets, sources: trees.sources, admissibility: options.admissibility)
      (self.sources, self.receivers, far) = (trees.sources, targets, lists.far)
      farOfSources = lists.far.indices.map {
        lists.far[$0].transposed(sourceCount: trees.sources.boxCount(level: $0))
      }
      coarsest = lists.far.firstIndex { $0.entryCount > 0 } ?? targets.levels + 1
    } catch let error as ClusterTreeError {
      throw NetworkError(error.message)
    } catch let error as NetworkError {
      throw error
    } catch {
      throw NetworkError(internal: error)
    }
  }

  /// Returns the parameters with which the network multiplies by a matrix.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, outputs × inputs, in the order of the points.
  ///   - spread: A factor Q of the inputs' covariance Q Qᵀ, in the order of the points: the compression is best for
  ///     such inputs. If nil, for inputs with the covariance I.
  /// - Returns: The parameters of the network; NaN for those that may keep their random values, since they belong
  ///   to channels that the matrix does not need.
  /// - Throws: `LAPACKError` if a factorization fails.
  /// - Complexity: O(N² · columns of Q) at most.
  public func parameters(
    _ matrix: DenseMatrix, spread: DenseMatrix? = nil
  ) throws(LAPACKError) -> [Double] {
    precondition(
      matrix.rows == network.outputOrder.count && matrix.columns == network.inputOrder.count,
      "a matrix of \(matrix.rows)×\(matrix.columns)")
    let (rows, columns) = (receivers.order.map { Int($0) }, sources.order.map { Int($0) })
    let ordered = matrix.block(rows, columns)
    let spread = spread.map { $0.block(columns, 0..<$0.columns) }
    var values = LinearWeights(network)
    values.clear(layer("near.\(options.layers)"))
    for level in coarsest..<max(coarsest, far.count) where far[level].entryCount > 0 {
      values.clear(layer("bridge.\(level).\(options.layers)"))
    }
    let near = nearField
    values.clear(near)
    for row in 0..<near.layer.pattern.targetCount {
      let outputs = range(receivers, receivers.levels, row)
      for entry in near.layer.pattern.entries(of: row) {
        let inputs = range(sources, sources.levels, Int(near.layer.pattern.sources[entry]))
        values.set(
          near, row: row, from: Int(near.layer.entryInputs[entry]), ordered.block(outputs, inputs))
      }
    }
    guard coarsest < far.count else { return values.all }
    let bases = try receiverBases(ordered, spread, &values)
    try sourceBases(ordered, spread, bases, &values)
    return values.all
  }

  /// The linear layer of the near field, whose biases are those of the outputs.
  public var nearField: NetworkLayer { layer("near.linear") }

  func layer(_ name: String) -> NetworkLayer {
    guard let index = layers[name] else { preconditionFailure("no layer has the name \(name)") }
    return network.layers[index]
  }

  /// The points of a box, as positions in the order of the tree.
  func range(_ tree: ClusterTree, _ level: Int, _ box: Int) -> Range<Int> {
    tree.pointRange(level: level, box: box)
  }

  /// The transfer up to the source boxes of a level.
  func restriction(_ level: Int) -> NetworkLayer {
    layer(level == sources.levels ? "restriction.leaf" : "restriction.\(level)")
  }

  /// The transfer down from the receiver boxes of a level.
  func interpolation(_ level: Int) -> NetworkLayer {
    layer(level == receivers.levels ? "interpolation.leaf" : "interpolation.\(level)")
  }

  /// The channels of a source box, as the graph has them.
  func sourceChannels(_ level: Int, _ box: Int) -> Int {
    network.values[restriction(level).target].layout.channels(of: box)
  }

  /// The channels of a receiver box, as the graph has them.
  func receiverChannels(_ level: Int, _ box: Int) -> Int {
    network.values[interpolation(level).source].layout.channels(of: box)
  }

  /// For each box of the levels from the coarsest: the points of the other tree that are far from it, on its
  /// level or above, ascending.
  static func farPoints(
    _ boxes: ClusterTree, _ others: ClusterTree, _ far: [BoxLists], _ level: Int
  ) -> [[Int]] {
    (0..<boxes.boxCount(level: level)).map { box in
      var (ranges, ancestor) = ([Range<Int>](), box)
      for above in stride(from: level, through: 0, by: -1) {
        ranges += far[above].sources(of: ancestor).map {
          others.pointRange(level: above, box: Int($0))
        }
        if above > 0 { ancestor = boxes.parent(level: above, box: ancestor) }
      }
      return ranges.sorted { $0.lowerBound < $1.lowerBound }.flatMap { Array($0) }
    }
  }
}

/// Parameters of a network that are being chosen; NaN at first.
struct LinearWeights {
  private(set) var all: [Double]
  private let slices: [ParameterSlice]

  init(_ network: Network) {
    slices = network.slices
    all = [Double](repeating: .nan, count: network.activeParameterCount)
  }

  /// Makes a layer zero.
  mutating func clear(_ item: NetworkLayer) {
    for place in slices[item.weights.slice].range { all[place] = 0 }
  }

  /// Writes a block, outputs × inputs, into the weights of a row.
  ///
  /// - Parameters:
  ///   - item: The layer, whose rows have weights of their own.
  ///   - row: The row.
  ///   - firstInput: The first of the row's stacked inputs that the block reads.
  ///   - block: The block.
  /// - Precondition: The block lies within the row's weights.
  mutating func set(
    _ item: NetworkLayer, row: Int, from firstInput: Int, _ block: DenseMatrix
  ) {
    let (stacked, outputs) = (item.layer.groupInputs[row], item.layer.groupOutputs[row])
    precondition(
      item.layer.rowsOwnWeights && firstInput + block.columns <= stacked && block.rows <= outputs,
      "\(item.layer.name): a block of \(block.rows)×\(block.columns) from input \(firstInput) in row "
        + "\(row) of \(outputs)×\(stacked) weights")
    let start = slices[item.weights.slice].start + item.layer.weightStarts[row] + firstInput
    for output in 0..<block.rows {
      for input in 0..<block.columns {
        all[start + output * stacked + input] = block[output, input]
      }
    }
  }
}
