import Checkpoints
import Foundation
import MessagePassing
import OperatorNetworks

extension RunConfiguration {
  /// Adds the settings that are missing, of all groups, with their defaults, and refuses those that are not known.
  ///
  /// The properties of the structures say which settings there are. One that is optional is nil where it is missing:
  /// files leave it out when it is nil, also where nil is not its default. So a new option that is optional has to
  /// stand for the earlier behaviour when it is nil; any other new option, when it has its default.
  ///
  /// - Parameters:
  ///   - object: The object in the file.
  ///   - program: The program that wrote it, with its version, for messages.
  /// - Returns: The object with all settings.
  /// - Throws: `RunError` (65) if a setting is not known.
  static func completed(
    _ object: [String: Any], program: String?
  ) throws(RunError) -> [String: Any] {
    let standard = RunConfiguration(network: NetworkOptions(), training: TrainingOptions())
    let written = try? JSONSerialization.jsonObject(with: Data(standard.json.utf8))
    return try completed(
      object, Mirror(reflecting: standard), written as? [String: Any] ?? [:], "", program)
  }

  /// Completes an object and those inside of it.
  ///
  /// - Parameters:
  ///   - object: The object in the file.
  ///   - standard: The structure that it describes, with its defaults.
  ///   - defaults: The object that describes the defaults.
  ///   - place: Where the object stands in the configuration, such as `network.`.
  ///   - program: The program that wrote it.
  /// - Returns: The object with the defaults of what it lacks.
  /// - Throws: `RunError` (65) if it has a key that is not known.
  private static func completed(
    _ object: [String: Any], _ standard: Mirror, _ defaults: [String: Any], _ place: String,
    _ program: String?
  ) throws(RunError) -> [String: Any] {
    var result = object
    var known: Set<String> = []
    for (label, value) in standard.children {
      guard let name = label else { continue }
      known.insert(name)
      let mirror = Mirror(reflecting: value)
      if let given = object[name] as? [String: Any], let inner = defaults[name] as? [String: Any] {
        result[name] = try completed(given, mirror, inner, "\(place)\(name).", program)
      } else if object[name] == nil, mirror.displayStyle != .optional {
        result[name] = defaults[name]
      }
    }
    if let key = object.keys.sorted().first(where: { !known.contains($0) }) {
      throw .data(
        "the configuration has the setting \(place)\(key), which this version, "
          + "\(Checkpoint.programVersion), does not know; the file was written by "
          + "\(program ?? "another version"): use that one")
    }
    return result
  }
}
