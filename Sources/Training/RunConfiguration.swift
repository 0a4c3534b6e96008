import Foundation
public import OperatorNetworks

/// All that determines the result of a training run, besides the data.
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
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads a configuration.
  ///
  /// - Parameter json: What ``json`` gave.
  /// - Throws: ``TrainingError`` (65) if it is none.
  public init(json: String) throws(TrainingError) {
    do {
      self = try JSONDecoder().decode(RunConfiguration.self, from: Data(json.utf8))
    } catch {
      throw .data("the configuration in the checkpoint cannot be read: \(error)")
    }
  }

  /// Names the settings in which two configurations differ.
  ///
  /// - Parameter other: The other configuration.
  /// - Returns: Lines like `learningRate: 0.001 here, 0.004 there`.
  public func differences(from other: RunConfiguration) -> [String] {
    func flat(_ prefix: String, _ value: Any) -> [String: String] {
      guard let object = value as? [String: Any] else { return [prefix: "\(value)"] }
      return object.reduce(into: [:]) { all, item in
        let name = prefix.isEmpty ? item.key : "\(prefix).\(item.key)"
        all.merge(flat(name, item.value)) { $1 }
      }
    }
    func settings(_ configuration: RunConfiguration) -> [String: String] {
      let object = try? JSONSerialization.jsonObject(with: Data(configuration.json.utf8))
      return flat("", object ?? [String: Any]())
    }
    let (mine, theirs) = (settings(self), settings(other))
    return Set(mine.keys).union(theirs.keys).sorted().compactMap { key in
      mine[key] == theirs[key]
        ? nil : "\(key): \(mine[key] ?? "not set") here, \(theirs[key] ?? "not set") there"
    }
  }
}
