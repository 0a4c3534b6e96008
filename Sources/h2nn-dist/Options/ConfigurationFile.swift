import Foundation
import MessagePassing
import Training

/// A value of a configuration file.
enum JSONValue: Decodable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([JSONValue].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: JSONValue].self))
    }
  }

  /// The value as it would stand on the command line; nil for objects and nothing.
  var argument: String? {
    switch self {
    case .null, .object: return nil
    case .bool(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .text(let value): return value
    case .list(let values):
      let parts = values.map(\.argument)
      let known = parts.compactMap { $0 }
      return known.count == parts.count ? known.joined(separator: ",") : nil
    }
  }
}

/// Configuration files: JSON5 objects whose keys are option names with underscores.
enum ConfigurationFile {
  /// Reads the value that a file holds.
  ///
  /// - Throws: `RunError`: 66 if the file is missing, 64 if it is not JSON5 or has a key twice in one object.
  static func value(_ path: String) throws(RunError) -> JSONValue {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw RunError(exitStatus: 66, "\(path): no such file, or it cannot be read")
    }
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let text = String(decoding: data, as: UTF8.self)
    let value: JSONValue
    do {
      value = try decoder.decode(JSONValue.self, from: data)
    } catch {
      let place = JSON5Mistake.description(of: text)
      throw .usage("\(path): not a JSON5 file\(place.map { ": \($0)" } ?? "")")
    }
    if let (key, first, second) = JSON5Keys.repeated(in: text) {
      throw .usage("\(path): line \(second): key '\(key)' stands on line \(first) already")
    }
    return value
  }

  /// Reads the settings in a file.
  ///
  /// - Throws: `RunError`: 66 if the file is missing, 64 if it is not an object of settings.
  static func read(_ path: String) throws(RunError) -> [(key: String, value: String)] {
    let value = try value(path)
    guard case .object(let settings) = value else {
      throw .usage("\(path): needed is one JSON5 object { key: value, … }")
    }
    var result: [(key: String, value: String)] = []
    for key in settings.keys.sorted() {
      guard let argument = settings[key]?.argument else {
        throw .usage(
          "\(path): the value of '\(key)' must be a number, a text, true, false or a list")
      }
      result.append((key, argument))
    }
    return result
  }
}
