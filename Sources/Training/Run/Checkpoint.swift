import BlockKernels
import BlockSparse
public import ClusterTrees
public import Datasets
import Foundation
public import MessagePassing
import NetworkExecution
public import OperatorNetworks
import ParallelHDF5

/// A checkpoint file, opened far enough to build its network.
public struct CheckpointHeader: Sendable {
  /// The file.
  public let path: String
  /// The number of steps made.
  public let step: Int
  /// What the loss was divided by before its gradient was taken; one in older files.
  let lossUnit: Double
  /// All that determines the run.
  public let configuration: RunConfiguration
  /// The points of the inputs.
  public let points: PointSet
  /// The points of the outputs, where they differ.
  public let outputPoints: PointSet?
  /// How fields are normalized.
  public let normalization: Normalization
  /// The channels of the boxes, if they come from a skeleton.
  public let skeleton: Skeleton?
  /// The metrics written so far, one JSON object per line.
  public let metrics: String
  /// When the learning rate falls, with the `plateau` schedule.
  let plateau: Plateau

  /// Builds the network of the checkpoint.
  ///
  /// - Returns: The network.
  /// - Throws: `NetworkError` if the configuration does not fit the points.
  public func network() throws(NetworkError) -> Network {
    guard (configuration.network.skeleton == nil) == (skeleton == nil) else {
      throw NetworkError("the configuration asks for a skeleton, and /skeleton is missing")
    }
    return try Network.build(
      configuration.network, sources: points, receivers: outputPoints, skeleton: skeleton)
  }
}

/// Checkpoint files: names, writing, reading.
///
/// A file holds the logical arrays of a run in canonical order, whoever wrote it; see the README.
public enum Checkpoint {
  static let format = "h2nn-dist checkpoint 1"
  /// The program's version, written into every file.
  public static let programVersion = "0.1.0"

  /// Returns the name of the checkpoint of a step.
  ///
  /// - Parameters:
  ///   - step: The step.
  ///   - directory: The directory of the run.
  /// - Returns: The path.
  public static func path(step: Int, in directory: String) -> String {
    let digits = String(step)
    let padding = String(repeating: "0", count: max(0, 8 - digits.count))
    return "\(directory)/checkpoint-\(padding)\(digits).h5"
  }

  /// Lists the checkpoints of a run, the newest first.
  ///
  /// - Parameter directory: The directory of the run.
  /// - Returns: The paths.
  public static func list(in directory: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    let steps = names.compactMap { name -> Int? in
      guard name.hasPrefix("checkpoint-"), name.hasSuffix(".h5") else { return nil }
      return Int(name.dropFirst("checkpoint-".count).dropLast(".h5".count))
    }
    return steps.sorted(by: >).map { path(step: $0, in: directory) }
  }

  /// Finds the checkpoint that a path names: a file, or the newest one of a directory.
  ///
  /// - Parameter path: A file or a directory.
  /// - Returns: The file.
  /// - Throws: ``TrainingError`` (66) if there is none.
  public static func find(_ path: String) throws(TrainingError) -> String {
    var isDirectory = false
    // A link stands for what it leads to.
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    if let type = try? FileManager.default.attributesOfItem(atPath: place)[.type] {
      isDirectory = (type as? FileAttributeType) == .typeDirectory
      if !isDirectory { return path }
    }
    guard isDirectory else {
      throw TrainingError(exitStatus: 66, "\(path): no such file or directory")
    }
    guard let newest = list(in: path).first else {
      throw TrainingError(
        exitStatus: 66, "\(path): no checkpoint in this directory; train a network first")
    }
    return newest
  }

  /// Finds on rank 0 the checkpoint that a path names, so that all ranks open the same file.
  ///
  /// A run that goes on publishes checkpoints at any time, and the directory may look otherwise on another node.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: A file or a directory; only that of rank 0 matters.
  ///   - communicator: The ranks that read the file together.
  /// - Returns: The file, the same on all ranks.
  /// - Throws: ``TrainingError`` (66) if there is none, `MPIError` if the library fails.
  public static func find(
    _ path: String, on communicator: borrowing Communicator
  ) throws -> String {
    let found = try communicator.agree { communicator.rank == 0 ? try find(path) : "" }
    let text = try communicator.broadcast(Array(found.utf8), from: 0)
    return String(decoding: text, as: UTF8.self)
  }

