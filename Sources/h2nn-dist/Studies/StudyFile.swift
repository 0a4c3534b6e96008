import MessagePassing
import Training

extension Study {
  /// Reads a study.
  ///
  /// - Parameter path: A JSON5 file.
  /// - Throws: `RunError`: 66 if the file is missing, 64 if it is no study.
  init(_ path: String) throws(RunError) {
    let file = StudyFile(path: path)
    let content = try file.object(
      try ConfigurationFile.value(path), "the study",
      keys: [
        "title", "source", "text", "data", "train", "axes", "references", "tables", "charts",
        "curves",
      ])
    self.path = path
    title = try file.text(content, "title") ?? "Study"
    source = try file.text(content, "source")
    text = try file.text(content, "text")
    data = try file.settings(content["data"], "data")
    train = try file.settings(content["train"], "train")
    let axes = try file.list(content, "axes").map { value throws(RunError) in
      try file.axis(value)
    }
    self.axes = axes
    references = try file.list(content, "references").compactMap(\.argument)
    tables = try file.list(content, "tables").map { value throws(RunError) in
      try file.table(value, axes)
    }
    plots = try file.list(content, "charts").map { value throws(RunError) in
      try file.plot(value, axes)
    }
    showsCurves = content["curves"]?.argument == "true"
  }
}

/// The parts of the file of a study.
private struct StudyFile {
  let path: String

  func error(_ text: String) -> RunError { .usage("\(path): \(text)") }

  /// Returns an object; throws if it has an unknown key.
  func object(
    _ value: JSONValue?, _ name: String, keys: [String]
  ) throws(RunError) -> [String: JSONValue] {
    guard case .object(let object)? = value else {
      throw error("\(name) must be an object { key: value, … }")
    }
    for key in object.keys.sorted() where !keys.contains(key) {
      let nearest = Suggestion.nearest(to: key, among: keys).map { "; did you mean \($0)?" }
      throw error("unknown key '\(key)' in \(name)\(nearest ?? "")")
    }
    return object
  }

  func text(_ object: [String: JSONValue], _ key: String) throws(RunError) -> String? {
    guard let value = object[key] else { return nil }
    guard case .text(let text) = value else { throw error("'\(key)' must be a text") }
    return text
  }

  func list(_ object: [String: JSONValue], _ key: String) throws(RunError) -> [JSONValue] {
    guard let value = object[key] else { return [] }
    guard case .list(let list) = value else { throw error("'\(key)' must be a list [ … ]") }
    return list
  }

  /// The numbers of a training's summary.
  private static let numbers = TrainingSummary.numberNames + [TrainCommand.ridgeKey]
  /// What a summary of repeated trainings says of each number.
  private static let statistics = ["mean", "median", "std", "lowest", "highest"]

  /// Returns the number of the summaries that a table or a chart shows.
  private func number(_ object: [String: JSONValue]) throws(RunError) -> String {
    let name = try text(object, "value") ?? "test_error"
    let known =
      Self.numbers + Self.numbers.flatMap { number in Self.statistics.map { "\(number)_\($0)" } }
    guard known.contains(name) else {
      let nearest = Suggestion.nearest(to: name, among: known).map { "; did you mean \($0)?" }
      throw error(
        "no summary has the number '\(name)'"
          + (nearest ?? "; there are \(Self.numbers.joined(separator: ", "))"))
    }
    return name
  }

  /// Returns settings of a verb.
  func settings(_ value: JSONValue?, _ name: String) throws(RunError) -> Study.Settings {
    guard let value else { return [:] }
    guard case .object(let object) = value else {
      throw error("'\(name)' must be an object { key: value, … }")
    }
    var settings: Study.Settings = [:]
    for (key, value) in object {
      guard !["out", "summary", "config"].contains(key), name != "train" || key != "data" else {
        throw error("'\(key)' in '\(name)': the study names its files itself")
      }
      guard let argument = value.argument else {
        throw error("the value of '\(key)' in '\(name)' must be a number, a text, true or false")
      }
      settings[key] = argument
    }
    return settings
  }

  /// Reads an axis: values that are objects, or numbers and texts for one key.
  func axis(_ value: JSONValue) throws(RunError) -> Study.Axis {
    let object = try object(value, "an axis", keys: ["name", "values", "data", "train"])
    guard let name = try text(object, "name") else { throw error("an axis needs a 'name'") }
    let (dataKey, trainKey) = (try text(object, "data"), try text(object, "train"))
    let values = try list(object, "values").map { value throws(RunError) -> Study.Value in
      if let number = value.argument {
        guard (dataKey == nil) != (trainKey == nil) else {
          throw error("axis '\(name)': which key of 'data' or of 'train' do its values set?")
        }
        return Study.Value(
          name: number, data: dataKey.map { [$0: number] } ?? [:],
          train: trainKey.map { [$0: number] } ?? [:])
      }
      let one = try self.object(
        value, "a value of axis '\(name)'", keys: ["name", "data", "train"])
      guard let title = one["name"]?.argument else {
        throw error("a value of axis '\(name)' needs a 'name'")
      }
      return Study.Value(
        name: title, data: try settings(one["data"], "data"),
        train: try settings(one["train"], "train"))
    }
    guard !values.isEmpty else { throw error("axis '\(name)' has no values") }
    return Study.Axis(name: name, values: values)
  }

  private func place(
    _ object: [String: JSONValue], _ key: String, _ axes: [Study.Axis]
  ) throws(RunError) -> Int {
    let name = try text(object, key) ?? ""
    guard let place = axes.firstIndex(where: { $0.name == name }) else {
      throw error("'\(key)' must be the name of an axis, found '\(name)'")
    }
    return place
  }

  func table(_ value: JSONValue, _ axes: [Study.Axis]) throws(RunError) -> Study.Table {
    let object = try object(value, "a table", keys: ["value", "rows", "columns", "published"])
    let published = try list(object, "published").map {
      entry throws(RunError) -> (row: String, column: String, number: Double) in
      guard case .list(let parts) = entry, parts.count == 3, let row = parts[0].argument,
        let column = parts[1].argument, let number = parts[2].argument.flatMap(Double.init)
      else { throw error("'published' must hold lists [row, column, number]") }
      return (row, column, number)
    }
    return Study.Table(
      value: try number(object), rows: try place(object, "rows", axes),
      columns: try place(object, "columns", axes), published: published)
  }

  func plot(_ value: JSONValue, _ axes: [Study.Axis]) throws(RunError) -> Study.Plot {
    let object = try object(value, "a chart", keys: ["value", "x", "series", "logarithmic_x"])
    let x = try place(object, "x", axes)
    for value in axes[x].values where Double(value.name) == nil {
      throw error("a chart along '\(axes[x].name)' needs numbers, found '\(value.name)'")
    }
    return Study.Plot(
      value: try number(object), x: x,
      series: try place(object, "series", axes),
      isLogarithmicX: object["logarithmic_x"]?.argument == "true")
  }
}
