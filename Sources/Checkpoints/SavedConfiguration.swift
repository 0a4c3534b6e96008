import Foundation
public import MessagePassing

/// Everything that determines the result of a run, as its checkpoints keep it.
public protocol SavedConfiguration: Codable, Equatable, Sendable {
  /// The configuration in which every setting has its default.
  static var standard: Self { get }

  /// The groups that every file has, also that of the oldest version.
  static var requiredGroups: [String] { get }
}

extension SavedConfiguration {
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
    for group in Self.requiredGroups where !(object[group] is [String: Any]) {
      throw .data("the configuration cannot be read: it says nothing about the \(group)")
    }
    let completed = try Self.completed(object, program: program)
    do {
      let data = try JSONSerialization.data(withJSONObject: completed)
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch {
      throw .data("the configuration cannot be read: \(error)")
    }
  }

  /// Names the settings in which two configurations differ.
  ///
  /// - Parameter other: The other configuration.
  /// - Returns: Texts such as “`learningRate` 0.001, now 0.004”, the value of this one last.
  public func differences(from other: Self) -> [String] {
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
  public static func completed(
    _ object: [String: Any], program: String?
  ) throws(RunError) -> [String: Any] {
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
