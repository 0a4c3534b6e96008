import Foundation

/// A line of a chart.
struct Series {
  let name: String
  let points: [(x: Double, y: Double)]
  /// Which of the chart's colours.
  let colour: Int
  var isDashed = false

  init(
    name: String, points: [(x: Double, y: Double)], colour: Int, isDashed: Bool = false
  ) {
    (self.name, self.points, self.colour, self.isDashed) = (name, points, colour, isDashed)
  }

  /// Creates one of many lines, which differ in colour and then in dashes.
  init(name: String, points: [(x: Double, y: Double)], index: Int) {
    let count = Chart.colours.count
    self.init(
      name: name, points: points, colour: index + 1, isDashed: index / count % 2 == 1)
  }

  /// The attributes of a line of some width.
  fileprivate func stroke(_ width: Double) -> String {
    "stroke=\"\(Chart.colours[colour % Chart.colours.count])\" stroke-width=\"\(width)\""
      + (isDashed ? " stroke-dasharray=\"6 4\"" : "")
  }
}

/// A chart of lines over two axes, drawn as SVG.
struct Chart {
  let title: String
  let xTitle: String
  let yTitle: String
  var isLogarithmic = false
  var isLogarithmicX = false
  /// Whether points are not joined by lines.
  var drawsDots = false
  var series: [Series] = []

  /// Colours that can be told apart with colour-vision deficiency (Okabe and Ito).
  static let colours = [
    "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
  ]
  static let size = (width: 560.0, height: 380.0)
  private static let frame = (left: 74.0, right: 16.0, top: 34.0, bottom: 46.0)

