import Foundation

/// The results of one run of a study.
struct StudyResult {
  let run: Study.Run
  let summary: [String: Any]
  /// The lines of its metrics.
  let metrics: String

  /// Returns a number of the summary; of repeated trainings a statistic, such as `test_error_mean`, or the median.
  func number(_ key: String) -> Double? {
    func number(_ value: Any?) -> Double? { (value as? NSNumber)?.doubleValue }
    if let value = number(summary[key]) { return value }
    if let statistics = summary[key] as? [String: Any] { return number(statistics["median"]) }
    for statistic in ["mean", "median", "std", "lowest", "highest"]
    where key.hasSuffix("_\(statistic)") {
      let statistics = summary[String(key.dropLast(statistic.count + 1))] as? [String: Any]
      return number(statistics?[statistic])
    }
    return number((summary["runs"] as? [[String: Any]])?.first?[key])
  }

  /// Returns the run as a JSON object.
  func object(_ study: Study) -> [String: Any] {
    var values: [String: String] = [:]
    for (axis, place) in zip(study.axes, run.places) { values[axis.name] = axis.values[place].name }
    return ["name": run.name, "axes": values, "summary": summary]
  }
}

/// The results of a study as Markdown and charts.
struct StudyReport {
  /// The results of a reference method.
  struct Reference {
    let method: String
    /// The values of the axes that decide about the samples.
    let label: String
    let summary: [String: Any]
  }

  let study: Study
  let results: [StudyResult]
  let references: [Reference]
  /// The name of the file of the charts.
  let picture: String
  let made: String

  var markdown: String {
    var parts = ["# \(study.title)"]
    if let source = study.source { parts.append("After \(source).") }
    if let text = study.text { parts.append(text) }
    parts.append("Made by \(made).")
    parts.append(
      "Data: \(list(study.data)). Training: \(list(study.train)); what is not named has its default."
    )
    for table in study.tables { parts += tables(table) }
    if !references.isEmpty { parts.append(referenceTable) }
    if !charts.isEmpty { parts.append("![\(study.title)](\(picture))") }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private func list(_ settings: Study.Settings) -> String {
    settings.isEmpty
      ? "defaults"
      : settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: ", ")
  }

  // MARK: Tables

  /// The names of what tables and charts show.
  private static let titles = [
    "test_error": "Test error", "train_error": "Training error",
    "validation_error": "Validation error", "seconds_per_step": "Milliseconds per step",
    "parameters": "Parameters", "active_parameters": "Stored parameters",
    "mean_predictor_error": "Mean predictor",
    "test_error_mean": "Test error, mean over seeds",
    "test_error_median": "Test error, median over seeds",
    "test_error_lowest": "Test error, lowest of all seeds",
  ]

  private static func title(_ key: String) -> String { titles[key] ?? key }

  private static func cell(_ key: String, _ value: Double?) -> String {
    guard let value else { return "–" }
    if key == "seconds_per_step" { return Voice.short(value * 1000) }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : Voice.short(value)
  }

  /// Returns a table for each combination of the values of the other axes.
  private func tables(_ table: Study.Table) -> [String] {
    let others = study.axes.indices.filter { $0 != table.rows && $0 != table.columns }
    var groups: [(label: String, results: [StudyResult])] = []
    for result in results {
      let label = study.label(result.run, others)
      if let place = groups.firstIndex(where: { $0.label == label }) {
        groups[place].results.append(result)
      } else {
        groups.append((label, [result]))
      }
    }
    let published =
      table.published.isEmpty ? "" : " (published, where there is a number, in parentheses)"
    return groups.map { group in
      let heading =
        "**\(Self.title(table.value))**\(published)"
        + (group.label.isEmpty ? "" : ", \(group.label)")
      return heading + "\n\n" + body(table, group.results)
    }
  }

