// The coordinates in which boxes are measured and compared.
//
// On a grid of n₀ × n₁ × … points the unit is 1/(2M), M the least common multiple of the sizes: points,
// box centres and box sides are then integers, held exactly in Doubles, so that equal distances
// compare equal wherever on the grid they are found. On a cloud the unit is 1.

/// The points of a set in units in which those of a grid are integers.
struct ScaledPoints {
  /// The coordinates times `scale`, point-major.
  let values: [Double]
  /// Half the side of a grid cell times `scale` for each dimension; zero on clouds.
  ///
  /// A box of a grid is the union of the cells of its points, and not only their bounding box.
  let halfCell: [Double]
  /// The number of units in a length of 1.
  let scale: Int

  init(_ points: PointSet) {
    guard let shape = points.gridShape else {
      self.values = points.coordinates
      self.halfCell = [Double](repeating: 0, count: points.dimension)
      self.scale = 1
      return
    }
    // At most the product of the sizes, which is the number of points.
    let multiple = shape.reduce(1) { leastCommonMultiple($0, $1) ?? 1 }
    let half = shape.map { multiple / $0 }
    var values: [Double] = []
    values.reserveCapacity(points.coordinates.count)
    for point in 0..<points.count {
      var stride = points.count
      for axis in shape.indices {
        stride /= shape[axis]
        let index = point / stride % shape[axis]
        values.append(Double((2 * index + 1) * half[axis]))
      }
    }
    self.values = values
    self.halfCell = half.map { Double($0) }
    self.scale = 2 * multiple
  }
}

/// Returns the least common multiple of two positive numbers, or nil if it does not fit.
func leastCommonMultiple(_ a: Int, _ b: Int) -> Int? {
  var (x, y) = (a, b)
  while y != 0 { (x, y) = (y, x % y) }
  let (product, overflow) = (a / x).multipliedReportingOverflow(by: b)
  return overflow ? nil : product
}
