import Datasets
import MessagePassing
import Training

/// The options of a call, from the command line and from a configuration file.
struct Arguments {
  let verb: Verb
  var positional: String?
  /// The texts of the values; a switch has the value `true`.
  var values: [String: String] = [:]

  /// Reads the words after the verb.
  init(_ verb: Verb, _ words: [String]) throws(RunError) {
    self.verb = verb
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        guard verb.positional != nil, positional == nil else {
          throw .usage("\(verb.name): unexpected argument '\(word)'\(Self.seeHelp(verb))")
        }
        positional = word
        continue
      }
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      let option = try Self.find(name, in: verb, as: "--\(name)", style: { "--\($0)" })
      guard values[option.name] == nil else {
        throw .usage("--\(option.name) is given twice")
      }
      if option.value == nil {
        let value = parts.count == 1 ? "true" : String(parts[1])
        guard value == "true" || value == "false" else {
          throw .usage("--\(option.name) is a switch: it takes no value but =true and =false")
        }
        values[option.name] = value
      } else if parts.count == 2 {
        values[option.name] = String(parts[1])
      } else {
        guard let value = rest.popFirst() else {
          throw .usage("--\(option.name) needs a value: --\(option.name) \(option.value ?? "")")
        }
        values[option.name] = value
      }
    }
  }

  /// Adds the settings of a configuration file, where the command line has none.
  mutating func merge(_ settings: [(key: String, value: String)], from path: String)
    throws(RunError)
  {
    let given = Set(values.keys)
    for (key, value) in settings {
      let name = String(key.map { $0 == "_" ? "-" : $0 == "-" ? "_" : $0 })
      let option = try Self.find(
        name, in: verb, as: "key '\(key)'", from: "\(path): ",
        style: { String($0.map { $0 == "-" ? "_" : $0 }) })
      guard option.name != "config" && option.name != "help" else {
        throw .usage("\(path): key '\(key)' has no meaning in a configuration file")
      }
      if option.value == nil {
        guard value == "true" || value == "false" else {
          throw .usage("\(path): key '\(key)' is \(value), needed is true or false")
        }
      }
      // An option of the command line also replaces its alternative in the file.
      let isReplaced = Self.alternatives.contains {
        $0.contains(option.name) && !$0.isDisjoint(with: given)
      }
      if !isReplaced { values[option.name] = value }
    }
  }

  /// Options of which only one can be given, such as a leaf size or the levels.
  private static let alternatives: [Set<String>] =
    [["epochs", "iterations"], ["leaf", "levels"]]
    + Set(Verbs.all.flatMap(\.options).map(\.name)).map { [$0] }

  private static func find(
    _ name: String, in verb: Verb, as shown: String, from place: String? = nil,
    style: (String) -> String
  ) throws(RunError) -> OptionSpec {
    if let option = verb.options.first(where: { $0.name == name }) { return option }
    let nearest = Suggestion.nearest(to: name, among: verb.options.map(\.name))
    let hint = nearest.map { "; did you mean \(style($0))?" } ?? seeHelp(verb)
    throw .usage(
      "\(place ?? "\(verb.name): ")unknown \(place == nil ? "option " : "")\(shown)\(hint)")
  }

  static func seeHelp(_ verb: Verb) -> String { "; see h2nn-dist \(verb.name) --help" }

  // MARK: Typed values

  /// Returns whether a switch is on, or another option is given.
  func has(_ name: String) -> Bool { values[name] != nil && values[name] != "false" }

  func text(_ name: String) -> String? { values[name] }

  /// Returns a value that must be given.
  func required(_ name: String) throws(RunError) -> String {
    guard let value = values[name], !value.isEmpty else {
      throw .usage("\(verb.name): --\(name) is needed\(Self.seeHelp(verb))")
    }
    return value
  }

  private func wrong(_ name: String, _ needed: String) -> RunError {
    .usage("--\(name) \(values[name] ?? ""): needed is \(needed)")
  }

  /// Returns an integer in a range; `1e4` is one, too.
  func integer(
    _ name: String, atLeast least: Int = 1, atMost most: Int = Int(Int32.max)
  ) throws(RunError) -> Int? {
    guard let text = values[name] else { return nil }
    guard let value = Int(text) ?? Double(text).flatMap({ Int(exactly: $0) }),
      (least...most).contains(value)
    else { throw wrong(name, "an integer from \(least) to \(most)") }
    return value
  }

  /// Returns a finite number in an interval.
  func real(
    _ name: String,
    _ range: ClosedRange<Double> = -Double
      .greatestFiniteMagnitude...Double
      .greatestFiniteMagnitude
  ) throws(RunError) -> Double? {
    guard let text = values[name] else { return nil }
    guard let value = Double(text), range.contains(value) else {
      let isBounded = range.upperBound < .greatestFiniteMagnitude
      throw wrong(
        name,
        isBounded
          ? "a number from \(range.lowerBound) to \(range.upperBound)"
          : range.lowerBound == .leastNormalMagnitude
            ? "a positive finite number"
            : range.lowerBound >= 0
              ? "a finite number of at least \(range.lowerBound)" : "a finite number")
    }
    return value
  }

  /// Returns two numbers, the smaller one first.
  func interval(_ name: String) throws(RunError) -> ClosedRange<Double>? {
    guard let text = values[name] else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard numbers.count == 2, let first = numbers[0], let second = numbers[1], first <= second,
      first.isFinite, second.isFinite
    else { throw wrong(name, "two numbers a,b with a ≤ b") }
    return first...second
  }

  /// Returns one of the cases of an enumeration.
  func choice<T: RawRepresentable & CaseIterable>(
    _ name: String, _ type: T.Type
  ) throws(RunError) -> T? where T.RawValue == String {
    guard var text = values[name] else { return nil }
    // The summaries speak of the train error.
    if T.self == Part.self && text == "train" { text = Part.training.rawValue }
    guard let value = T(rawValue: text) else {
      let known = T.allCases.map(\.rawValue)
      let hint = Suggestion.nearest(to: text, among: known).map { "; did you mean \($0)?" } ?? ""
      throw wrong(name, "one of \(known.joined(separator: ", "))\(hint)")
    }
    return value
  }

  /// Returns the shape of a grid, like `320` or `80x80`.
  func shape(_ name: String) throws(RunError) -> [Int]? {
    guard let text = values[name] else { return nil }
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    let isSmall = sizes.reduce(1.0) { $0 * Double($1) } <= Double(Int32.max)
    guard (1...3).contains(sizes.count), sizes.allSatisfy({ $0 > 0 }), isSmall else {
      throw wrong(name, "a grid like 320, 80x80 or 20x20x20, of at most \(Int32.max) points")
    }
    return sizes
  }

  /// Returns the seed.
  func seed() throws(RunError) -> Int64? {
    guard let text = values["seed"] else { return nil }
    guard let value = Int64(text) else { throw wrong("seed", "an integer of 64 bits") }
    return value
  }
}

/// Finds what a misspelt word probably meant.
enum Suggestion {
  /// Returns the nearest candidate, if it is near, or one that the word abbreviates.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let ranked = candidates.map { ($0, distance(Array(word), Array($0))) }
    guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
    // Words of two letters are near to too many candidates.
    if best.1 <= max(1, word.count / 3), best.1 < word.count { return best.0 }
    // As lr stands for learning-rate, and iter for iterations.
    let abbreviated = candidates.filter { candidate in
      let initials = String(candidate.split(separator: "-").compactMap(\.first))
      return word.count > 1 && (initials == word || candidate.hasPrefix(word))
    }
    if abbreviated.count == 1 { return abbreviated[0] }
    return best.1 <= max(2, word.count / 3) && best.1 < word.count ? best.0 : nil
  }

  /// Returns the number of insertions, deletions and changes that lead from one word to the other.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let cost = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(cost, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
