import MessagePassing
import Training

/// A study: networks trained on all combinations of the values of some axes, beside reference methods.
struct Study {
  /// Settings of the verbs by key.
  typealias Settings = [String: String]

  /// One value of an axis and what it sets.
  struct Value {
    let name: String
    let data: Settings
    let train: Settings
  }

  /// A list of values over which runs vary.
  struct Axis {
    let name: String
    let values: [Value]
  }

  /// A table of one number of all runs.
  struct Table {
    let value: String
    let rows: Int
    let columns: Int
    /// Numbers of a publication to compare with: row, column, number.
    let published: [(row: String, column: String, number: Double)]
  }

  /// A chart of one number along an axis.
  struct Plot {
    let value: String
    let x: Int
    let series: Int
    let isLogarithmicX: Bool
  }

  /// One combination.
  struct Run {
    /// For each axis: which value.
    let places: [Int]
    /// The name of its directory.
    let name: String
    let data: Settings
    let train: Settings
  }

  let path: String
  let title: String
  let source: String?
  let text: String?
  let data: Settings
  let train: Settings
  let axes: [Axis]
  let references: [String]
  let tables: [Table]
  let plots: [Plot]
  let showsCurves: Bool

  /// Returns all combinations, the last axis fastest.
  ///
  /// - Parameter overrides: Settings that win over those of the file, where the verb knows them.
  /// - Returns: The runs.
  /// - Throws: `RunError` (64) if two combinations have one name.
  func runs(_ overrides: Settings) throws(RunError) -> [Run] {
    let count = axes.reduce(1) { $0 * $1.values.count }
    var names: Set<String> = []
    var runs: [Run] = []
    for number in 0..<count {
      var (rest, places) = (number, [Int](repeating: 0, count: axes.count))
      for axis in axes.indices.reversed() {
        places[axis] = rest % axes[axis].values.count
        rest /= axes[axis].values.count
      }
      let values = zip(axes, places).map { $0.values[$1] }
      let name = Self.fileName(values.map(\.name))
      guard names.insert(name).inserted else {
        throw .usage("\(path): two runs have the name '\(name)'")
      }
      runs.append(
        Run(
          places: places, name: name,
          data: Self.merged([data] + values.map(\.data), overrides, Verbs.generate),
          train: Self.merged([train] + values.map(\.train), overrides, Verbs.train)))
    }
    return runs
  }

  /// Joins names to the name of a directory: letters, digits, points and single dashes.
  static func fileName(_ names: [String]) -> String {
    let words = names.joined(separator: "-").lowercased().split { character in
      character != "²" && character != "." && character != "_"
        && !(character.isASCII && (character.isLetter || character.isNumber))
    }
    let name = words.joined(separator: "-").replacing("²", with: "2")
    return name.isEmpty ? "run" : name
  }

  private static func merged(
    _ settings: [Settings], _ overrides: Settings, _ verb: Verb
  ) -> Settings {
    var known = Set(verb.options.map(\.name))
    // A dataset is named by its settings, and this one does not change it.
    if verb.name == Verbs.generate.name { known.remove(OptionGroups.stallTimeout.name) }
    let chosen = overrides.filter { known.contains($0.key.replacing("_", with: "-")) }
    return (settings + [chosen]).reduce(into: [:]) { $0.merge($1) { $1 } }
  }

  /// The axes whose values decide which samples a run sees.
  var dataAxes: [Int] {
    axes.indices.filter { axis in
      axes[axis].values.contains { !$0.data.isEmpty || $0.train["split"] != nil }
    }
  }

  /// Returns the names of a run's values on some axes.
  func label(_ run: Run, _ chosen: [Int]) -> String {
    chosen.map { "\(axes[$0].name) = \(axes[$0].values[run.places[$0]].name)" }
      .joined(separator: ", ")
  }
}
