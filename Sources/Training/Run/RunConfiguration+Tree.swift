import Datasets
import MessagePassing
import OperatorNetworks

extension RunConfiguration {
  /// Chooses leaf or levels if neither is given, so that the configuration says what is trained.
  ///
  /// - Parameter data: The dataset, whose points decide.
  /// - Returns: The leaves in words; nil for a model without leaves.
  /// - Throws: `RunError` (64) if the grid has no leaves of a reasonable size.
  mutating func settleTree(_ data: DatasetFile) throws(RunError) -> String? {
    let (sources, receivers) = (data.points, data.outputPoints)
    do {
      let leaves = try network.leafDescription(sources: sources, receivers: receivers)
      network = try network.settled(sources: sources, receivers: receivers)
      return leaves
    } catch {
      throw RunError(error)
    }
  }
}
