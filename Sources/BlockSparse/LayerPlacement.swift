/// Which boxes of a block vector a rank holds in a buffer, and where.
///
/// They stand in ascending order, without gaps; a rank holds those that it computes and those that it
/// receives.
public struct HeldBoxes: Sendable, Equatable {
  /// The boxes, ascending; nil if all are held.
  private let boxes: [Int32]?
  /// The first channel of each held box, and at the end the number of channels.
  private let starts: [Int]

  /// Holds all boxes.
  ///
  /// - Parameter layout: The boxes.
  public init(all layout: BoxLayout) {
    boxes = nil
    starts = layout.starts
  }

  /// Holds some boxes.
  ///
  /// - Parameters:
  ///   - range: Boxes that follow each other.
  ///   - others: Further boxes, in any order, each once or more often.
  ///   - layout: The layout of all boxes.
  public init(_ range: Range<Int>, and others: some Sequence<Int> = [], of layout: BoxLayout) {
    let outside = Set(others.lazy.filter { !range.contains($0) }).sorted()
    let sorted =
      outside.prefix { $0 < range.lowerBound } + Array(range)
      + outside.drop { $0 < range.lowerBound }
    self.boxes = sorted.map { Int32($0) }
    starts = sorted.reduce(into: [0]) { $0.append($0[$0.count - 1] + layout.channels(of: $1)) }
  }

  /// The channels of all held boxes.
  public var channelCount: Int { starts[starts.count - 1] }

  /// The held boxes, ascending.
  public var list: [Int] { boxes?.map { Int($0) } ?? Array(0..<starts.count - 1) }

  /// Returns the first channel of a held box.
  ///
  /// - Parameter box: The box.
  /// - Returns: Where it begins, in channels.
  /// - Precondition: The box is held.
  /// - Complexity: O(log boxes).
  public func start(of box: Int) -> Int {
    guard let boxes else { return starts[box] }
    var (low, high) = (0, boxes.count)
    while low < high {
      let middle = (low + high) / 2
      if Int(boxes[middle]) < box { low = middle + 1 } else { high = middle }
    }
    precondition(low < boxes.count && Int(boxes[low]) == box, "box \(box) is not held")
    return starts[low]
  }
}

/// The part of a layer that a rank computes, and where its data stand in the rank's buffers.
///
/// Rows and sources are those of the weights: the boxes that a layer writes and reads, or those that a transposed one
/// reads and writes.
public struct LayerPlacement: Sendable {
  /// The rows that are computed: their values and the gradients of their weights.
  public let rows: Range<Int>
  /// The sources whose gradients are computed.
  public let sources: Range<Int>
  /// The values of the source.
  public let sourceValues: HeldBoxes
  /// The gradients of the source.
  public let sourceGradients: HeldBoxes
  /// The values of the target.
  public let targetValues: HeldBoxes
  /// The gradients of the target.
  public let targetGradients: HeldBoxes
  /// The values of an addend.
  public let addendValues: HeldBoxes
  /// Where the weights, and behind them the biases, that the rank holds begin among its parameters.
  public let parameterStart: Int
  /// The rows of each rank that computes a part of the layer, and which of these ranks this is: gradients of
  /// shared weights are summed over all of them.
  public let rankRows: [Range<Int>]
  /// Which of them this is.
  public let rank: Int
  /// Whether the rank receives the weights of all rows, since every rank computes all sources.
  public let gathersWeights: Bool

