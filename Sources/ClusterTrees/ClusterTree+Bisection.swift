// Trees over clouds: each box is split by count into equal parts along one direction.
//
// Parts are cut at floor(k·n/η), so that all boxes of a level have floor(N/η^ℓ) or ceil(N/η^ℓ) points;
// that is why the depth is known before anything is split.

extension ClusterTree {
  /// Makes a tree by splitting the points by count.
  ///
  /// Each box is split into `arity` parts whose sizes differ by at most one, along the direction
  /// that `split` names, equal coordinates in order of the original index. All leaves are on one
  /// level: the smallest on which no box has more than `leaf` points, or `levels`.
  ///
  /// - Parameters:
  ///   - points: The points; a grid is split like a cloud, its boxes are measured as cells.
  ///   - leaf: The largest number of points in a leaf; not used if `levels` is given.
  ///   - levels: The number L of levels below the root.
  ///   - arity: The number η of parts of a box, at least 2.
  ///   - split: The direction along which a box is split.
  /// - Returns: The tree; no box is empty.
  /// - Throws: ``ClusterTreeError`` if there are too few points for so many boxes.
  /// - Complexity: O(count · levels) on average, O(count · levels · log(count)) at worst.
  public static func bisection(
    _ points: PointSet, leaf: Int?, levels: Int?, arity: Int = 2, split: SplitRule = .longestSide
  ) throws(ClusterTreeError) -> ClusterTree {
    let depth = try bisectionLevels(
      count: points.count, leaf: leaf, levels: levels, arity: arity)
    let scaled = ScaledPoints(points)
    var splitter = Splitter(
      points: scaled, dimension: points.dimension, count: points.count, arity: arity, rule: split)
    splitter.split(0..<points.count, levels: depth)
    var order = splitter.items.map(\.index)
    let offsets = splitter.leafOffsets + [points.count]
    for leaf in 0..<offsets.count - 1 {
      order[offsets[leaf]..<offsets[leaf + 1]].sort()
    }
    return ClusterTree(
      points: points, levels: depth, arity: arity, scaled: scaled, order: order,
      leafOffsets: offsets)
  }

  /// Returns the number of levels, after checking that no box will be empty.
  private static func bisectionLevels(
    count: Int, leaf: Int?, levels: Int?, arity: Int
  ) throws(ClusterTreeError) -> Int {
    guard arity >= 2 else {
      throw ClusterTreeError(
        message: "boxes cannot be split into \(ClusterTreeError.counted(arity, "part")): "
          + "use an arity of at least 2")
    }
    var deepest = 0
    var most = 1
    while most <= count / arity {
      most *= arity
      deepest += 1
    }
    let amount = ClusterTreeError.counted(count, "point")
    if let levels {
      guard (0...deepest).contains(levels) else {
        throw ClusterTreeError(
          message: "\(amount) cannot fill the boxes of a tree of \(levels) levels and arity "
            + "\(arity): use 0 to \(deepest) levels")
      }
      return levels
    }
    guard let leaf else {
      throw ClusterTreeError(message: "the size of a tree is not given: set leaf or levels")
    }
    let smallest = (count + most - 1) / most
    guard leaf >= smallest else {
      throw ClusterTreeError(
        message: "\(amount) do not split into leaves of at most \(leaf) on one level, none of them "
          + "empty, with arity \(arity): use a leaf of at least \(smallest)")
    }
    var depth = 0
    var boxes = 1
    while (count + boxes - 1) / boxes > leaf {
      boxes *= arity
      depth += 1
    }
    return depth
  }
}

/// The recursion that splits points into boxes.
private struct Splitter {
  let points: ScaledPoints
  let dimension: Int
  let arity: Int
  let rule: SplitRule
  var items: [SplitItem]
  var leafOffsets: [Int] = []

  init(points: ScaledPoints, dimension: Int, count: Int, arity: Int, rule: SplitRule) {
    self.points = points
    self.dimension = dimension
    self.arity = arity
    self.rule = rule
    self.items = (0..<Int32(count)).map { SplitItem(key: 0, index: $0) }
  }

  /// Splits a range into boxes `levels` levels below it.
  mutating func split(_ range: Range<Int>, levels: Int) {
    guard levels > 0 else {
      leafOffsets.append(range.lowerBound)
      return
    }
    setKeys(range)
    let cuts = (0...arity).map { range.lowerBound + $0 * range.count / arity }
    items.partition(range, at: cuts[1..<arity])
    for part in 0..<arity {
      split(cuts[part]..<cuts[part + 1], levels: levels - 1)
    }
  }

  /// Sets the position of each point of a range along the direction of the split.
  private mutating func setKeys(_ range: Range<Int>) {
    let (axis, side) = longestSide(range)
    if rule == .principalDirection, let direction = principalDirection(range, side: side) {
      for position in range {
        let first = Int(items[position].index) * dimension
        var key = 0.0
        for axis in 0..<dimension {
          key += direction[axis] * (points.values[first + axis] / side)
        }
        items[position].key = key
      }
    } else {
      for position in range {
        items[position].key = points.values[Int(items[position].index) * dimension + axis]
      }
    }
  }

  private func longestSide(_ range: Range<Int>) -> (axis: Int, side: Double) {
    var best = (axis: 0, side: -Double.infinity)
    for axis in 0..<dimension {
      var (low, high) = (Double.infinity, -Double.infinity)
      for position in range {
        let value = points.values[Int(items[position].index) * dimension + axis]
        low = min(low, value)
        high = max(high, value)
      }
      let side = high - low + 2 * points.halfCell[axis]
      if side > best.side { best = (axis, side) }
    }
    return best
  }

  /// Returns the direction of largest variance, or nil if the points give none.
  private func principalDirection(_ range: Range<Int>, side: Double) -> [Double]? {
    guard side > 0, side.isFinite else { return nil }
    var mean = [Double](repeating: 0, count: dimension)
    for position in range {
      let first = Int(items[position].index) * dimension
      for axis in 0..<dimension {
        mean[axis] += points.values[first + axis] / Double(range.count)
      }
    }
    var spread = PrincipalDirection(dimension: dimension)
    var deviations = mean
    for position in range {
      let first = Int(items[position].index) * dimension
      for axis in 0..<dimension {
        // Divided by the side, so that squares neither overflow nor vanish.
        deviations[axis] = (points.values[first + axis] - mean[axis]) / side
      }
      spread.add(deviations)
    }
    return spread.direction()
  }
}
