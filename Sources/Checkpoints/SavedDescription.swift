import Foundation
public import MessagePassing

/// What a checkpoint holds.
public enum CheckpointKind: String, Sendable, Codable {
  /// A network and the state of its training; files that say nothing are of this kind.
  case network
  /// Triangular factors of a matrix.
  case factors
  /// A network that solves an equation, and the state of its training.
  case physicsInformed = "physics-informed"

  /// The kind in words.
  var words: String {
    switch self {
    case .network: "a trained network"
    case .factors: "factors of a matrix"
    case .physicsInformed: "a network that solves an equation"
    }
  }
}

/// What a checkpoint says of its run, besides the configuration and the arrays.
public protocol SavedState: Codable {
  /// The kind of checkpoint that such a state belongs to.
  static var kind: CheckpointKind { get }
}

/// The description of a run in its checkpoints.
public struct SavedDescription<Configuration: SavedConfiguration, State: SavedState>: Encodable {
  /// Everything that determines the result.
  public let configuration: Configuration
  /// What else there is to say.
  public let state: State

  private enum CodingKeys: String, CodingKey { case configuration, kind }

  /// Writes the members of the state beside `configuration` and `kind`.
  ///
  /// - Parameter encoder: Where they go.
  /// - Throws: What the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(configuration, forKey: .configuration)
    // Files of networks never said so.
    if State.kind != .network { try container.encode(State.kind, forKey: .kind) }
    try state.encode(to: encoder)
  }

  /// Describes a run.
  ///
  /// - Parameters:
  ///   - configuration: Everything that determines the result.
  ///   - state: What else there is to say.
  public init(configuration: Configuration, state: State) {
    self.configuration = configuration
    self.state = state
  }

  /// Reads the description of a checkpoint.
  ///
  /// - Parameter file: The checkpoint.
  /// - Throws: `RunError` (65) if it does not describe such a run.
  public init(_ file: borrowing OpenCheckpoint) throws(RunError) {
    let (path, data) = (file.path, Data(file.description.utf8))
    do {
      let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      let kind = (object["kind"] as? String).flatMap { CheckpointKind(rawValue: $0) }
      guard kind ?? .network == State.kind else {
        throw RunError.data(
          "it holds \((kind ?? .network).words), needed is \(State.kind.words)")
      }
      state = try JSONDecoder().decode(State.self, from: data)
      let inner = object["configuration"] as? [String: Any] ?? [:]
      let json = String(
        decoding: try JSONSerialization.data(withJSONObject: inner), as: UTF8.self)
      configuration = try Configuration(json: json, program: file.program)
    } catch let error as RunError {
      throw RunError(exitStatus: error.exitStatus, "\(path): \(error.message)")
    } catch {
      throw .data("\(path): the description cannot be read: \(error)")
    }
  }
}

/// Returns a number as a member of a JSON object.
///
/// - Parameter number: The number.
/// - Returns: The number; `NSNull` if it is missing or not finite.
public func jsonNumber(_ number: Double?) -> Any {
  guard let number, number.isFinite else { return NSNull() }
  return number
}

/// Returns an integer as a member of a JSON object.
///
/// - Parameter integer: The integer.
/// - Returns: The integer; `NSNull` if it is missing.
public func jsonInteger(_ integer: Int?) -> Any { integer ?? NSNull() }
