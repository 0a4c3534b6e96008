/// A hierarchy of boxes over a set of points, all leaves on one level, numbered depth first.
///
/// Level 0 is the root, level ``levels`` the leaves. On each level the children of a box are
/// consecutive, and the points of a box are a range of ``order``.
public struct ClusterTree: Sendable, Equatable {
  /// The points, in their original order.
  public let points: PointSet
  /// The level L of the leaves; a tree of L = 0 is the root alone.
  public let levels: Int
  /// The number of children of every box above the leaves.
  public let arity: Int
  /// Whether the boxes are cells of a uniform grid, 2^ℓ in each dimension on level ℓ.
  ///
  /// They are measured as cells of the unit cube, also where the points of the grid do not split evenly.
  public let isUniform: Bool
  /// The original index of the k-th point in depth-first box order.
  ///
  /// In a leaf the points are in ascending order of their original index.
  public let order: [Int32]

  /// The number of points before each leaf, and their total.
  let leafOffsets: [Int]
  /// The number of boxes on each level.
  let boxCounts: [Int]
  /// The number of boxes on the levels before each level.
  let boxOffsets: [Int]
  /// The centres of all boxes in units of 1/`scale`, `[level][box][dimension]`.
  let scaledCentres: [Double]
  /// The longest sides of all boxes in units of 1/`scale`, `[level][box]`.
  let scaledExtents: [Double]
  /// The number of units in a length of 1.
  let scale: Int

  /// The number of boxes on a level.
  ///
  /// - Parameter level: The level, 0 for the root.
  /// - Returns: `arity` to the power of `level`.
  public func boxCount(level: Int) -> Int {
    checkLevel(level)
    return boxCounts[level]
  }

  /// The points of a box, as positions in ``order``.
  ///
  /// - Parameters:
  ///   - level: The level of the box, 0 for the root.
  ///   - box: The number of the box on its level.
  /// - Returns: A range that is never empty.
  public func pointRange(level: Int, box: Int) -> Range<Int> {
    check(level: level, box: box)
    let leaves = boxCounts[levels - level]
    return leafOffsets[box * leaves]..<leafOffsets[(box + 1) * leaves]
  }

  /// The children of a box, as box numbers on the next level.
  ///
  /// - Parameters:
  ///   - level: The level of the box, 0 for the root.
  ///   - box: The number of the box on its level.
  /// - Returns: A range of ``arity`` boxes; empty for a leaf.
  public func children(level: Int, box: Int) -> Range<Int> {
    check(level: level, box: box)
    guard level < levels else { return 0..<0 }
    return box * arity..<(box + 1) * arity
  }

  /// The parent of a box, as a box number on the level above.
  ///
  /// - Parameters:
  ///   - level: The level of the box, at least 1.
  ///   - box: The number of the box on its level.
  /// - Returns: The box of level `level` − 1 that has `box` among its children.
  public func parent(level: Int, box: Int) -> Int {
    check(level: level, box: box)
    precondition(level > 0, "a box of level 1 to \(levels) needed: level \(level) has no parents")
    return box / arity
  }

  /// The centre of the bounding box of a box.
  ///
  /// - Parameters:
  ///   - level: The level of the box, 0 for the root.
  ///   - box: The number of the box on its level.
  /// - Returns: The coordinates; on a uniform tree those of the cell, else on a grid those of the cells of the
  ///   points.
  public func centre(level: Int, box: Int) -> [Double] {
    (0..<points.dimension).map { centre(level: level, box: box, axis: $0) }
  }

  /// One coordinate of the centre of the bounding box of a box.
  ///
  /// - Parameters:
  ///   - level: The level of the box, 0 for the root.
  ///   - box: The number of the box on its level.
  ///   - axis: The number of the coordinate.
  /// - Returns: The coordinate.
  public func centre(level: Int, box: Int, axis: Int) -> Double {
    check(level: level, box: box)
    precondition(
      (0..<points.dimension).contains(axis),
      "axis \(axis) of points of \(points.dimension) dimensions asked for")
    return scaledCentres[(boxOffsets[level] + box) * points.dimension + axis] / Double(scale)
  }

  /// The size α of a box: the longest side of its bounding box.
  ///
  /// On a uniform tree it is the side of a cell, 2^−ℓ. Else on a grid the bounding box is that of the cells of the
  /// points, so that m points in a row are m·h long; on a cloud it is that of the points, and zero for a
  /// single point.
  ///
  /// - Parameters:
  ///   - level: The level of the box, 0 for the root.
  ///   - box: The number of the box on its level.
  /// - Returns: The longest side.
  public func extent(level: Int, box: Int) -> Double {
    check(level: level, box: box)
    return scaledExtents[boxOffsets[level] + box] / Double(scale)
  }
}

extension ClusterTree {
  /// Makes a tree of boxes that are already chosen, and measures them.
  ///
  /// - Parameters:
  ///   - points: The points.
  ///   - levels: The level of the leaves.
  ///   - arity: The number of children of a box.
  ///   - scaled: The points in the unit in which boxes are measured; nil for the cells of a uniform tree.
  ///   - order: The points in the order of the leaves.
  ///   - leafOffsets: The number of points before each leaf, and their total.
  init(
    points: PointSet, levels: Int, arity: Int, scaled: ScaledPoints?, order: [Int32],
    leafOffsets: [Int]
  ) {
    self.points = points
    self.levels = levels
    self.arity = arity
    self.isUniform = scaled == nil
    self.order = order
    self.leafOffsets = leafOffsets
    var boxCounts = [1]
    var boxOffsets = [0]
    for level in 0..<levels {
      boxOffsets.append(boxOffsets[level] + boxCounts[level])
      boxCounts.append(boxCounts[level] * arity)
    }
    assert(leafOffsets.count == boxCounts[levels] + 1)
    assert(leafOffsets.last == points.count && order.count == points.count)
    self.boxCounts = boxCounts
    self.boxOffsets = boxOffsets
    let measures =
      scaled.map {
        BoxMeasures(
          $0, dimension: points.dimension, order: order, leafOffsets: leafOffsets,
          boxCounts: boxCounts)
      } ?? BoxMeasures(cells: levels, dimension: points.dimension)
    scale = measures.scale
    scaledCentres = measures.centres
    scaledExtents = measures.extents
  }

  func checkLevel(_ level: Int) {
    precondition(
      (0...levels).contains(level), "level \(level) of a tree of levels 0 to \(levels) asked for")
  }

  func check(level: Int, box: Int) {
    checkLevel(level)
    precondition(
      (0..<boxCounts[level]).contains(box),
      "box \(box) of \(boxCounts[level]) boxes on level \(level) asked for")
  }
}
