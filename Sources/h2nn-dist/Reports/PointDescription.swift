import ClusterTrees

/// Points in words, for messages.
struct PointDescription {
  /// The grid that `inspect` and `bench` take unless they are given one.
  static let standardShape = [320]

  let text: String

  init(_ points: PointSet, _ outputs: PointSet? = nil) {
    let here =
      if let shape = points.gridShape {
        "a grid of \(shape.map(String.init).joined(separator: "x")) points"
      } else {
        "\(points.count) points in \(points.dimension) dimensions"
      }
    text = here + (outputs.map { " with outputs on \(PointDescription($0).text)" } ?? "")
  }
}
