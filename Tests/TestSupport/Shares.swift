package import NetworkExecution
package import OperatorNetworks

/// Returns the shares of tree ranks in a network.
package func shares(
  _ network: Network, ranks: Int, replicatedBoxes: Int = 0
) throws -> [RankShare] {
  let partition = TreePartition(network, ranks: ranks, replicatedBoxes: replicatedBoxes)
  let plan = CommunicationPlan(network, partition)
  return (0..<ranks).map { RankShare(network, partition, plan, rank: $0) }
}