  /// Lists the checkpoints that rank 0 finds, the newest first, so that all ranks try the same files.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - directory: The directory of the run.
  ///   - communicator: The ranks that read the files together.
  /// - Returns: The paths, the same on all ranks.
  /// - Throws: `MPIError` if the library fails.
  static func list(
    in directory: String, on communicator: borrowing Communicator
  ) throws(MPIError) -> [String] {
    let found = communicator.rank == 0 ? list(in: directory) : []
    let text = try communicator.broadcast(Array(found.joined(separator: "\n").utf8), from: 0)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Reads what is needed to build the network.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - communicator: The ranks that read.
  /// - Returns: The header.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  public static func readHeader(
    _ path: String, on communicator: borrowing Communicator
  ) throws -> CheckpointHeader {
    let file = try HDF5File.open(path, on: communicator)
    guard try file.attributeIfPresent("format", as: String.self) == format else {
      throw TrainingError.data("\(path): not a checkpoint of h2nn-dist")
    }
    func array(_ name: String) throws -> [Double] {
      let values = try file.read(name, as: Double.self)
      try verify(values.span, file.attribute("digest", on: name, as: String.self), name, path)
      return values
    }
    func points(_ name: String) throws -> PointSet? {
      guard try file.exists(name) else { return nil }
      let coordinates = try array(name)
      let shape = try file.shape(of: name)
      if let grid = try file.attributeIfPresent("grid_shape", on: name, as: [Int64].self) {
        let sizes = grid.map { Int(clamping: $0) }
        guard (1...3).contains(sizes.count), sizes.allSatisfy({ (1...1 << 30).contains($0) }),
          sizes.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == shape[0]
        else { throw TrainingError.data("\(path):\(name) has no grid of the shape \(sizes)") }
        return .grid(sizes)
      }
      guard shape.count == 2, (1...3).contains(shape[1]) else {
        throw TrainingError.data(
          "\(path):\(name) has the shape \(shape), needed is points × 1, 2 or 3")
      }
      return try PointSet(coordinates: coordinates, dimension: shape[1])
    }
    guard let sources = try points("/points") else {
      throw TrainingError.data("\(path): /points is missing")
    }
    let metrics = try file.read("/metrics", as: UInt8.self)
    try verify(
      metrics.span, file.attribute("digest", on: "/metrics", as: String.self), "/metrics", path)
    let plateau =
      try file.exists("/plateau") ? Plateau(numbers: try array("/plateau")) : Plateau()
    guard let plateau else {
      throw TrainingError.data("\(path):/plateau holds no state of the plateau schedule")
    }
    return CheckpointHeader(
      path: path, step: Int(try file.attribute("step", as: Int64.self)),
      lossUnit: try file.attributeIfPresent("loss_unit", as: Double.self) ?? 1,
      configuration: try configuration(of: file),
      points: sources, outputPoints: try points("/output_points"),
      normalization: Normalization(
        inputShift: try array("/normalization/input_shift"),
        inputScale: try file.attribute("input_scale", on: "/normalization", as: Double.self),
        outputShift: try array("/normalization/output_shift"),
        outputScale: try file.attribute("output_scale", on: "/normalization", as: Double.self),
        meanOutput: try array("/normalization/mean_output")),
      skeleton: try readSkeleton(file, path),
      metrics: String(decoding: metrics, as: UTF8.self), plateau: plateau)
  }

  /// Reads the configuration of a run.
  private static func configuration(of file: borrowing HDF5File) throws -> RunConfiguration {
    let json = try file.attribute("configuration", as: String.self)
    let program = try file.attributeIfPresent("program", as: String.self)
    do throws(TrainingError) {
      return try RunConfiguration(json: json, program: program)
    } catch {
      throw TrainingError(exitStatus: error.exitStatus, "\(file.path): \(error.message)")
    }
  }

  /// The arrays that have one number for each parameter, by the name of their group.
  enum ParameterArray: String, CaseIterable {
    case parameters = "/parameters"
    case firstMoment = "/optimizer/first_moment"
    case secondMoment = "/optimizer/second_moment"
  }

  static func verify<T: BitwiseCopyable>(
    _ values: Span<T>, _ digest: String, _ name: String, _ path: String
  ) throws(TrainingError) {
    guard Digest.of(values) == digest else {
      throw .data("\(path):\(name) is damaged: its digest differs from the one written with it")
    }
  }

  /// Reads this rank's pieces of an array.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - array: The array.
  ///   - path: The file.
  ///   - network: The network of the checkpoint.
  ///   - share: What this rank holds of it.
  ///   - communicator: The ranks that read.
  ///   - tree: The tree ranks, who verify the digests together.
  /// - Returns: The numbers in the order of the rank's parameters.
  /// - Throws: An `ExitStatusError`: 65 if the content is wrong.
  static func read<Scalar: KernelScalar & HDF5Scalar>(
    _ array: ParameterArray, _ path: String, _ network: Network, _ share: RankShare,
    on communicator: borrowing Communicator, tree: borrowing Communicator
  ) throws -> AlignedBuffer<Scalar> {
    let file = try HDF5File.open(path, on: communicator)
    for item in network.layers {
      // The same numbers in other places would be another network.
      let (name, pattern) = ("/network/\(item.layer.name)/sources", item.layer.pattern)
      let written = try file.attribute("digest", on: name, as: String.self)
      let sources = pattern.sources
      guard written == Digest.of(sources.span) else {
        throw TrainingError.data(
          "\(path):\(name) differs from what the configuration gives: the file was written by "
            + "another version of this program")
      }
    }
    let result = AlignedBuffer<Scalar>(repeating: 0, count: share.parameterCount)
    let all = ArrayPieces(network, share)
    var written: [String] = []
    for piece in all.pieces {
      let name = "\(array.rawValue)/\(piece.name)"
      let shape = try file.shape(of: name)
      guard shape == [piece.count] else {
        throw TrainingError.data(
          "\(path):\(name) has the shape \(shape), the network needs [\(piece.count)]")
      }
      var span = result.mutableSpan(of: piece.local)
      try file.read(name, rows: piece.rows, into: &span)
      written.append(try file.attribute("digest", on: name, as: String.self))
    }
    let digests = try all.digests(result, on: tree)
    try communicator.agree {
      for (index, piece) in all.pieces.enumerated() where digests[index] != written[index] {
        throw TrainingError.data(
          "\(path):\(array.rawValue)/\(piece.name) is damaged: its digest differs from the one "
            + "written with it")
      }
    }
    return result
  }
}
