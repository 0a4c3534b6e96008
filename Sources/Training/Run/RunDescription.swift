import Checkpoints
import OperatorNetworks

/// What a checkpoint says of its run, besides the configuration and the arrays.
struct RunState: SavedState {
  static let kind = CheckpointKind.network

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
typealias RunDescription = SavedDescription<RunConfiguration, RunState>
