import Factorization
import Foundation
import MessagePassing

/// The pictures of factors: |A − L U| by blocks, and the eigenvalues of K.
enum FactorPictures {
  /// Writes the pictures that the size of the matrix allows, by rank 0.
  static func write(_ summary: FactorSummary, in directory: String) throws(RunError) {
    if let blocks = summary.error.blocks {
      try write(heatMap(blocks.values, side: blocks.count), to: "\(directory)/error.svg")
    }
    if let spectrum = summary.spectrum {
      try write(eigenvalues(spectrum, summary), to: "\(directory)/eigenvalues.svg")
    }
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

  /// Draws the eigenvalues: ascending if they are real, else in the complex plane.
  private static func eigenvalues(_ spectrum: FactorSpectrum, _ summary: FactorSummary) -> String {
    let values = spectrum.values
    let isReal = values.allSatisfy { $0.imaginary == 0 }
    var chart = Chart(
      title:
        "Eigenvalues of K, \(summary.iterations.map { "\($0) iterations" } ?? "no convergence")",
      xTitle: isReal ? "number" : "real part", yTitle: isReal ? "eigenvalue" : "imaginary part")
    chart.isLogarithmic = isReal && values.allSatisfy { $0.real > 0 }
    chart.drawsDots = true
    chart.series = [
      Series(
        name: "K",
        points: values.enumerated().map { index, value in
          isReal ? (Double(index + 1), value.real) : (value.real, value.imaginary)
        }, index: 0)
    ]
    return Chart.svg([chart])
  }

  /// Draws the logarithms of numbers of a square as a field of grey cells, the largest darkest.
  private static func heatMap(_ values: [Double], side: Int) -> String {
    let (left, top, size, bar) = (20.0, 40.0, 384.0, 16.0)
    let cell = size / Double(side)
    let largest = values.max() ?? 0
    let top10 = largest > 0 ? log10(largest) : 0
    let lowest = max(
      values.filter { $0 > 0 }.min().map { log10($0) } ?? top10 - 1, top10 - 16)
    let range = max(top10 - lowest, 1e-9)
    func f(_ value: Double) -> String { String(format: "%.2f", value) }
    func grey(_ share: Double) -> String {
      let level = Int((235 * (1 - share)).rounded())
      return "rgb(\(level),\(level),\(min(255, level + 10)))"
    }
    var text =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"500\" height=\"450\" "
      + "font-family=\"sans-serif\" font-size=\"12\">\n"
      + "<rect width=\"500\" height=\"450\" fill=\"white\"/>\n"
      + "<text x=\"\(f(left))\" y=\"24\" font-size=\"14\">|A − LU|, largest of each cell, in the order of the tree</text>\n"
    for row in 0..<side {
      for column in 0..<side {
        let value = values[row * side + column]
        guard value > 0 else { continue }
        let share = min(max((log10(value) - lowest) / range, 0), 1)
        text +=
          "<rect x=\"\(f(left + Double(column) * cell))\" y=\"\(f(top + Double(row) * cell))\" "
          + "width=\"\(f(cell))\" height=\"\(f(cell))\" fill=\"\(grey(share))\"/>\n"
      }
    }
    text +=
      "<rect x=\"\(f(left))\" y=\"\(f(top))\" width=\"\(f(size))\" height=\"\(f(size))\" fill=\"none\" stroke=\"black\"/>\n"
    for step in 0..<64 {
      text +=
        "<rect x=\"\(f(left + size + 14))\" y=\"\(f(top + size * Double(step) / 64))\" width=\"\(f(bar))\" "
        + "height=\"\(f(size / 64 + 0.5))\" fill=\"\(grey(1 - Double(step) / 63))\"/>\n"
    }
    for (place, value) in [(0.0, top10), (0.5, (top10 + lowest) / 2), (1.0, lowest)] {
      text +=
        "<text x=\"\(f(left + size + 34))\" y=\"\(f(top + 4 + size * place))\">\(String(format: "%.0e", pow(10, value)))</text>\n"
    }
    return text + "</svg>\n"
  }
}
