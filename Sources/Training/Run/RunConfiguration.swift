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

  /// Reads a configuration; what an older version did not know yet has its default.
  ///
  /// - Parameter json: What ``json`` gave.
  /// - Throws: ``TrainingError`` (65) if it is none.
  public init(json: String) throws(TrainingError) {
    do {
      self = try JSONDecoder().decode(RunConfiguration.self, from: Self.completed(json))
    } catch {
      throw .data("the configuration in the checkpoint cannot be read: \(error)")
    }
  }

  /// Adds the settings of training that are missing, with their defaults.
  private static func completed(_ json: String) throws -> Data {
    let data = Data(json.utf8)
    let standard = RunConfiguration(network: NetworkOptions(), training: TrainingOptions())
    guard var object = try JSONSerialization.jsonObject(with: data) as? [String: Any],
      var training = object["training"] as? [String: Any],
      let all = try JSONSerialization.jsonObject(with: Data(standard.json.utf8)) as? [String: Any],
      let known = all["training"] as? [String: Any],
      known.contains(where: { training[$0.key] == nil })
    else { return data }
    training.merge(known) { given, _ in given }
    object["training"] = training
    return try JSONSerialization.data(withJSONObject: object)
  }

  /// Names the settings in which two configurations differ.
  ///
  /// - Parameter other: The other configuration.
  /// - Returns: Lines like `--learning-rate is 0.001, not 0.004`, the value of this one first.
  public func differences(from other: RunConfiguration) -> [String] {
    let (mine, theirs) = (settings, other.settings)
    return Set(mine.keys).union(theirs.keys).sorted().compactMap { key in
      mine[key] == theirs[key]
        ? nil : "--\(key) is \(mine[key] ?? "not set"), not \(theirs[key] ?? "not set")"
    }
  }

  /// The settings by their names on the command line.
  private var settings: [String: String] {
    let object = try? JSONSerialization.jsonObject(with: Data(json.utf8))
    let groups = (object as? [String: [String: Any]])?.values.map { $0 } ?? []
    return groups.joined().reduce(into: [:]) { all, item in
      // learningRate stands for --learning-rate.
      let name = item.key.reduce(into: "") { name, letter in
        name += letter.isUppercase ? "-\(letter.lowercased())" : "\(letter)"
      }
      if let parts = item.value as? [String: Any] {
        all[name] = parts.keys.sorted().map { "\($0) \(parts[$0] ?? "")" }.joined(separator: ", ")
      } else if let list = item.value as? [Any] {
        all[name] = list.isEmpty ? nil : list.map { "\($0)" }.joined(separator: ",")
      } else {
        all[name] = "\(item.value)"
      }
    }
  }
}
