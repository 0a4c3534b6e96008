public import BlockKernels

/// A block-sparse layer: sizes, pattern and functions, without parameters.
///
/// The weights of a group are stacked over its slots into one column-major matrix with the group's
/// inputs as rows and its outputs as columns; the groups follow each other. In a file, where the last
/// index runs fastest, group g is a matrix `[outputs][inputs]`.
public struct BlockSparseLayer: Sendable {
  /// The name, unique in a network.
  public let name: String
  /// The boxes that the layer reads.
  public let source: BoxLayout
  /// The boxes that the layer writes.
  public let target: BoxLayout
  /// Which target sees which sources through which weights.
  public let pattern: BlockPattern
  /// f, applied to the sum.
  public let activation: Activation
  /// h, applied to each product of a block with a source; the identity by default.
  public let blockActivation: Activation
  /// Whether each output has a bias.
  public let hasBias: Bool

  /// For each group: the number of stacked inputs.
  public let groupInputs: [Int]
  /// For each group: the number of outputs.
  public let groupOutputs: [Int]
  /// For each group: where its weights begin; at the end the number of all weights.
  public let weightStarts: [Int]
  /// For each group: where its biases begin; at the end the number of all biases.
  public let biasStarts: [Int]
  /// For each entry: the first of its stacked inputs within the group.
  public let entryInputs: [Int32]
  /// Whether some block of weights belongs to several entries, or to none.
  public let isShared: Bool
  /// Whether each row has a group of weights, and biases, of its own: then the rank that computes a row can hold them
  /// alone.
  public let rowsOwnWeights: Bool

  /// Creates a layer.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - source: The boxes read.
  ///   - target: The boxes written.
  ///   - pattern: The pattern between them.
  ///   - activation: f.
  ///   - blockActivation: h.
  ///   - hasBias: Whether each output has a bias.
  /// - Precondition: Pattern and layouts fit; rows of one group have equal channels.
  public init(
    name: String, source: BoxLayout, target: BoxLayout, pattern: BlockPattern,
    activation: Activation = .identity, blockActivation: Activation = .identity,
    hasBias: Bool = true
  ) {
    precondition(
      pattern.sourceCount == source.boxCount && pattern.targetCount == target.boxCount,
      "\(name): pattern \(pattern.sourceCount) → \(pattern.targetCount), "
        + "boxes \(source.boxCount) → \(target.boxCount)")
    self.name = name
    self.source = source
    self.target = target
    self.pattern = pattern
    self.activation = activation
    self.blockActivation = blockActivation
    self.hasBias = hasBias

    // A slot that no row uses, as in a window wider than the grid, is as large as any source.
    var slotSizes = pattern.slotCounts.map { [Int](repeating: 0, count: $0) }
    var slotUses = slotSizes
    var outputs = [Int](repeating: 0, count: pattern.slotCounts.count)
    for row in 0..<pattern.targetCount {
      let group = Int(pattern.groups[row])
      let channels = target.channels(of: row)
      precondition(
        outputs[group] == 0 || outputs[group] == channels,
        "\(name): a group with rows of \(outputs[group]) and \(channels) channels")
      outputs[group] = channels
      for entry in pattern.entries(of: row) {
        let slot = Int(pattern.slots[entry])
        let size = source.channels(of: Int(pattern.sources[entry]))
        precondition(
          slotSizes[group][slot] == 0 || slotSizes[group][slot] == size,
          "\(name): a slot with sources of \(slotSizes[group][slot]) and \(size) channels")
        slotSizes[group][slot] = size
        slotUses[group][slot] += 1
      }
    }
    let isShared = slotUses.contains { $0.contains { $0 != 1 } }
    self.isShared = isShared
    rowsOwnWeights =
      !isShared && pattern.slotCounts.count == pattern.targetCount
      && pattern.groups.indices.allSatisfy { pattern.groups[$0] == Int32($0) }
    let unused = source.channels(of: 0)
    let slotStarts = slotSizes.map { sizes in
      sizes.reduce(into: [0]) { $0.append(($0.last ?? 0) + ($1 == 0 ? unused : $1)) }
    }
    groupInputs = slotStarts.map { $0.last ?? 0 }
    groupOutputs = outputs
    var weights = [0]
    var biases = [0]
    for group in outputs.indices {
      weights.append(weights[group] + groupInputs[group] * outputs[group])
      biases.append(biases[group] + (hasBias ? outputs[group] : 0))
    }
    weightStarts = weights
    biasStarts = biases
    var inputs = [Int32](repeating: 0, count: pattern.entryCount)
    for row in 0..<pattern.targetCount {
      let starts = slotStarts[Int(pattern.groups[row])]
      for entry in pattern.entries(of: row) {
        inputs[entry] = Int32(starts[Int(pattern.slots[entry])])
      }
    }
    entryInputs = inputs
  }

  /// The number of weights.
  public var weightCount: Int { weightStarts.last ?? 0 }

  /// The number of biases.
  public var biasCount: Int { biasStarts.last ?? 0 }

  /// The number of parameters: weights, then biases.
  public var parameterCount: Int { weightCount + biasCount }

  /// The number of parameters that the papers count and that stand over zero padding.
  ///
  /// They multiply zeros, so they are counted and not stored. A missing neighbour of row i
  /// is counted with the channels of source box i.
  public var paddedParameterCount: Int {
    guard !isShared, pattern.paddedEntries > 0 else { return 0 }
    let window = (pattern.entryCount + pattern.paddedEntries) / pattern.targetCount
    return (0..<pattern.targetCount).reduce(0) { sum, row in
      sum + (window - pattern.entries(of: row).count) * source.channels(of: row)
        * target.channels(of: row)
    }
  }
}

extension BlockSparseLayer {
  /// Returns the layer whose matrix is the transpose of this one's.
  ///
  /// It has no weights of its own: those that it describes are a copy of this layer's, stacked by source. It has no
  /// biases, since those of this layer belong to the outputs of W.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - activation: Its function f.
  /// - Returns: The layer from this one's targets to its sources.
  public func transposed(_ name: String, activation: Activation = .identity) -> BlockSparseLayer {
    BlockSparseLayer(
      name: name, source: target, target: source, pattern: pattern.transposed,
      activation: activation, hasBias: false)
  }
}
