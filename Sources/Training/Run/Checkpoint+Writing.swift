import BlockKernels
import BlockSparse
import ClusterTrees
import Datasets
import Foundation
import MessagePassing
import NetworkExecution
import OperatorNetworks
import ParallelHDF5

#if canImport(Glibc)
import Glibc
#endif

/// What a checkpoint holds, as the ranks have it at hand.
struct CheckpointContent<Scalar: KernelScalar & HDF5Scalar & MPIScalar> {
  let configuration: RunConfiguration
  let network: Network
  let points: PointSet
  let outputPoints: PointSet?
  let normalization: Normalization
  let step: Int
  /// What the loss is divided by before its gradient is taken.
  let lossUnit: Double
  /// Nil with schedules that do not depend on errors.
  let plateau: Plateau?
  let metrics: String
  /// What this rank holds of the network.
  let share: RankShare
  /// The parameters that this rank holds.
  let parameters: AlignedBuffer<Scalar>
  /// The moments on the range of this rank's data group.
  let moments: [AlignedBuffer<Scalar>]
  /// The range of each data group.
  let owned: [Range<Int>]
}

extension Checkpoint {
  /// Writes a checkpoint and publishes it under its name.
  ///
  /// Collective.
  ///
  /// The file is written under a temporary name, closed, flushed to the disk and renamed.
  static func write<Scalar>(
    _ content: CheckpointContent<Scalar>, in directory: String, on grid: borrowing ProcessGrid
  ) throws {
    let path = path(step: content.step, in: directory)
    grid.world.stallWatch.phase = .init("checkpoint of step", content.step)
    let temporary = path + ".writing"
    let pieces = ArrayPieces(content.network, content.share)
    let file = try HDF5File.create(temporary, on: grid.world)
    let digest = try pieces.digest(of: content.parameters, on: grid.tree)
    try writeDescription(content, digest: digest, to: file)
    try write(content.parameters, as: .parameters, pieces, content, to: file, on: grid)
    for (array, moment) in zip([ParameterArray.firstMoment, .secondMoment], content.moments) {
      var values = moment
      if grid.dataGroups > 1 {
        // The optimizer's state is whole for the time of writing, so that its digest can be formed.
        let whole = AlignedBuffer<Scalar>(repeating: 0, count: content.parameters.count)
        var span = whole.mutableSpan
        try grid.groups.allGather(moment.span, counts: content.owned.map(\.count), into: &span)
        values = whole
      }
      try write(values, as: array, pieces, content, to: file, on: grid)
    }
    try file.close()
    try grid.world.agree {
      guard grid.world.rank == 0 else { return }
      try publish(temporary, as: path, in: directory)
    }
  }

  private static func writeDescription<Scalar>(
    _ content: CheckpointContent<Scalar>, digest: String, to file: borrowing HDF5File
  ) throws {
    try file.setAttribute("format", format)
    try file.setAttribute("program", "h2nn-dist \(programVersion)")
    try file.setAttribute("configuration", content.configuration.json)
    try file.setAttribute("step", Int64(content.step))
    try file.setAttribute("loss_unit", content.lossUnit)
    try file.setAttribute("precision", Scalar.precisionName)
    try file.setAttribute("digest", digest)

    func array(_ name: String, _ values: [Double], shape: [Int]? = nil) throws {
      try write(name, values, shape: shape, to: file)
    }
    func points(_ name: String, _ points: PointSet) throws {
      try array(name, points.coordinates, shape: [points.count, points.dimension])
      if let shape = points.gridShape {
        try file.setAttribute("grid_shape", on: name, shape.map { Int64($0) })
      }
    }
    try points("/points", content.points)
    if let other = content.outputPoints { try points("/output_points", other) }
    try file.createGroup("/normalization")
    let normalization = content.normalization
    try array("/normalization/input_shift", normalization.inputShift)
    try array("/normalization/output_shift", normalization.outputShift)
    try array("/normalization/mean_output", normalization.meanOutput)
    try file.setAttribute("input_scale", on: "/normalization", normalization.inputScale)
    try file.setAttribute("output_scale", on: "/normalization", normalization.outputScale)
    let metrics = Array(content.metrics.utf8)
    try write("/metrics", metrics, to: file)
    if let plateau = content.plateau { try array("/plateau", plateau.numbers) }
    if let skeleton = content.network.skeleton { try write(skeleton, to: file) }
    try writeGraph(content.network, to: file)
  }

