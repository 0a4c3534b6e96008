import BlockKernels
import Checkpoints
import ClusterTrees
import Datasets
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5

/// The number of checkpoints that a run keeps.
private let keptCheckpoints = 2

extension TrainingRun {
  /// Writes a checkpoint of the present state.
  ///
  /// Collective.
  func writeCheckpoint(on grid: borrowing ProcessGrid) throws {
    // Rank 0 keeps the metrics; datasets are written with equal contents on all ranks.
    let lines = try grid.world.broadcast(Array(metrics.utf8), from: 0)
    let digest = try parameterDigest(on: grid)
    try Checkpoint.publish(
      step: trainer.step, in: options.directory, keeping: keptCheckpoints, on: grid.world
    ) { writer in
      try writer.write("/points", source.file.points)
      if let points = source.file.outputPoints { try writer.write("/output_points", points) }
      try writer.write("/normalization/input_shift", normalization.inputShift)
      try writer.write("/normalization/output_shift", normalization.outputShift)
      try writer.write("/normalization/mean_output", normalization.meanOutput)
      try writer.write("/metrics", lines)
      if configuration.training.schedule == .plateau {
        try writer.write("/plateau", plateau.numbers)
      }
      if let skeleton = network.skeleton {
        // LAPACK's last bits, on which the ranks may hang, differ between processors.
        try writer.write("/skeleton/sources", skeleton.sources.joined().map { Int32($0) })
        try writer.write("/skeleton/receivers", skeleton.receivers.joined().map { Int32($0) })
      }
      try writer.write(network)
      for array in trainer.state {
        try writer.write(array.group, array.parts, of: array.buffer)
      }
      return RunDescription(configuration: configuration, state: state(digest: digest))
    }
  }

  /// Returns the digest of the parameters in canonical order.
  ///
  /// Collective.
  func parameterDigest(on grid: borrowing ProcessGrid) throws(MPIError) -> String {
    let (values, parts) = (
      trainer.parameters, ArrayPart.parameters(network, trainer.executor.share)
    )
    return try Digest.of(values.span, parts, on: grid.tree)
  }

  /// Describes the present state.
  private func state(digest: String) -> RunState {
    RunState(
      step: trainer.step, lossUnit: trainer.lossUnit,
      precision: configuration.training.precision, digest: digest,
      normalization: RunState.Scales(
        inputScale: normalization.inputScale, outputScale: normalization.outputScale),
      network: NetworkDescription(network),
      points: RunState.Points(gridShape: source.file.points.gridShape),
      outputPoints: source.file.outputPoints.map { RunState.Points(gridShape: $0.gridShape) },
      skeleton: network.skeleton.map {
        RunState.SkeletonLevels(
          sources: $0.sources.map(\.count), receivers: $0.receivers.map(\.count))
      })
  }
}

extension CheckpointWriter {
  /// Writes the coordinates of points.
  fileprivate mutating func write(_ name: String, _ points: PointSet) throws {
    try write(name, points.coordinates, shape: [points.count, points.dimension])
  }
}
