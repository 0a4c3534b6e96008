import BlockKernels
public import Checkpoints
public import ClusterTrees
public import Datasets
import Foundation
public import MessagePassing
import NetworkExecution
public import OperatorNetworks
import ParallelHDF5

/// The description of a run in a checkpoint: enough to build the network.
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
  /// The graph by its names.
  let graph: NetworkDescription

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

/// A checkpoint of a run, open and whole.
public struct RunCheckpoint: ReadableCheckpoint, ~Copyable {
  /// The description of its run.
  public let header: CheckpointHeader
  /// Its arrays.
  private let file: OpenCheckpoint

  /// Opens a checkpoint and verifies it.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - communicator: The ranks that read.
  /// - Throws: An `ExitStatusError`: 66 if the file is missing, 65 if its content is wrong.
  public init(_ path: String, on communicator: borrowing Communicator) throws {
    let file = try OpenCheckpoint(path, on: communicator)
    header = try CheckpointHeader(file)
    self.file = file
  }

  /// Throws unless a network has the structure of the file's network.
  ///
  /// - Parameter network: The network that the parameters are wanted for.
  /// - Throws: `CheckpointError` (65) if the structure differs.
  func check(_ network: Network) throws(CheckpointError) {
    try file.check(network, header.graph)
  }

  /// Reads what this rank holds of an array with one number for each parameter.
  ///
  /// Collective.
  func read<Scalar>(_ array: StateArray<Scalar>) throws {
    try file.read(array.group, array.parts, into: array.buffer)
  }
}

/// An array with one number for each parameter, as far as a rank holds it.
struct StateArray<Scalar: KernelScalar & HDF5Scalar> {
  /// Its group in a checkpoint.
  let group: String
  /// The arrays of the group, and what the rank holds of them.
  let parts: [ArrayPart]
  /// Where that stands.
  let buffer: AlignedBuffer<Scalar>
}

extension CheckpointHeader {
  /// Reads the description of the run.
  ///
  /// Collective.
  ///
  /// - Parameter file: The checkpoint.
  /// - Throws: An `ExitStatusError`: 65 if something does not fit.
  init(_ file: borrowing OpenCheckpoint) throws {
    let (path, description) = (file.path, try RunDescription(file))
    let state = description.state
    func wrong(_ object: String, _ reason: String) -> CheckpointError {
      .mismatch(path: path, object: object, reason: reason)
    }
    func points(_ name: String, _ known: RunState.Points) throws -> PointSet {
      let (coordinates, shape) = (
        try file.read(name, as: Double.self), try file.shape(of: name)
      )
      guard shape.count == 2, (1...3).contains(shape[1]), (1...Int(Int32.max)).contains(shape[0])
      else {
        throw wrong(name, "has the shape \(shape), needed is points × 1, 2 or 3")
      }
      guard let grid = known.gridShape else {
        return try PointSet(coordinates: coordinates, dimension: shape[1])
      }
      guard (1...3).contains(grid.count), grid.allSatisfy({ $0 > 0 }),
        grid.reduce(1, { $0 * Double($1) }) == Double(shape[0])
      else { throw wrong(name, "has \(shape[0]) points, which is no grid of the shape \(grid)") }
      return .grid(grid)
    }
    let iterations = description.configuration.training.iterations
    let named = Checkpoint.step(of: path) ?? state.step
    guard (0...iterations).contains(state.step), state.step == named else {
      throw wrong(
        "/description", "says that \(state.step) of \(iterations) steps are made")
    }
    let sources = try points("/points", state.points)
    let receivers = try state.outputPoints.map { try points("/output_points", $0) }
    func field(_ name: String, _ count: Int) throws -> [Double] {
      let values = try file.read("/normalization/\(name)", as: Double.self)
      guard values.count == count else {
        throw wrong("/normalization/\(name)", "has \(values.count) numbers for \(count) points")
      }
      return values
    }
    let outputCount = (receivers ?? sources).count
    let normalization = Normalization(
      inputShift: try field("input_shift", sources.count),
      inputScale: state.normalization.inputScale,
      outputShift: try field("output_shift", outputCount),
      outputScale: state.normalization.outputScale,
      meanOutput: try field("mean_output", outputCount))
    let numbers = file.has("/plateau") ? try file.read("/plateau", as: Double.self) : nil
    guard let plateau = numbers.map({ Plateau(numbers: $0) }) ?? Plateau() else {
      throw wrong("/plateau", "holds no state of the plateau schedule")
    }
    self.init(
      path: path, step: state.step, lossUnit: state.lossUnit ?? 1,
      configuration: description.configuration, points: sources, outputPoints: receivers,
      normalization: normalization, skeleton: try Self.skeleton(state.skeleton, file),
      metrics: String(decoding: try file.read("/metrics", as: UInt8.self), as: UTF8.self),
      plateau: plateau, graph: state.network)
  }

  /// Reads the ranks of a skeleton, if there is one.
  private static func skeleton(
    _ levels: RunState.SkeletonLevels?, _ file: borrowing OpenCheckpoint
  ) throws -> Skeleton? {
    guard let levels else { return nil }
    func ranks(_ name: String, _ counts: [Int]) throws -> [[Int]] {
      let values = try file.read(name, as: Int32.self)
      var rest = values[...]
      let levels = try counts.map { count in
        guard (0...rest.count).contains(count) else {
          throw CheckpointError.mismatch(
            path: file.path, object: name,
            reason: "has \(values.count) ranks for levels of \(counts)")
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).map { Int($0) }
      }
      return levels
    }
    return Skeleton(
      sources: try ranks("/skeleton/sources", levels.sources),
      receivers: try ranks("/skeleton/receivers", levels.receivers))
  }
}
