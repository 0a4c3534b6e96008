import Checkpoints
import ClusterTrees
import Foundation
import MessagePassing
import OperatorNetworks

extension RunConfiguration {
  /// Finds the skeleton of a run: that of its checkpoint if it has one, else a new one, computed on rank 0, so that
  /// all ranks agree, also if their processors differ.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - points: The points of inputs and outputs.
  ///   - header: What the checkpoint says from which the run goes on; nil if it starts.
  ///   - world: The ranks.
  /// - Returns: The skeleton; nil if the configuration asks for none.
  /// - Throws: `RunError` (64) if the network does not fit the points, or another `ExitStatusError`.
  func skeleton(
    _ points: (inputs: PointSet, outputs: PointSet?), header: CheckpointHeader?,
    on world: borrowing Communicator
  ) throws -> Skeleton? {
    guard network.skeleton != nil else { return nil }
    // What belongs to another run is refused later, with its reason.
    if let header, header.configuration.network == network, header.points == points.inputs,
      header.outputPoints == points.outputs, let skeleton = header.skeleton
    {
      return skeleton
    }
    var bytes: [UInt8] = []
    // The other ranks wait for the first one.
    try world.stallWatch.resting {
      try world.agree {
        guard world.rank == 0 else { return }
        do {
          let skeleton = try Network.skeleton(
            network, sources: points.inputs, receivers: points.outputs)
          bytes = Array(try JSONEncoder().encode(skeleton))
        } catch let error as NetworkError {
          throw RunError(error)
        }
      }
    }
    return try JSONDecoder().decode(
      Skeleton.self, from: Data(try world.broadcast(bytes, from: 0)))
  }
}