  /// Places a part of a layer.
  ///
  /// - Parameters:
  ///   - rankRows: The rows of each rank that computes a part of the layer.
  ///   - rank: Which of them this is.
  ///   - sources: The sources whose gradients are computed.
  ///   - sourceValues: The values of the source.
  ///   - sourceGradients: The gradients of the source.
  ///   - targetValues: The values of the target.
  ///   - targetGradients: The gradients of the target.
  ///   - addendValues: The values of an addend; those of the target if nil.
  ///   - parameterStart: Where the rank's parameters of this layer begin among all that it holds.
  ///   - gathersWeights: Whether the rank receives the weights of all rows.
  public init(
    rankRows: [Range<Int>], rank: Int, sources: Range<Int>, sourceValues: HeldBoxes,
    sourceGradients: HeldBoxes, targetValues: HeldBoxes, targetGradients: HeldBoxes,
    addendValues: HeldBoxes? = nil, parameterStart: Int, gathersWeights: Bool = false
  ) {
    self.rankRows = rankRows
    self.rank = rank
    self.gathersWeights = gathersWeights
    self.rows = rankRows[rank]
    self.sources = sources
    self.sourceValues = sourceValues
    self.sourceGradients = sourceGradients
    self.targetValues = targetValues
    self.targetGradients = targetGradients
    self.addendValues = addendValues ?? targetValues
    self.parameterStart = parameterStart
  }

  /// Places a whole layer.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - parameterStart: Where its parameters begin.
  public init(whole layer: BlockSparseLayer, parameterStart: Int) {
    let (source, target) = (HeldBoxes(all: layer.source), HeldBoxes(all: layer.target))
    self.init(
      rankRows: [0..<layer.target.boxCount], rank: 0, sources: 0..<layer.source.boxCount,
      sourceValues: source, sourceGradients: source, targetValues: target,
      targetGradients: target, parameterStart: parameterStart)
  }

  /// Places a whole layer that uses the weights of another one transposed.
  ///
  /// - Parameters:
  ///   - shape: The layer whose weights it uses.
  ///   - parameterStart: Where the parameters of `shape` begin.
  public init(transposing shape: BlockSparseLayer, parameterStart: Int) {
    let (source, target) = (HeldBoxes(all: shape.target), HeldBoxes(all: shape.source))
    self.init(
      rankRows: [0..<shape.target.boxCount], rank: 0, sources: 0..<shape.source.boxCount,
      sourceValues: source, sourceGradients: source, targetValues: target,
      targetGradients: target, parameterStart: parameterStart)
  }
}

extension BlockSparseLayer {
  /// Returns the weights, in canonical order, that belong to rows: all of them unless each row has its own.
  ///
  /// - Parameter rows: The rows.
  /// - Returns: Their places among the layer's weights.
  public func weights(of rows: Range<Int>) -> Range<Int> {
    rowsOwnWeights
      ? weightStarts[rows.lowerBound]..<weightStarts[rows.upperBound] : 0..<weightCount
  }

  /// Returns the biases, in canonical order, that belong to rows: all of them unless each row has its own.
  ///
  /// - Parameter rows: The rows.
  /// - Returns: Their places among the layer's biases.
  public func biases(of rows: Range<Int>) -> Range<Int> {
    rowsOwnWeights ? biasStarts[rows.lowerBound]..<biasStarts[rows.upperBound] : 0..<biasCount
  }

  /// The blocks of weights of some rows that the gradients of sources computed elsewhere need.
  ///
  /// - Parameters:
  ///   - rows: The rows.
  ///   - sources: The sources.
  /// - Returns: The entries of the pattern, by source and by target; none if weights are shared.
  public func entries(from rows: Range<Int>, to sources: Range<Int>) -> [Int] {
    guard rowsOwnWeights, !rows.isEmpty, !sources.isEmpty else { return [] }
    var found: [(source: Int32, entry: Int)] = []
    for entry in pattern.rowStarts[rows.lowerBound]..<pattern.rowStarts[rows.upperBound]
    where sources.contains(Int(pattern.sources[entry])) {
      found.append((pattern.sources[entry], entry))
    }
    // Entries ascend with the rows, so by source they come in the order of the columns.
    return found.sorted { ($0.source, $0.entry) < ($1.source, $1.entry) }.map(\.entry)
  }

  /// Returns the row of an entry.
  ///
  /// - Parameter entry: The entry.
  /// - Returns: Its target box.
  public func row(of entry: Int) -> Int {
    var (low, high) = (0, pattern.targetCount)
    while high - low > 1 {
      let middle = (low + high) / 2
      if pattern.rowStarts[middle] <= entry { low = middle } else { high = middle }
    }
    return low
  }
}
