/// The centres and longest sides of all boxes of a tree, in units of 1/`scale`.
struct BoxMeasures {
  /// The number of units in a length of 1.
  let scale: Int
  /// The centres, `[level][box][dimension]`.
  let centres: [Double]
  /// The longest sides, `[level][box]`.
  let extents: [Double]

  /// Measures the cells of a uniform tree: 2^ℓ in each dimension of the unit cube on level ℓ.
  ///
  /// The unit is half the side of a leaf, so that all is integer. The points of a cell may reach over its ends, or
  /// fall short of them, by less than the distance of two points.
  init(cells levels: Int, dimension: Int) {
    scale = 2 << levels
    var centres: [Double] = []
    var extents: [Double] = []
    for level in 0...levels {
      let side = scale >> level
      let boxes = 1 << (dimension * level)
      extents += [Double](repeating: Double(side), count: boxes)
      for box in 0..<boxes {
        for axis in 0..<dimension {
          let cell = ClusterTree.zOrderCell(
            level: level, box: box, axis: axis, dimension: dimension)
          centres.append(Double(side / 2 * (2 * cell + 1)))
        }
      }
    }
    self.centres = centres
    self.extents = extents
  }

  /// Measures the bounding boxes of points, from the leaves upward.
  ///
  /// - Parameters:
  ///   - points: The points in units.
  ///   - dimension: The number of their coordinates.
  ///   - order: The points in the order of the boxes.
  ///   - leafOffsets: The number of points before each leaf, and their total.
  ///   - boxCounts: The number of boxes on each level.
  init(
    _ points: ScaledPoints, dimension: Int, order: [Int32], leafOffsets: [Int], boxCounts: [Int]
  ) {
    let levels = boxCounts.count - 1
    let boxOffsets = boxCounts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let total = boxOffsets[levels + 1]
    var low = [Double](repeating: .infinity, count: total * dimension)
    var high = [Double](repeating: -.infinity, count: total * dimension)
    for leaf in 0..<boxCounts[levels] {
      for position in leafOffsets[leaf]..<leafOffsets[leaf + 1] {
        for axis in 0..<dimension {
          let value = points.values[Int(order[position]) * dimension + axis]
          let slot = (boxOffsets[levels] + leaf) * dimension + axis
          low[slot] = min(low[slot], value - points.halfCell[axis])
          high[slot] = max(high[slot], value + points.halfCell[axis])
        }
      }
    }
    for level in stride(from: levels, to: 0, by: -1) {
      let arity = boxCounts[level] / boxCounts[level - 1]
      for box in 0..<boxCounts[level] {
        for axis in 0..<dimension {
          let slot = (boxOffsets[level] + box) * dimension + axis
          let above = (boxOffsets[level - 1] + box / arity) * dimension + axis
          low[above] = min(low[above], low[slot])
          high[above] = max(high[above], high[slot])
        }
      }
    }
    scale = points.scale
    centres = zip(low, high).map { 0.5 * $0 + 0.5 * $1 }
    extents = (0..<total).map { box in
      (box * dimension..<(box + 1) * dimension).reduce(0) { max($0, high[$1] - low[$1]) }
    }
  }
}