  /// Writes a small array, equal on all ranks, with its digest.
  static func write<T: HDF5Scalar>(
    _ name: String, _ values: [T], shape: [Int]? = nil, to file: borrowing HDF5File
  ) throws {
    try file.write(name, values, shape: shape ?? [values.count])
    try file.setAttribute("digest", on: name, Digest.of(values.span))
  }

  /// Writes the graph: enough to compute the network without this program.
  private static func writeGraph(_ network: Network, to file: borrowing HDF5File) throws {
    try file.createGroup("/network")
    try file.setAttribute("output", on: "/network", network.values[network.output].name)
    try file.setAttribute(
      "layers", on: "/network", network.layers.map(\.layer.name).joined(separator: "\n"))
    func integers(_ name: String, _ values: [Int]) throws {
      try write(name, values.map { Int64($0) }, to: file)
    }
    func integers(_ name: String, _ values: [Int32]) throws {
      try write(name, values, to: file)
    }
    try integers("/network/input_order", network.inputOrder)
    try integers("/network/output_order", network.outputOrder)
    try integers("/network/input_starts", network.values[0].layout.starts)
    for item in network.layers {
      let layer = item.layer
      let group = "/network/\(layer.name)"
      try file.createGroup(group)
      try file.setAttribute("source", on: group, network.values[item.source].name)
      try file.setAttribute("addend", on: group, item.addend.map { network.values[$0].name } ?? "")
      try file.setAttribute("activation", on: group, layer.activation.rawValue)
      try file.setAttribute("block_activation", on: group, layer.blockActivation.rawValue)
      try integers("\(group)/target_starts", layer.target.starts)
      try integers("\(group)/row_starts", layer.pattern.rowStarts)
      try integers("\(group)/sources", layer.pattern.sources)
      try integers("\(group)/entry_inputs", layer.entryInputs)
      try integers("\(group)/groups", layer.pattern.groups)
      try integers("\(group)/group_inputs", layer.groupInputs)
      try integers("\(group)/group_outputs", layer.groupOutputs)
    }
  }

  /// Writes one array, layer by layer; each rank writes what it owns of what its tree rank contributes.
  private static func write<Scalar: KernelScalar & HDF5Scalar>(
    _ values: AlignedBuffer<Scalar>, as array: ParameterArray, _ pieces: ArrayPieces,
    _ content: CheckpointContent<Scalar>, to file: borrowing HDF5File,
    on grid: borrowing ProcessGrid
  ) throws {
    let digests = try pieces.digests(values, on: grid.tree)
    for (piece, digest) in zip(pieces.pieces, digests) {
      let name = "\(array.rawValue)/\(piece.name)"
      try file.createGroup(String(name.prefix(upTo: name.lastIndex(of: "/") ?? name.endIndex)))
      try file.createDataset(name, shape: [piece.count], as: Scalar.self)
      try file.setAttribute("digest", on: name, digest)
      let (rows, local) = pieces.contributed(piece)
      let own = local.clamped(to: content.owned[grid.group])
      let first = own.isEmpty ? 0 : rows.lowerBound + own.lowerBound - local.lowerBound
      let span = values.span
      try file.write(name, rows: first..<first + own.count, from: span.extracting(own))
    }
  }

  /// Gives a complete file its name and removes what is older than the last checkpoints to keep.
  private static func publish(
    _ temporary: String, as path: String, in directory: String
  ) throws(TrainingError) {
    try synchronize(temporary)
    guard unsafe rename(temporary, path) == 0 else {
      throw TrainingError(exitStatus: 74, "\(path): cannot be renamed: errno \(errno)")
    }
    try synchronize(directory)
    for old in list(in: directory).dropFirst(keptCount) {
      // What cannot be removed does no harm.
      try? FileManager.default.removeItem(atPath: old)
    }
  }

  /// The number of checkpoints that a run keeps.
  static let keptCount = 2

  /// Waits until a file or directory is on the disk.
  private static func synchronize(_ path: String) throws(TrainingError) {
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else {
      throw TrainingError(exitStatus: 74, "\(path): cannot be opened: errno \(errno)")
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw TrainingError(exitStatus: 74, "\(path): cannot be flushed: errno \(errno)")
    }
  }
}
