public import ClusterTrees

/// A tree of clusters of rows or of columns: an order of the indices, cut into ranges and these again.
///
/// A cluster is a range of places in ``order``. Its parts follow each other and fill it; a leaf has none.
public struct IndexTree: Sendable, Equatable {
  /// The original index at each place.
  public let order: [Int]
  /// The places of each cluster; the whole comes first, a cluster before its parts.
  public let ranges: [Range<Int>]
  /// The parts of each cluster, as a range of clusters; empty for a leaf.
  public let parts: [Range<Int>]

  /// The number of indices.
  public var count: Int { order.count }

  /// Whether the order is that of the indices themselves.
  public var isNatural: Bool { order.indices.allSatisfy { order[$0] == $0 } }

  /// Makes a tree of one cluster.
  ///
  /// - Parameter count: The number of indices.
  /// - Returns: The tree, in natural order.
  /// - Throws: ``HierarchicalMatrixError`` if the count is not positive.
  public static func whole(count: Int) throws(HierarchicalMatrixError) -> IndexTree {
    try halving(count: count, leaf: max(count, 1))
  }

  /// Makes a tree over ordered positions: each cluster is cut at ⌊n/2⌋ until it has at most `leaf` places.
  ///
  /// - Parameters:
  ///   - count: The number of indices.
  ///   - leaf: The largest number of places of a leaf.
  /// - Returns: The tree, in natural order.
  /// - Throws: ``HierarchicalMatrixError`` if a number is not positive.
  public static func halving(
    count: Int, leaf: Int = 32
  ) throws(HierarchicalMatrixError) -> IndexTree {
    guard count >= 1 else {
      throw HierarchicalMatrixError(.input, "a tree of \(count) indices: give at least 1")
    }
    return try halving(order: Array(0..<count), leaf: leaf)
  }

  /// Makes a tree over indices in a given order, cut as `halving(count:leaf:)` does.
  static func halving(order: [Int], leaf: Int) throws(HierarchicalMatrixError) -> IndexTree {
    guard leaf >= 1 else {
      throw HierarchicalMatrixError(.input, "leaves of at most \(leaf) places: give at least 1")
    }
    var ranges = [0..<order.count]
    var parts: [Range<Int>] = []
    while parts.count < ranges.count {
      let range = ranges[parts.count]
      guard range.count > leaf else {
        parts.append(ranges.count..<ranges.count)
        continue
      }
      let middle = range.lowerBound + range.count / 2
      parts.append(ranges.count..<ranges.count + 2)
      ranges += [range.lowerBound..<middle, middle..<range.upperBound]
    }
    return IndexTree(order: order, ranges: ranges, parts: parts)
  }

  /// Takes over a tree of boxes of points, one point per row or column.
  ///
  /// - Parameter tree: The tree of boxes.
  public init(_ tree: ClusterTree) {
    var ranges = [tree.pointRange(level: 0, box: 0)]
    var parts: [Range<Int>] = []
    for level in 0...tree.levels {
      for box in 0..<tree.boxCount(level: level) {
        let first = ranges.count
        for child in tree.children(level: level, box: box) {
          ranges.append(tree.pointRange(level: level + 1, box: child))
        }
        parts.append(first..<ranges.count)
      }
    }
    self.init(order: tree.order.map { Int($0) }, ranges: ranges, parts: parts)
  }

  private init(order: [Int], ranges: [Range<Int>], parts: [Range<Int>]) {
    (self.order, self.ranges, self.parts) = (order, ranges, parts)
  }
}
