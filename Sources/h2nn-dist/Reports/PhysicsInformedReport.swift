import Checkpoints
import Foundation
import MessagePassing
import PhysicsInformed

/// What is said of a physics-informed training: lines, a table, the summary, pictures.
enum PhysicsInformedReport {
  /// A line of progress.
  static func line(_ step: PhysicsInformedStep) -> String {
    "step \(step.step)  loss \(Voice.short(step.loss))  residual "
      + "\(step.validation.map(Voice.short) ?? "")  "
      + (step.phase == 0 ? "Adam" : "damping \(Voice.short(step.damping))")
  }

  /// The results for people.
  static func table(_ summary: PhysicsInformedSummary) -> String {
    [
      ("equation", summary.configuration.training.equation),
      ("parameters", "\(summary.parameters)"), ("steps", "\(summary.steps)"),
      ("best after step", "\(summary.bestStep)"),
      ("residual at fixed points", Voice.short(summary.validation)),
      ("relative error", Voice.short(summary.error)), ("seconds", Voice.short(summary.seconds)),
      ("digest", summary.digest),
    ].map { $0.padded(to: 26) + $1 }.joined(separator: "\n")
  }

  /// The object of the summary.
  static func object(_ summary: PhysicsInformedSummary) -> [String: Any] {
    let settings = try? JSONSerialization.jsonObject(
      with: Data(summary.configuration.json.utf8))
    return [
      "equation": summary.configuration.training.equation, "parameters": summary.parameters,
      "steps": summary.steps, "is_finished": summary.isFinished, "best_step": summary.bestStep,
      "loss": jsonNumber(summary.loss), "validation_residual": jsonNumber(summary.validation),
      "error": jsonNumber(summary.error), "seconds": summary.seconds,
      "settings": settings ?? NSNull(), "digest": summary.digest,
    ]
  }

  // MARK: Pictures

  /// Draws the residual over steps, and in two dimensions the solution and its error.
  static func draw(_ summary: PhysicsInformedSummary, in directory: String) throws(RunError) {
    var chart = Chart(
      title:
        "\(summary.configuration.training.equation), relative error \(Voice.short(summary.error))",
      xTitle: "step", yTitle: "residual at fixed points")
    chart.isLogarithmic = true
    chart.series = [Series(name: "residual", points: history(summary.metrics), index: 0)]
    try write(Chart.svg([chart]), to: "\(directory)/residual.svg")
    guard !summary.field.axes.isEmpty else { return }
    try write(fields(summary), to: "\(directory)/solution.svg")
  }

  private static func history(_ metrics: String) -> [(x: Double, y: Double)] {
    metrics.split(separator: "\n").compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let step = object?["step"] as? Int, let value = object?["validation"] as? Double
      else { return nil }
      return (Double(step), value)
    }
  }

  /// Draws û from its least value, blue, over white to its largest, red, and |u − û| from white to black.
  private static func fields(_ summary: PhysicsInformedSummary) -> String {
    let (axes, exact, found) = summary.field
    let (low, high) = (exact.min() ?? 0, exact.max() ?? 1)
    let errors = zip(exact, found).map { abs($0 - $1) }
    let largest = errors.max() ?? 0
    let (side, top, gap) = (320.0, 40.0, 40.0)
    func f(_ value: Double) -> String { String(format: "%.2f", value) }
    func rgb(_ r: Double, _ g: Double, _ b: Double) -> String {
      "rgb(\(Int(255 * r)),\(Int(255 * g)),\(Int(255 * b)))"
    }
    func diverging(_ value: Double) -> String {
      let t = high > low ? min(max(2 * (value - low) / (high - low) - 1, -1), 1) : 0
      return t < 0 ? rgb(1 + t, 1 + t, 1) : rgb(1, 1 - t, 1 - t)
    }
    func grey(_ value: Double) -> String {
      let t = largest > 0 ? 1 - value / largest : 1
      return rgb(t, t, t)
    }
    var text =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(f(2 * side + 3 * gap))\" "
      + "height=\"\(f(side + top + gap))\" font-family=\"sans-serif\" font-size=\"13\">\n"
      + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    let panels = [
      ("u from \(Voice.short(low)), blue, to \(Voice.short(high)), red", found.map(diverging)),
      ("error, black: \(Voice.short(largest))", errors.map(grey)),
    ]
    let (width, height) = (side / Double(axes[0].count), side / Double(axes[1].count))
    for (panel, (title, colours)) in panels.enumerated() {
      let left = gap + Double(panel) * (side + gap)
      text += "<text x=\"\(f(left))\" y=\"\(f(top - 12))\">\(title)</text>\n"
      for i in axes[0].indices {
        for j in axes[1].indices {
          // The second coordinate goes up. Cells overlap a little, so that no lines show between them.
          let y = top + side - Double(j + 1) * height
          text +=
            "<rect x=\"\(f(left + Double(i) * width))\" y=\"\(f(y))\" width=\"\(f(width + 0.3))\" "
            + "height=\"\(f(height + 0.3))\" fill=\"\(colours[i * axes[1].count + j])\"/>\n"
        }
      }
      text +=
        "<text x=\"\(f(left))\" y=\"\(f(top + side + 18))\">across: first coordinate; up: second</text>\n"
    }
    return text + "</svg>\n"
  }

  private static func write(_ text: String, to path: String) throws(RunError) {
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw RunError(
        exitStatus: ExitStatus.cannotCreate,
        "\(path): cannot be written: \(ExitStatus.reason(of: error))")
    }
  }
}
