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
  /// The slices that layers use, but none of them with the biases that the slice has.
  private(set) var withoutBiases: [Int] = []

  /// Finds the order.
  ///
  /// - Parameter network: The network.
  init(_ network: Network) {
    slices = network.layers.map(\.weights.slice)
    let none = [Bool](repeating: false, count: slices.count)
    (beginsWeights, beginsBiases, completes) = (none, none, none)
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
      // What is cleared completes the slice.
      if biased == nil && network.slices[slice].shape.hasBias {
        withoutBiases.append(slice)
      } else {
        completes[last] = true
      }
    }
  }
}
