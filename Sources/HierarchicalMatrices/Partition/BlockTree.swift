/// The blocks that a pair of trees makes: the whole matrix, and parts of rows times parts of columns.
///
/// Both sides are cut together; only the longer one where it is at least twice as long, or where the other is a
/// leaf. So blocks stay near squares and every path ends at a pair of leaves.
struct BlockTree: Sendable {
  /// A block.
  struct Node: Sendable {
    /// The cluster of rows.
    let rowCluster: Int
    /// The cluster of columns.
    let columnCluster: Int
    /// The places of the rows.
    let rows: Range<Int>
    /// The places of the columns.
    let columns: Range<Int>
    /// The parts, as a range of blocks, the parts of one range of rows side by side; empty at a leaf.
    var parts: Range<Int> = 0..<0
    /// In how many ranges of columns it is cut.
    var columnParts = 1
  }

  /// The blocks; the whole comes first, a block before its parts.
  private(set) var nodes: [Node]

  /// Makes the blocks of a pair of trees.
  init(_ partition: MatrixPartition) {
    let (rows, columns) = (partition.rows, partition.columns)
    nodes = [
      Node(rowCluster: 0, columnCluster: 0, rows: rows.ranges[0], columns: columns.ranges[0])
    ]
    var next = 0
    while next < nodes.count {
      let node = nodes[next]
      let (rowParts, columnParts) = (rows.parts[node.rowCluster], columns.parts[node.columnCluster])
      let cutsRows =
        !rowParts.isEmpty && (columnParts.isEmpty || 2 * node.rows.count > node.columns.count)
      let cutsColumns =
        !columnParts.isEmpty && (rowParts.isEmpty || 2 * node.columns.count > node.rows.count)
      if cutsRows || cutsColumns {
        let first = nodes.count
        let across = cutsColumns ? columnParts : node.columnCluster..<node.columnCluster + 1
        for row in cutsRows ? rowParts : node.rowCluster..<node.rowCluster + 1 {
          for column in across {
            nodes.append(
              Node(
                rowCluster: row, columnCluster: column, rows: rows.ranges[row],
                columns: columns.ranges[column]))
          }
        }
        nodes[next].parts = first..<nodes.count
        nodes[next].columnParts = across.count
      }
      next += 1
    }
  }
}
