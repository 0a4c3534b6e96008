import Checkpoints
import Foundation
import MessagePassing
import OperatorNetworks

/// What a checkpoint says of its run, besides the configuration and the arrays.
struct RunState: Codable {
  /// What fields are divided by.
  struct Scales: Codable {
    let inputScale: Double
    let outputScale: Double

    enum CodingKeys: String, CodingKey {
      case inputScale = "input_scale"
      case outputScale = "output_scale"
    }
  }

  /// What is known of points besides their coordinates.
  struct Points: Codable {
    /// The shape of their grid; nil for clouds.
    let gridShape: [Int]?

    enum CodingKeys: String, CodingKey { case gridShape = "grid_shape" }
  }

  /// The boxes of each level, from the root to the leaves.
  struct SkeletonLevels: Codable {
    let sources, receivers: [Int]
  }

  /// The number of steps made.
  let step: Int
  /// What the loss was divided by before its gradient was taken; one in older files, where it is missing.
  let lossUnit: Double?
  /// The scalar type of the parameters.
  let precision: Precision
  /// The digest of the parameters.
  let digest: String
  let normalization: Scales
  let network: NetworkDescription
  let points: Points
  /// Nil if outputs stand at the points of the inputs.
  let outputPoints: Points?
  /// Nil if all boxes have as many channels.
  let skeleton: SkeletonLevels?

  enum CodingKeys: String, CodingKey {
    case step, precision, digest, normalization, network, points, skeleton
    case lossUnit = "loss_unit"
    case outputPoints = "output_points"
  }
}

/// The description of a run in its checkpoints.
struct RunDescription: Encodable {
  let configuration: RunConfiguration
  let state: RunState

  private enum CodingKeys: String, CodingKey { case configuration }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(configuration, forKey: .configuration)
    try state.encode(to: encoder)
  }

  init(configuration: RunConfiguration, state: RunState) {
    self.configuration = configuration
    self.state = state
  }

  /// Reads the description of a checkpoint.
  ///
  /// - Parameter file: The checkpoint.
  /// - Throws: `RunError` (65) if it does not describe a run.
  init(_ file: borrowing OpenCheckpoint) throws(RunError) {
    let (path, data) = (file.path, Data(file.description.utf8))
    do {
      state = try JSONDecoder().decode(RunState.self, from: data)
      let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      let inner = object["configuration"] as? [String: Any] ?? [:]
      let json = String(
        decoding: try JSONSerialization.data(withJSONObject: inner), as: UTF8.self)
      configuration = try RunConfiguration(json: json, program: file.program)
    } catch let error as RunError {
      throw RunError(exitStatus: error.exitStatus, "\(path): \(error.message)")
    } catch {
      throw .data("\(path): the description cannot be read: \(error)")
    }
  }
}
