// Trees over uniform grids: level ℓ cuts the unit cube into 2^ℓ cells in each dimension.
//
// Boxes are numbered in Z-order: d bits of the box number for each level, those of the root's
// children in front, the bit of the first dimension first. In one dimension that is left to right.
//
// Of N points of a dimension cell c of level ℓ holds floor(c·N/2^ℓ) ..< floor((c + 1)·N/2^ℓ). So the cells of a level
// have floor(N/2^ℓ) or ceil(N/2^ℓ) of them, each is the union of its children, and where N is a multiple of
// 2^ℓ all are equal. Boxes are measured and compared as cells, never by the points that they happen to have: which
// pairs are near then is a matter of cells alone, the same on every grid of a level.

extension ClusterTree {
  /// Makes the tree of the cells of a uniform grid.
  ///
  /// With `leaf`, N = 2^L · m must hold in every dimension with one common L. With `levels` given, the leaves may
  /// have other sizes in other dimensions, and where N is not a multiple of 2^L two neighbouring sizes.
  ///
  /// - Parameters:
  ///   - points: A grid.
  ///   - leaf: The number m of points of a leaf in each dimension; not used if `levels` is given.
  ///   - levels: The number L of levels below the root.
  /// - Returns: The tree, 2^d children for each box; no box is empty.
  /// - Throws: ``ClusterTreeError`` if the points are no grid, or do not split that way.
  /// - Complexity: O(count + boxes · levels).
  public static func uniform(
    _ points: PointSet, leaf: Int?, levels: Int?
  ) throws(ClusterTreeError) -> ClusterTree {
    guard let shape = points.gridShape else {
      throw ClusterTreeError(
        message: "a uniform tree needs a uniform grid, found a cloud of "
          + "\(ClusterTreeError.counted(points.count, "point")): use bisection")
    }
    let depth = try uniformLevels(shape: shape, leaf: leaf, levels: levels)
    let dimension = shape.count
    let cuts = shape.map { size in (0...1 << depth).map { ($0 * size) >> depth } }
    var order: [Int32] = []
    var leafOffsets = [0]
    order.reserveCapacity(points.count)
    for box in 0..<1 << (dimension * depth) {
      let sides = (0..<dimension).map { axis in
        let cell = zOrderCell(level: depth, box: box, axis: axis, dimension: dimension)
        return cuts[axis][cell]..<cuts[axis][cell + 1]
      }
      let count = sides.reduce(1) { $0 * $1.count }
      for local in 0..<count {
        var point = 0
        var stride = count
        for axis in 0..<dimension {
          stride /= sides[axis].count
          point = point * shape[axis] + sides[axis].lowerBound + local / stride % sides[axis].count
        }
        order.append(Int32(point))
      }
      leafOffsets.append(order.count)
    }
    return ClusterTree(
      points: points, levels: depth, arity: 1 << dimension, scaled: nil, order: order,
      leafOffsets: leafOffsets)
  }

  /// Whether all leaves have the same number of points in each dimension.
  public var hasEqualLeaves: Bool {
    guard isUniform, let shape = points.gridShape else { return false }
    return shape.allSatisfy { $0.isMultiple(of: 1 << levels) }
  }

  /// The integer coordinates of a box among the cells of its level.
  ///
  /// - Parameters:
  ///   - level: The level of the box, 0 for the root.
  ///   - box: The number of the box on its level.
  /// - Returns: A number in 0 ..< 2^level for each dimension; nil if the tree is not uniform.
  public func cell(level: Int, box: Int) -> [Int]? {
    check(level: level, box: box)
    guard isUniform else { return nil }
    return (0..<points.dimension).map {
      Self.zOrderCell(level: level, box: box, axis: $0, dimension: points.dimension)
    }
  }

  /// The box that is a given cell of its level: the inverse of ``cell(level:box:)``.
  ///
  /// - Parameters:
  ///   - level: The level, 0 for the root.
  ///   - cell: A number in 0 ..< 2^level for each dimension.
  /// - Returns: The number of the box on its level; nil if the tree is not uniform.
  public func box(level: Int, cell: [Int]) -> Int? {
    checkLevel(level)
    precondition(
      cell.count == points.dimension && cell.allSatisfy { 0 <= $0 && $0 < 1 << level },
      "cell \(cell) asked for on a level of \(1 << level) cells in \(points.dimension) dimensions")
    guard isUniform else { return nil }
    var box = 0
    for bit in stride(from: level - 1, through: 0, by: -1) {
      for index in cell { box = box << 1 | (index >> bit & 1) }
    }
    return box
  }

  /// Returns one integer coordinate of a box in Z-order.
  static func zOrderCell(level: Int, box: Int, axis: Int, dimension: Int) -> Int {
    var index = 0
    for bit in 0..<level {
      index |= (box >> (bit * dimension + dimension - 1 - axis) & 1) << bit
    }
    return index
  }

  /// Returns the number of levels, after checking that the grid splits that way.
  private static func uniformLevels(
    shape: [Int], leaf: Int?, levels: Int?
  ) throws(ClusterTreeError) -> Int {
    let name = ClusterTreeError.shape(shape)
    // On the deepest level no box is empty.
    let least = shape.min() ?? 1
    let deepest = Int.bitWidth - 1 - least.leadingZeroBitCount
    if let levels {
      guard (0...deepest).contains(levels) else {
        throw ClusterTreeError(
          message:
            "a grid of \(name) points cannot fill the boxes of a tree of \(levels) levels, 2^L in "
            + "each dimension: use 0 to \(deepest) levels")
      }
      return levels
    }
    guard let leaf else {
      throw ClusterTreeError(message: "the size of a uniform tree is not given: set leaf or levels")
    }
    let size = shape[0]
    guard shape.allSatisfy({ $0 == size }) else {
      throw ClusterTreeError(
        message: "a grid of \(name) points has no leaf of \(leaf) points in each dimension: "
          + "give `levels` instead, 0 to \(deepest)")
    }
    guard leaf >= 1, size.isMultiple(of: leaf), (size / leaf).nonzeroBitCount == 1 else {
      let fitting = (0...size.trailingZeroBitCount).reversed().map { "\(size >> $0)" }
      let shown = fitting.prefix(4).joined(separator: ", ")
      throw ClusterTreeError(
        message: "\(ClusterTreeError.counted(size, "point")) do not split into 2^L leaves of "
          + "\(ClusterTreeError.counted(leaf, "point")): use a leaf of \(shown)"
          + (fitting.count > 4 ? ", …" : "")
          + ", or give `levels` instead, 0 to \(deepest), for leaves of two neighbouring sizes")
    }
    return (size / leaf).trailingZeroBitCount
  }
}
