import BlockSparse
public import OperatorNetworks

extension RankShare {
  /// The points of the input that the rank holds, by channel.
  package func inputPoints(_ network: Network) -> [Int32] {
    let starts = network.values[0].layout.starts
    return values[0].list.flatMap { network.inputOrder[starts[$0]..<starts[$0 + 1]] }
  }

  /// The points of the output that the rank computes, by channel.
  package func outputPoints(_ network: Network) -> [Int32] {
    let (starts, boxes) = (network.values[network.output].layout.starts, computed[network.output])
    return Array(network.outputOrder[starts[boxes.lowerBound]..<starts[boxes.upperBound]])
  }

  /// The points of the input that a rank needs of each sample, and those of the output that it computes, ascending;
  /// nil if it is the only rank.
  ///
  /// - Parameter network: The network.
  /// - Returns: The points.
  public func columns(_ network: Network) -> (inputs: [Int32]?, outputs: [Int32]?) {
    guard rankCount > 1 else { return (nil, nil) }
    return (inputPoints(network).sorted(), outputPoints(network).sorted())
  }
}
