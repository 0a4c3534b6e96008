import BlockKernels

/// The columns of a pattern: for each source its links, to targets in ascending order.
struct PatternColumns: Sendable {
  /// For each source: the first of its links; at the end the number of links.
  private var starts: [Int]
  /// For each link: the target box.
  private(set) var targets: [Int32]
  /// For each link: the entry of the pattern.
  private(set) var entries: [Int32]

  /// Turns the rows of a pattern into columns, by counting.
  init(_ pattern: BlockPattern) {
    var next = [Int](repeating: 0, count: pattern.sourceCount + 1)
    for source in pattern.sources { next[Int(source) + 1] += 1 }
    for source in 0..<pattern.sourceCount { next[source + 1] += next[source] }
    starts = next
    targets = [Int32](repeating: 0, count: pattern.entryCount)
    entries = targets
    for row in 0..<pattern.targetCount {
      for entry in pattern.entries(of: row) {
        let source = Int(pattern.sources[entry])
        targets[next[source]] = Int32(row)
        entries[next[source]] = Int32(entry)
        next[source] += 1
      }
    }
  }

  /// Returns the links of a source.
  func links(of source: Int) -> Range<Int> { starts[source]..<starts[source + 1] }

  /// Returns the first link of a source, or for the number of sources that of links.
  func start(of source: Int) -> Int { starts[source] }
}

/// How the weights are copied, transposed and stacked by source, for the input gradient.
///
/// Sources that see equal blocks in equal order share one stack: with weights shared by offset all
/// sources inside the grid do.
struct WeightPacking: Sendable {
  /// For each computed source: where its stack begins.
  var sourceStarts: [Int] = []
  /// For each computed source: the rows of its stack.
  var stackedOutputs: [Int] = []
  /// The blocks to be copied from the rank's parameters.
  var copies: [BlockCopy] = []
  /// The blocks to be copied from what other ranks sent.
  var remoteCopies: [BlockCopy] = []
  /// For each entry of other ranks' rows, if blocks are computed one by one: where its weights stand among
  /// those of other ranks, or among the parameters if all ranks have them, and their stride.
  var remotePlaces: [Int: (place: Int, stride: Int)] = [:]
  /// The number of weights that other ranks send.
  var remoteCount = 0
  /// The number of packed weights.
  var count = 0

  init(
    _ layer: BlockSparseLayer, _ placement: LayerPlacement, _ columns: PatternColumns?,
    weightStart: Int
  ) {
    guard let columns else { return }
    let (pattern, rowsOwnWeights) = (layer.pattern, layer.rowsOwnWeights)
    var stacks: [[Int64]: Int] = [:]
    let hasEntries = layer.blockActivation != .identity
    for source in placement.sources {
      let links = columns.links(of: source)
      if hasEntries && !layer.rowsOwnWeights {
        for entry in links.map({ Int(columns.entries[$0]) }) {
          let group = Int(pattern.groups[layer.row(of: entry)])
          let place = layer.weightStarts[group] + Int(layer.entryInputs[entry])
          remotePlaces[entry] = (weightStart + place, layer.groupInputs[group])
        }
      }
      let outputs = links.reduce(0) { $0 + layer.target.channels(of: Int(columns.targets[$1])) }
      stackedOutputs.append(max(outputs, 1))
      if layer.isShared {
        let signature = links.map { link in
          Int64(pattern.groups[Int(columns.targets[link])]) << 32
            | Int64(pattern.slots[Int(columns.entries[link])])
        }
        if let start = stacks[signature] {
          sourceStarts.append(start)
          continue
        }
        stacks[signature] = count
      }
      sourceStarts.append(count)
      let inputs = layer.source.channels(of: source)
      var row = 0
      for link in links {
        let (target, entry) = (Int(columns.targets[link]), Int(columns.entries[link]))
        let (group, blockOutputs) = (Int(pattern.groups[target]), layer.target.channels(of: target))
        let isRemote = rowsOwnWeights && !placement.rows.contains(target)
        let isGathered = rowsOwnWeights && placement.gathersWeights
        let place = layer.weightStarts[group] + Int(layer.entryInputs[entry])
        let copy = BlockCopy(
          from: isGathered ? place : isRemote ? remoteCount : weightStart + place,
          stride: isRemote && !isGathered ? inputs : layer.groupInputs[group], inputs: inputs,
          outputs: blockOutputs, to: count + row, toStride: outputs)
        if hasEntries && isRemote { remotePlaces[entry] = (copy.from, copy.stride) }
        if isRemote || isGathered {
          remoteCopies.append(copy)
          remoteCount = isGathered ? layer.weightCount : remoteCount + inputs * blockOutputs
        } else {
          copies.append(copy)
        }
        row += blockOutputs
      }
      count += outputs * inputs
    }
  }
}

/// One block of weights to be copied and transposed.
@usableFromInline struct BlockCopy: Sendable {
  @usableFromInline let from: Int
  @usableFromInline let stride: Int
  @usableFromInline let inputs: Int
  @usableFromInline let outputs: Int
  @usableFromInline let to: Int
  @usableFromInline let toStride: Int
}
