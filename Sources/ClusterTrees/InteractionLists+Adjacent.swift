// The rule of MNN-H²: a pair is near if its cells touch.

extension InteractionLists {
  /// Makes the lists of adjacency on a uniform grid, as MNN-H² defines them.
  ///
  /// Neighbours are cells that share a face, an edge or a corner, and the cell itself. The
  /// interaction list is the children of the parent's neighbours minus the neighbours (section
  /// 2.1); levels 0 and 1 have none, as all their boxes are neighbours.
  ///
  /// - Parameters:
  ///   - tree: A uniform tree.
  ///   - periodic: Whether the first and the last cell of each dimension are neighbours.
  /// - Returns: The lists of the tree against itself.
  /// - Throws: ``ClusterTreeError`` if the tree is not uniform.
  /// - Complexity: O(boxes · 6^d).
  public static func adjacent(
    _ tree: ClusterTree, periodic: Bool
  ) throws(ClusterTreeError) -> InteractionLists {
    guard tree.isUniform else {
      throw ClusterTreeError(
        message: "neighbours by adjacency need a uniform tree, found one made by bisection: "
          + "use an admissibility instead")
    }
    return InteractionLists(
      receivers: tree, sources: tree, rule: AdjacencyRule(tree: tree, periodic: periodic))
  }
}

private struct AdjacencyRule: SeparationRule {
  let tree: ClusterTree
  let periodic: Bool
  private var side = 1
  /// The cell of each box of the level, `[box][dimension]`.
  private var cells: [Int] = []

  init(tree: ClusterTree, periodic: Bool) {
    self.tree = tree
    self.periodic = periodic
  }

  mutating func enter(level: Int) {
    let dimension = tree.points.dimension
    side = 1 << level
    cells = (0..<tree.boxCount(level: level) * dimension).map {
      ClusterTree.zOrderCell(
        level: level, box: $0 / dimension, axis: $0 % dimension, dimension: dimension)
    }
  }

  func isFar(_ target: Int, _ source: Int) -> Bool {
    let dimension = tree.points.dimension
    for axis in 0..<dimension {
      let distance = abs(cells[target * dimension + axis] - cells[source * dimension + axis])
      if (periodic ? min(distance, side - distance) : distance) > 1 { return true }
    }
    return false
  }
}