  /// Draws charts beside each other.
  static func svg(_ charts: [Chart]) -> String {
    let width = charts.reduce(0) { $0 + $1.width }
    let height = charts.reduce(size.height) {
      max($0, $1.hasLegendBeside ? $1.legendHeight + 2 * frame.top : 0)
    }
    let header =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Int(width))\" "
      + "height=\"\(Int(height))\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
      + "font-family=\"sans-serif\" font-size=\"12\">\n"
      + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    var left = 0.0
    let bodies = charts.map { chart in
      defer { left += chart.width }
      return "<g transform=\"translate(\(Int(left)),0)\">\n\(chart.body)</g>\n"
    }
    return header + bodies.joined() + "</svg>\n"
  }

  /// Whether the legend stands beside the frame, in which it would hide many lines.
  private var hasLegendBeside: Bool { series.count > 5 }

  private var legendWidth: Double {
    max(150, 52 + 6.6 * Double(series.map(\.name.count).max() ?? 0))
  }

  private var legendHeight: Double { 8 + 17 * Double(series.count) }

  private var width: Double { Self.size.width + (hasLegendBeside ? legendWidth + 10 : 0) }

  private func scaled(_ y: Double) -> Double { isLogarithmic ? log10(max(y, 1e-300)) : y }

  private func scaledX(_ x: Double) -> Double { isLogarithmicX ? log10(max(x, 1e-300)) : x }

  /// Whether a point can be drawn.
  private func isShown(_ point: (x: Double, y: Double)) -> Bool {
    point.x.isFinite && point.y.isFinite && (!isLogarithmic || point.y > 0)
      && (!isLogarithmicX || point.x > 0)
  }

  /// The ranges of both axes, in their units.
  private var ranges: (x: ClosedRange<Double>, y: ClosedRange<Double>) {
    let points = series.flatMap(\.points).filter(isShown)
    let xs = points.map { scaledX($0.x) }
    let ys = points.map { scaled($0.y) }
    let (left, right) = (xs.min() ?? 0, xs.max() ?? 1)
    var (low, high) = (ys.min() ?? 0, ys.max() ?? 1)
    let margin = max((high - low) * 0.06, isLogarithmic ? 0.05 : 1e-12)
    (low, high) = (low - margin, high + margin)
    return (left...max(right, left + max(1e-12, abs(left) * 1e-6)), low...high)
  }

  private var body: String {
    let (xRange, yRange) = ranges
    let frame = Self.frame
    let (width, height) = (Self.size.width, Self.size.height)
    func place(_ x: Double) -> Double {
      frame.left + (x - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
        * (width - frame.left - frame.right)
    }
    func rise(_ y: Double) -> Double {
      height - frame.bottom - (y - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound)
        * (height - frame.top - frame.bottom)
    }
    func f(_ value: Double) -> String { String(format: "%.1f", value) }
    var text =
      "<text x=\"\(f(width / 2))\" y=\"20\" text-anchor=\"middle\" "
      + "font-size=\"14\">\(Self.escaped(title))</text>\n"
    for tick in isLogarithmicX ? Self.decades(xRange) : Self.ticks(xRange) {
      let label = Self.label(isLogarithmicX ? pow(10, tick) : tick)
      text +=
        "<line x1=\"\(f(place(tick)))\" x2=\"\(f(place(tick)))\" y1=\"\(f(frame.top))\" "
        + "y2=\"\(f(height - frame.bottom))\" stroke=\"#e4e4e4\"/>\n"
        + "<text x=\"\(f(place(tick)))\" y=\"\(f(height - frame.bottom + 17))\" "
        + "text-anchor=\"middle\">\(label)</text>\n"
    }
    for tick in isLogarithmic ? Self.decades(yRange) : Self.ticks(yRange) {
      let label = isLogarithmic ? Self.label(pow(10, tick)) : Self.label(tick)
      text +=
        "<line x1=\"\(f(frame.left))\" x2=\"\(f(width - frame.right))\" "
        + "y1=\"\(f(rise(tick)))\" y2=\"\(f(rise(tick)))\" stroke=\"#e4e4e4\"/>\n"
        + "<text x=\"\(f(frame.left - 7))\" y=\"\(f(rise(tick) + 4))\" "
        + "text-anchor=\"end\">\(label)</text>\n"
    }
    text +=
      "<rect x=\"\(f(frame.left))\" y=\"\(f(frame.top))\" "
      + "width=\"\(f(width - frame.left - frame.right))\" "
      + "height=\"\(f(height - frame.top - frame.bottom))\" fill=\"none\" stroke=\"#404040\"/>\n"
      + "<text x=\"\(f((frame.left + width - frame.right) / 2))\" y=\"\(f(height - 10))\" "
      + "text-anchor=\"middle\">\(Self.escaped(xTitle))</text>\n"
      + "<text transform=\"translate(16,\(f(height / 2))) rotate(-90)\" "
      + "text-anchor=\"middle\">\(Self.escaped(yTitle))</text>\n"
    for line in series {
      let spots = line.points.filter(isShown).map {
        (f(place(scaledX($0.x))), f(rise(scaled($0.y))))
      }
      let path = spots.map { "\($0.0),\($0.1)" }.joined(separator: " ")
      if !drawsDots {
        text += "<polyline points=\"\(path)\" fill=\"none\" \(line.stroke(1.7))/>\n"
      }
      // Few points are measurements; many are a curve.
      for spot in spots where drawsDots || spots.count <= 24 && isLogarithmic {
        let radius = drawsDots ? 2 : 3
        text +=
          "<circle cx=\"\(spot.0)\" cy=\"\(spot.1)\" r=\"\(radius)\" \(line.stroke(1.2)) fill=\"white\"/>\n"
      }
    }
    let box = (width: legendWidth, height: legendHeight)
    let inside = [
      (width - frame.right - box.width - 6, frame.top + 6), (frame.left + 6, frame.top + 6),
      (frame.left + 6, height - frame.bottom - box.height - 6),
      (width - frame.right - box.width - 6, height - frame.bottom - box.height - 6),
    ]
    let corners = hasLegendBeside ? [(width + 4, frame.top)] : inside
    // The legend stands in the corner where it covers the fewest points.
    let places = series.flatMap(\.points).map { (place(scaledX($0.x)), rise(scaled($0.y))) }
    let covered = corners.map { corner in
      places.count {
        (corner.0...corner.0 + box.width).contains($0.0)
          && (corner.1...corner.1 + box.height).contains($0.1)
      }
    }
    let corner = corners[covered.firstIndex(of: covered.min() ?? 0) ?? 0]
    text +=
      "<rect x=\"\(f(corner.0))\" y=\"\(f(corner.1))\" width=\"\(f(box.width))\" "
      + "height=\"\(f(box.height))\" fill=\"white\" fill-opacity=\"0.85\"/>\n"
    for (index, line) in series.enumerated() {
      let y = corner.1 + 16 + 17 * Double(index)
      text +=
        "<line x1=\"\(f(corner.0 + 6))\" x2=\"\(f(corner.0 + 36))\" y1=\"\(f(y - 4))\" "
        + "y2=\"\(f(y - 4))\" \(line.stroke(2))/>\n"
        + "<text x=\"\(f(corner.0 + 42))\" y=\"\(f(y))\">\(Self.escaped(line.name))</text>\n"
    }
    return text
  }

  /// Returns round numbers inside a range, about five of them.
  static func ticks(_ range: ClosedRange<Double>) -> [Double] {
    let rough = (range.upperBound - range.lowerBound) / 5
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    let first = Int((range.lowerBound / step).rounded(.up))
    let last = Int((range.upperBound / step).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// Returns the logarithms of powers of ten inside a range, or of multiples of them.
  private static func decades(_ range: ClosedRange<Double>) -> [Double] {
    let (first, last) = (Int(floor(range.lowerBound)), Int(floor(range.upperBound)))
    let choices: [[Double]] = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]]
    let ticks = choices.map { factors in
      (first...last).flatMap { power in factors.map { Double(power) + log10($0) } }
        .filter { range.contains($0) }
    }
    return ticks.first { $0.count > 2 } ?? ticks[2]
  }

  private static func label(_ value: Double) -> String { String(format: "%.4g", value) }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
  }
}
