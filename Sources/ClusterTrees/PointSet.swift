/// n points in 1, 2 or 3 dimensions.
///
/// A uniform grid is a point set that remembers its shape: trees over it are made and compared in
/// integer arithmetic.
public struct PointSet: Sendable, Equatable {
  /// The number of coordinates of a point: 1, 2 or 3.
  public let dimension: Int
  /// The number of points, at least 1.
  public let count: Int
  /// The coordinates, point-major: `[count][dimension]`, all finite.
  public let coordinates: [Double]
  /// The sizes of the cell-centred uniform grid of the unit cube, or nil for a cloud.
  ///
  /// As `[320]` or `[80, 80]`; points are in row-major order, the last index runs fastest.
  public let gridShape: [Int]?

  /// Makes the cell-centred uniform grid of the unit cube.
  ///
  /// Point (i, j, …) stands at ((i + 1/2)/n₀, (j + 1/2)/n₁, …); row-major order.
  ///
  /// - Parameter shape: The number of points in each dimension.
  /// - Returns: The points, with their `gridShape`.
  /// - Precondition: 1 to 3 sizes, each at least 1, and at most 2³¹ − 1 points in all.
  /// - Complexity: O(count).
  public static func grid(_ shape: [Int]) -> PointSet {
    precondition((1...3).contains(shape.count), "1 to 3 dimensions needed, \(shape.count) given")
    var count = 1
    for size in shape {
      precondition(size >= 1, "sizes of a grid must be at least 1, found \(size) in \(shape)")
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      precondition(
        !overflow && product <= Int(Int32.max),
        "at most \(Int32.max) points possible, found a grid of \(shape)")
      count = product
    }
    var coordinates: [Double] = []
    coordinates.reserveCapacity(count * shape.count)
    var index = [Int](repeating: 0, count: shape.count)
    for _ in 0..<count {
      for axis in shape.indices {
        // One rounding: both numbers are exact.
        coordinates.append(Double(2 * index[axis] + 1) / Double(2 * shape[axis]))
      }
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
        axis -= 1
      }
    }
    return PointSet(
      dimension: shape.count, count: count, coordinates: coordinates, gridShape: shape)
  }

  /// Makes a cloud of points.
  ///
  /// - Parameters:
  ///   - coordinates: The coordinates, point-major: `[count][dimension]`.
  ///   - dimension: The number of coordinates of a point: 1, 2 or 3.
  /// - Throws: ``ClusterTreeError`` if there is no point, the numbers do not make whole points, or a
  ///   coordinate is not finite.
  public init(coordinates: [Double], dimension: Int) throws(ClusterTreeError) {
    guard (1...3).contains(dimension) else {
      throw ClusterTreeError(
        message: "points of \(dimension) dimensions are not supported: give 1, 2 or 3 coordinates")
    }
    guard !coordinates.isEmpty else {
      throw ClusterTreeError(message: "the point set is empty: give at least 1 point")
    }
    guard coordinates.count.isMultiple(of: dimension) else {
      throw ClusterTreeError(
        message: "\(coordinates.count) coordinates do not make points of \(dimension) dimensions: "
          + "give a multiple of \(dimension)")
    }
    let count = coordinates.count / dimension
    guard count <= Int(Int32.max) else {
      throw ClusterTreeError(
        message: "\(count) points are too many: at most \(Int32.max) can be numbered")
    }
    if let position = coordinates.firstIndex(where: { !$0.isFinite }) {
      throw ClusterTreeError(
        message: "coordinate \(position % dimension) of point \(position / dimension) is "
          + "\(coordinates[position]): all coordinates must be finite")
    }
    self.init(dimension: dimension, count: count, coordinates: coordinates, gridShape: nil)
  }

  private init(dimension: Int, count: Int, coordinates: [Double], gridShape: [Int]?) {
    self.dimension = dimension
    self.count = count
    self.coordinates = coordinates
    self.gridShape = gridShape
  }
}
