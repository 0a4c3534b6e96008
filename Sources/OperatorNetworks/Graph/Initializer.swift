package import BlockSparse

/// How the weights are drawn at first; biases begin at zero.
public enum Initializer: String, CaseIterable, Sendable, Codable {
  /// Uniform in ±√(6 / (inputs + outputs)) of Glorot and Bengio 2010, counting for each group of
  /// weights the inputs that reach one of its targets and the outputs that one of its sources reaches.
  case glorot
  /// Normal with the same variance, 2 / (inputs + outputs).
  case normal
  /// Keras' Glorot limits. For own weights Keras counts the positions as a receptive field, which
  /// makes the weights of a layer with n positions √n times too small (tensorflow/tensorflow#53688).
  case keras
}

/// The numbers of inputs and outputs that Glorot's rule asks for.
package struct Fans {
  private var inputs: [Int]
  private var outputs: [Int]
  private let layer: BlockSparseLayer
  /// Whether the layer is a restriction from points, each of which has one channel in the authors' programs.
  private let restrictsPoints: Bool

  package init(_ layer: BlockSparseLayer, readsPoints: Bool) {
    self.layer = layer
    restrictsPoints = readsPoints && layer.pattern.entryCount == layer.pattern.sourceCount
    let pattern = layer.pattern
    var reached = [Int](repeating: 0, count: pattern.sourceCount)
    for row in 0..<pattern.targetCount {
      for entry in pattern.entries(of: row) {
        reached[Int(pattern.sources[entry])] += layer.target.channels(of: row)
      }
    }
    inputs = [Int](repeating: 0, count: pattern.slotCounts.count)
    outputs = inputs
    for row in 0..<pattern.targetCount {
      let group = Int(pattern.groups[row])
      let sources = pattern.entries(of: row).map { Int(pattern.sources[$0]) }
      let stacked = sources.reduce(0) { $0 + layer.source.channels(of: $1) }
      inputs[group] = max(inputs[group], stacked)
      outputs[group] = max(outputs[group], sources.map { reached[$0] }.max() ?? 0)
    }
  }

  package func sum(_ group: Int) -> Double { Double(max(inputs[group] + outputs[group], 1)) }

  /// A convolution's kernel has the shape (window, inputs, outputs), a locally connected one
  /// (positions, window · inputs, outputs); what stands before the last two is the receptive field.
  package func keras(_ group: Int) -> Double {
    let pattern = layer.pattern
    if layer.isShared {
      // A transfer down is one convolution with the outputs of all children.
      let groups = pattern.slotCounts.count
      let window = restrictsPoints ? layer.groupInputs[group] : pattern.slotCounts[group]
      return Double(
        layer.groupInputs[group] + window * layer.groupOutputs[group] * groups)
    }
    // A transfer down has one position for each parent, with the outputs of all children.
    let isTransferDown =
      pattern.targetCount > pattern.sourceCount && pattern.targetCount % pattern.sourceCount == 0
    let children = isTransferDown ? pattern.targetCount / pattern.sourceCount : 1
    let positions = pattern.targetCount / children
    let window = (layer.pattern.entryCount + layer.pattern.paddedEntries) / pattern.targetCount
    let stackedInputs = window * layer.source.channels(of: 0)
    return Double(positions * (stackedInputs + children * layer.groupOutputs[group]))
  }
}