  private func body(_ table: Study.Table, _ results: [StudyResult]) -> String {
    let (rows, columns) = (study.axes[table.rows], study.axes[table.columns])
    func used(_ axis: Int, _ values: [Study.Value]) -> [Int] {
      values.indices.filter { place in results.contains { $0.run.places[axis] == place } }
    }
    let places = table.rows == table.columns ? [0] : used(table.columns, columns.values)
    let names = table.rows == table.columns ? [""] : places.map { columns.values[$0].name }
    var lines = [
      "| \(rows.name) | "
        + names.map {
          $0.isEmpty ? Self.title(table.value).lowercased() : "\(columns.name) = \($0)"
        }.joined(separator: " | ") + " |",
      "|---|" + String(repeating: "---|", count: places.count),
    ]
    for row in used(table.rows, rows.values) {
      let cells = places.enumerated().map { index, column in
        let result = results.first { result in
          result.run.places[table.rows] == row
            && (table.rows == table.columns || result.run.places[table.columns] == column)
        }
        let value = result.flatMap { $0.number(table.value) }
        let known = table.published.first {
          $0.row == rows.values[row].name && $0.column == names[index]
        }
        return Self.cell(table.value, value)
          + (known.map { " (\(Self.cell(table.value, $0.number)))" } ?? "")
      }
      lines.append("| \(rows.values[row].name) | \(cells.joined(separator: " | ")) |")
    }
    return lines.joined(separator: "\n")
  }

  private var referenceTable: String {
    var labels: [String] = []
    for reference in references where !labels.contains(reference.label) {
      labels.append(reference.label)
    }
    var lines = [
      "**Test error of reference methods on the same samples**", "",
      "| method | \(labels.map { $0.isEmpty ? "error" : $0 }.joined(separator: " | ")) |",
      "|---|" + String(repeating: "---|", count: labels.count),
    ]
    for method in study.references {
      let cells = labels.map { label in
        let found = references.first { $0.method == method && $0.label == label }
        return Self.cell("error", (found?.summary["error_mean"] as? NSNumber)?.doubleValue)
      }
      lines.append("| \(method) | \(cells.joined(separator: " | ")) |")
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Charts

  var charts: [Chart] {
    study.plots.compactMap(chart)
      + (study.showsCurves ? curves : []).filter {
        !$0.series.isEmpty
      }
  }

  private func chart(_ plot: Study.Plot) -> Chart? {
    let (x, series) = (study.axes[plot.x], study.axes[plot.series])
    var chart = Chart(
      title: study.title, xTitle: x.name, yTitle: Self.title(plot.value).lowercased(),
      isLogarithmic: true, isLogarithmicX: plot.isLogarithmicX)
    let others = study.axes.indices.filter { $0 != plot.x && $0 != plot.series }
    for (place, value) in series.values.enumerated() {
      var lines: [(label: String, points: [(x: Double, y: Double)])] = []
      for result in results
      where plot.x == plot.series || result.run.places[plot.series] == place {
        guard let abscissa = Double(x.values[result.run.places[plot.x]].name),
          let ordinate = result.number(plot.value)
        else { continue }
        let label = study.label(result.run, others)
        let line = lines.firstIndex { $0.label == label } ?? lines.count
        if line == lines.count { lines.append((label, [])) }
        lines[line].points.append((abscissa, ordinate))
      }
      for line in lines {
        let name = line.label.isEmpty ? value.name : "\(value.name), \(line.label)"
        chart.series.append(
          Series(
            name: plot.x == plot.series ? Self.title(plot.value) : name, points: line.points,
            index: chart.series.count))
      }
      if plot.x == plot.series { break }
    }
    return chart.series.isEmpty ? nil : chart
  }

  private struct Line: Decodable {
    let step: Int
    let loss: Double
  }

  /// The losses of all runs by step, a chart for each value of the first axis.
  private var curves: [Chart] {
    guard let axis = study.axes.first else { return [] }
    return axis.values.indices.compactMap { place in
      let chosen = results.filter { $0.run.places[0] == place }
      guard let first = chosen.first else { return nil }
      var chart = Chart(
        title: "Training, \(study.label(first.run, [0]))", xTitle: "step", yTitle: "loss",
        isLogarithmic: true)
      for (index, result) in chosen.enumerated() {
        let points = result.metrics.split(separator: "\n").compactMap { line in
          (try? JSONDecoder().decode(Line.self, from: Data(line.utf8))).map {
            (x: Double($0.step), y: $0.loss)
          }
        }
        let name = study.label(result.run, Array(study.axes.indices.dropFirst()))
        chart.series.append(Series(name: name, points: points, index: index))
      }
      return chart
    }
  }
}
