public import Checkpoints
public import MessagePassing
import Optimization
import ParallelHDF5

/// Everything that determines a physics-informed training.
public struct PhysicsInformedConfiguration: SavedConfiguration {
  /// All settings with their defaults.
  public static let standard = PhysicsInformedConfiguration(training: PhysicsInformedOptions())
  /// Every file describes the training.
  public static let requiredGroups = ["training"]

  /// How the equation is solved.
  public var training: PhysicsInformedOptions

  /// Creates a configuration.
  ///
  /// - Parameter training: How the equation is solved.
  public init(training: PhysicsInformedOptions) { self.training = training }
}

/// What a checkpoint says of its run, besides the configuration and the arrays.
struct PhysicsInformedRecord: SavedState {
  static let kind = CheckpointKind.physicsInformed

  /// The steps made.
  var step = 0
  /// Whether training has ended.
  var isFinished = false
  /// The number of parameters.
  var parameters: Int
  /// The loss after the last step, at its points; nil before the first.
  var loss: Double?
  /// The seconds that training took so far.
  var seconds = 0.0
  /// The digest of the best parameters.
  var digest = ""
  /// The progress of training.
  var progress = PhysicsInformedState.Progress()
  /// The names of the arrays in `/state`.
  var arrays: [String] = []

  enum CodingKeys: String, CodingKey {
    case step, parameters, loss, seconds, digest, progress
    case isFinished = "is_finished"
    // A description has `arrays` of its own.
    case arrays = "state_arrays"
  }
}

/// A checkpoint of a physics-informed training, open and whole.
public struct PhysicsInformedCheckpoint: ReadableCheckpoint, ~Copyable {
  /// All that determined the training.
  public let configuration: PhysicsInformedConfiguration
  let record: PhysicsInformedRecord
  private let file: OpenCheckpoint

  /// The file.
  public var path: String { file.path }

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
    let description = try SavedDescription<PhysicsInformedConfiguration, PhysicsInformedRecord>(
      file)
    let record = description.state
    guard record.step == Checkpoint.step(of: path) ?? record.step, record.step >= 0,
      record.progress.method.step == record.step
    else {
      throw CheckpointError.mismatch(
        path: path, object: "/description", reason: "says that \(record.step) steps are made")
    }
    configuration = description.configuration
    self.record = record
    self.file = file
  }

  /// Reads the state of training.
  func state() throws -> PhysicsInformedState {
    var arrays: [String: [Double]] = [:]
    for name in record.arrays {
      arrays[name] = try file.read("/state/\(name)", as: Double.self)
    }
    return PhysicsInformedState(arrays: arrays, progress: record.progress)
  }

  /// Reads the lines of metrics written so far.
  func metrics() throws -> String {
    String(decoding: try file.read("/metrics", as: UInt8.self), as: UTF8.self)
  }
}
