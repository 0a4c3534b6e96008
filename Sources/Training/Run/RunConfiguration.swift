public import Datasets
import Foundation
public import MessagePassing
public import OperatorNetworks

/// Everything that determines the result of a training run, except the data.
public struct RunConfiguration: Sendable, Equatable, Codable {
  /// The network.
  public var network: NetworkOptions
  /// How it is trained.
  public var training: TrainingOptions
  /// Where the fields stand in the dataset.
  public var layout: DatasetLayout

  /// Creates a configuration.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - training: How it is trained.
  ///   - layout: Where the fields stand in the dataset.
  public init(
    network: NetworkOptions, training: TrainingOptions, layout: DatasetLayout = DatasetLayout()
  ) {
    self.network = network
    self.training = training
    self.layout = layout
  }

  /// The configuration as one JSON object with sorted keys.
  ///
  /// - Precondition: All numbers are finite.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      // A file without its configuration would be worth nothing.
      preconditionFailure("a setting has a value that JSON cannot hold: \(error)")
    }
  }

  /// Reads a configuration; a setting that an older version did not know yet has its default.
  ///
  /// A setting that this version does not know is refused: with a default in its place the file would describe
  /// another run.
  ///
  /// - Parameters:
  ///   - json: What ``json`` gave.
  ///   - program: The program that wrote it, with its version, for messages.
  /// - Throws: `RunError` (65) if the text is not a configuration.
  public init(json: String, program: String? = nil) throws(RunError) {
    let object: [String: Any]
    do {
      object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] ?? [:]
    } catch {
      throw .data("the configuration cannot be read: \(error)")
    }
    for group in ["network", "training"] where !(object[group] is [String: Any]) {
      throw .data("the configuration cannot be read: it says nothing about the \(group)")
    }
    let completed = try Self.completed(object, program: program)
    do {
      let data = try JSONSerialization.data(withJSONObject: completed)
      self = try JSONDecoder().decode(RunConfiguration.self, from: data)
    } catch {
      throw .data("the configuration cannot be read: \(error)")
    }
  }

  /// Names the settings in which two configurations differ.
  ///
  /// - Parameter other: The other configuration.
  /// - Returns: Texts such as “`learningRate` 0.001, now 0.004”, the value of this one last.
  public func differences(from other: RunConfiguration) -> [String] {
    let (mine, theirs) = (settings, other.settings)
    return Set(mine.keys).union(theirs.keys).sorted().compactMap { key in
      mine[key] == theirs[key]
        ? nil : "`\(key)` \(theirs[key] ?? "not set"), now \(mine[key] ?? "not set")"
    }
  }

  /// The settings by their names.
  private var settings: [String: String] {
    let object = try? JSONSerialization.jsonObject(with: Data(json.utf8))
    let groups = (object as? [String: [String: Any]])?.values.map { $0 } ?? []
    return groups.joined().reduce(into: [:]) { all, item in
      if let parts = item.value as? [String: Any] {
        all[item.key] = parts.keys.sorted().map { "\($0) \(parts[$0] ?? "")" }
          .joined(separator: ", ")
      } else if let list = item.value as? [Any] {
        all[item.key] = list.isEmpty ? nil : list.map { "\($0)" }.joined(separator: ",")
      } else {
        all[item.key] = "\(item.value)"
      }
    }
  }
}
