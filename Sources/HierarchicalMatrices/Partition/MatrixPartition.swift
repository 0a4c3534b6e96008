public import ClusterTrees

/// The trees of the rows and of the columns of a matrix.
public struct MatrixPartition: Sendable, Equatable {
  /// The clusters of rows.
  public let rows: IndexTree
  /// The clusters of columns.
  public let columns: IndexTree

  /// Joins two trees.
  ///
  /// - Parameters:
  ///   - rows: The clusters of rows.
  ///   - columns: The clusters of columns.
  public init(rows: IndexTree, columns: IndexTree) {
    (self.rows, self.columns) = (rows, columns)
  }

  /// Makes trees over rows and columns in their own order.
  ///
  /// - Parameters:
  ///   - rows: The number of rows.
  ///   - columns: The number of columns.
  ///   - leaf: The largest number of rows or columns of a leaf.
  /// - Returns: The trees.
  /// - Throws: ``HierarchicalMatrixError`` if a number is not positive.
  public static func ordered(
    rows: Int, columns: Int, leaf: Int = 32
  ) throws(HierarchicalMatrixError) -> MatrixPartition {
    MatrixPartition(
      rows: try .halving(count: rows, leaf: leaf),
      columns: try .halving(count: columns, leaf: leaf))
  }

  /// Makes trees of one cluster each, which give one block: the truncated decomposition of the whole matrix.
  ///
  /// - Parameters:
  ///   - rows: The number of rows.
  ///   - columns: The number of columns.
  /// - Returns: The trees.
  /// - Throws: ``HierarchicalMatrixError`` if a number is not positive.
  public static func whole(
    rows: Int, columns: Int
  ) throws(HierarchicalMatrixError) -> MatrixPartition {
    MatrixPartition(rows: try .whole(count: rows), columns: try .whole(count: columns))
  }

  /// Makes trees over the points that rows and columns belong to.
  ///
  /// - Parameters:
  ///   - rows: The points of the rows.
  ///   - columns: The points of the columns.
  ///   - leaf: The largest number of points of a leaf.
  /// - Returns: The trees, by bisection along the longest side.
  /// - Throws: `ClusterTreeError` if the points cannot be split so.
  public static func points(
    rows: PointSet, columns: PointSet, leaf: Int = 32
  ) throws(ClusterTreeError) -> MatrixPartition {
    MatrixPartition(
      rows: IndexTree(try .bisection(rows, leaf: leaf, levels: nil)),
      columns: IndexTree(try .bisection(columns, leaf: leaf, levels: nil)))
  }
}
