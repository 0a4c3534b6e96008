import BlockKernels

/// How the weights are copied, transposed and stacked by source, for the input gradient.
///
/// Sources that see equal blocks in equal order share one stack: with weights shared by offset all
/// sources inside the grid do.
struct WeightPacking: Sendable {
  /// For each source: the first of its links; at the end the number of links.
  var linkStarts: [Int] = []
  /// For each link: the target box.
  var targets: [Int32] = []
  /// For each link: the entry of the pattern.
  var entries: [Int32] = []
  /// For each source: where its stack begins.
  var sourceStarts: [Int] = []
  /// For each source: the rows of its stack.
  var stackedOutputs: [Int] = []
  /// The blocks to be copied.
  var copies: [BlockCopy] = []
  /// The number of packed weights.
  var count = 0

  init(_ layer: BlockSparseLayer, weightStart: Int, isNeeded: Bool) {
    guard isNeeded else { return }
    collectLinks(layer.pattern)
    let pattern = layer.pattern
    var stacks: [[Int64]: Int] = [:]
    for source in 0..<pattern.sourceCount {
      let links = links(of: source)
      let channels = layer.source.channels(of: source)
      let outputs = links.reduce(0) { $0 + layer.target.channels(of: Int(targets[$1])) }
      stackedOutputs.append(max(outputs, 1))
      if layer.isShared {
        let signature = links.map { link in
          Int64(pattern.groups[Int(targets[link])]) << 32 | Int64(pattern.slots[Int(entries[link])])
        }
        if let start = stacks[signature] {
          sourceStarts.append(start)
          continue
        }
        stacks[signature] = count
      }
      sourceStarts.append(count)
      var row = 0
      for link in links {
        let target = Int(targets[link])
        let group = Int(pattern.groups[target])
        let blockOutputs = layer.target.channels(of: target)
        copies.append(
          BlockCopy(
            from: weightStart + layer.weightStarts[group]
              + Int(layer.entryInputs[Int(entries[link])]),
            stride: layer.groupInputs[group], inputs: channels, outputs: blockOutputs,
            to: count + row, toStride: outputs))
        row += blockOutputs
      }
      count += outputs * channels
    }
  }

  /// Returns the links of a source: its targets in ascending order.
  func links(of source: Int) -> Range<Int> { linkStarts[source]..<linkStarts[source + 1] }

  /// Turns the rows of a pattern into columns, by counting.
  private mutating func collectLinks(_ pattern: BlockPattern) {
    var starts = [Int](repeating: 0, count: pattern.sourceCount + 1)
    for source in pattern.sources { starts[Int(source) + 1] += 1 }
    for source in 0..<pattern.sourceCount { starts[source + 1] += starts[source] }
    linkStarts = starts
    targets = [Int32](repeating: 0, count: pattern.entryCount)
    entries = targets
    for row in 0..<pattern.targetCount {
      for entry in pattern.entries(of: row) {
        let source = Int(pattern.sources[entry])
        targets[starts[source]] = Int32(row)
        entries[starts[source]] = Int32(entry)
        starts[source] += 1
      }
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

extension LayerPlan {
  /// Refreshes the packed copy of the weights; to be called after each change of the parameters.
  ///
  /// - Parameters:
  ///   - parameters: The parameters of the network.
  ///   - packed: The packed weights of this layer.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func packWeights(
    _ parameters: Span<Scalar>, into packed: inout MutableSpan<Scalar>
  ) {
    precondition(
      packed.count >= packing.count && parameters.count >= weightStart + layer.weightCount,
      "\(packed.count) packed weights of \(packing.count)")
    unsafe parameters.withUnsafeBufferPointer { w in
      unsafe packed.withUnsafeMutableBufferPointer { p in
        // The copies lie inside both buffers by construction, whose sizes were checked above.
        for copy in packing.copies {
          for input in 0..<copy.inputs {
            for output in 0..<copy.outputs {
              unsafe p[copy.to + output + input * copy.toStride] =
                w[copy.from + input + output * copy.stride]
            }
          }
        }
      }
    }
  }
}
