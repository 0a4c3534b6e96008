import ClusterTrees
import Foundation
import MessagePassing
import OperatorNetworks
import ParallelHDF5

extension Checkpoint {
  /// Writes the ranks of a skeleton: LAPACK's last bits, on which they may hang, differ between processors.
  static func write(_ skeleton: Skeleton, to file: borrowing HDF5File) throws {
    try file.createGroup("/skeleton")
    for (name, ranks) in [
      ("/skeleton/sources", skeleton.sources), ("/skeleton/receivers", skeleton.receivers),
    ] {
      try write(name, ranks.joined().map { Int32($0) }, to: file)
      // One level after the other, from the root to the leaves.
      try file.setAttribute("boxes_of_levels", on: name, ranks.map { Int64($0.count) })
    }
  }

  /// Reads the ranks of a skeleton; nil if all boxes have as many channels.
  static func readSkeleton(_ file: borrowing HDF5File, _ path: String) throws -> Skeleton? {
    guard try file.exists("/skeleton") else { return nil }
    func ranks(_ name: String) throws -> [[Int]] {
      let values = try file.read(name, as: Int32.self)
      try verify(values.span, file.attribute("digest", on: name, as: String.self), name, path)
      let counts = try file.attribute("boxes_of_levels", on: name, as: [Int64].self)
      var rest = values[...]
      return try counts.map { count in
        guard (0...Int64(rest.count)).contains(count) else {
          throw TrainingError.data(
            "\(path):\(name) has \(values.count) ranks for levels of \(counts)")
        }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count)).map { Int($0) }
      }
    }
    return Skeleton(
      sources: try ranks("/skeleton/sources"), receivers: try ranks("/skeleton/receivers"))
  }
}

extension RunConfiguration {
  /// Finds the skeleton of a run: that of its newest checkpoint if it has one, else a new one, computed on
  /// rank 0, so that all ranks agree whatever their processors.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - points: The points of inputs and outputs.
  ///   - checkpoints: The checkpoints of the run, the newest first.
  ///   - world: The ranks.
  /// - Returns: The skeleton; nil if the configuration asks for none.
  /// - Throws: ``TrainingError`` (64) if the network does not fit the points, or another `ExitStatusError`.
  func skeleton(
    _ points: (inputs: PointSet, outputs: PointSet?), checkpoints: [String],
    on world: borrowing Communicator
  ) throws -> Skeleton? {
    guard network.skeleton != nil else { return nil }
    for path in checkpoints {
      do {
        let header = try Checkpoint.readHeader(path, on: world)
        // What belongs to another run is refused later, with its reason.
        guard header.configuration.network == network, header.points == points.inputs,
          header.outputPoints == points.outputs, let skeleton = header.skeleton
        else { break }
        return skeleton
      } catch let error where ExitStatus.status(of: error) == ExitStatus.wrongContent {
        continue
      }
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
          throw TrainingError(error)
        }
      }
    }
    return try JSONDecoder().decode(
      Skeleton.self, from: Data(try world.broadcast(bytes, from: 0)))
  }
}
