import BlockSparse
import OperatorNetworks

/// The order in which layers add to the gradients of the slices that they use: from the last to the first.
struct SliceOrder: Sendable {
  /// For each layer: the slice that it uses.
  let slices: [Int]
  /// For each layer: whether its gradient of the weights is the first of its slice.
  private(set) var beginsWeights: [Bool]
  /// For each layer: whether its gradient of the biases is the first of its slice.
  private(set) var beginsBiases: [Bool]
  /// For each layer: whether it completes the gradient of its slice.
  private(set) var completes: [Bool]
  /// The slices that no layer uses.
  private(set) var withoutWeights: [Int] = []
  /// For each layer: whether it completes a slice whose biases no layer uses, so that their gradient is zero.
  private(set) var clearsBiases: [Bool]

  /// Finds the order.
  ///
  /// - Parameter network: The network.
  init(_ network: Network) {
    slices = network.layers.map(\.weights.slice)
    let none = [Bool](repeating: false, count: slices.count)
    (beginsWeights, beginsBiases, completes, clearsBiases) = (none, none, none, none)
    var users = [[Int]](repeating: [], count: network.slices.count)
    for (index, slice) in slices.enumerated().reversed() { users[slice].append(index) }
    for (slice, layers) in users.enumerated() {
      guard let first = layers.first, let last = layers.last else {
        withoutWeights.append(slice)
        continue
      }
      beginsWeights[first] = true
      let biased = layers.first { network.layers[$0].layer.hasBias }
      if let biased { beginsBiases[biased] = true }
      completes[last] = true
      clearsBiases[last] = biased == nil && network.slices[slice].shape.hasBias
    }
  }
}
