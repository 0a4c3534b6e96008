// The rule of FMM-NET: a pair is far if its centres are more than ϱ·α apart.

extension InteractionLists {
  /// Makes the lists of the separation criterion of the fast multipole method.
  ///
  /// A pair is far if the distance of its centres exceeds ϱ·α, α the larger of the two extents
  /// (FMM-NET, eq. 10). On grids the comparison is made in integers: rounding cannot separate pairs of
  /// the same shape. With the default, neighbours are near and all others far on a uniform grid,
  /// in 1, 2 and 3 dimensions.
  ///
  /// - Parameters:
  ///   - receivers: The tree of the target boxes.
  ///   - sources: The tree of the source boxes; may be the same.
  ///   - admissibility: The constant ϱ, zero or more; infinity makes all pairs near.
  /// - Returns: The lists; each pair of leaves is covered once.
  /// - Throws: ``ClusterTreeError`` if the trees differ in levels or dimension, or ϱ is negative.
  /// - Complexity: O(pairs examined): linear in the boxes as long as ϱ is moderate.
  public static func admissible(
    receivers: ClusterTree, sources: ClusterTree, admissibility: Double = 1.9
  ) throws(ClusterTreeError) -> InteractionLists {
    guard receivers.points.dimension == sources.points.dimension else {
      throw ClusterTreeError(
        message: "receivers have \(receivers.points.dimension) and sources "
          + "\(sources.points.dimension) dimensions: use points of one space")
    }
    guard receivers.levels == sources.levels else {
      throw ClusterTreeError(
        message: "the tree of the receivers has \(receivers.levels) levels, that of the sources "
          + "\(sources.levels): give both the same number of levels")
    }
    guard admissibility >= 0 else {
      throw ClusterTreeError(
        message: "the admissibility is \(admissibility): use a number of at least 0, as 1.9")
    }
    return InteractionLists(
      receivers: receivers, sources: sources,
      rule: DistanceRule(receivers: receivers, sources: sources, admissibility: admissibility))
  }
}

/// Distances of centres against extents, in units common to both trees.
private struct DistanceRule: SeparationRule {
  let receivers: ClusterTree
  let sources: ClusterTree
  let admissibility: Double
  private var targetCentres: [Double] = []
  private var targetExtents: [Double] = []
  private var sourceCentres: [Double] = []
  private var sourceExtents: [Double] = []

  init(receivers: ClusterTree, sources: ClusterTree, admissibility: Double) {
    self.receivers = receivers
    self.sources = sources
    self.admissibility = admissibility
  }

  mutating func enter(level: Int) {
    (targetCentres, targetExtents) = measures(receivers, against: sources, level: level)
    (sourceCentres, sourceExtents) = measures(sources, against: receivers, level: level)
  }

  func isFar(_ target: Int, _ source: Int) -> Bool {
    let dimension = receivers.points.dimension
    var squared = 0.0
    for axis in 0..<dimension {
      let difference =
        targetCentres[target * dimension + axis] - sourceCentres[source * dimension + axis]
      squared += difference * difference
    }
    let radius = admissibility * max(targetExtents[target], sourceExtents[source])
    // A NaN (an infinite radius around no extent, coordinates near the end of the range) is near.
    return squared > radius * radius
  }

  /// Returns centres and extents of a level in the units of a comparison with another tree.
  ///
  /// Two uniform trees are compared in cells, on any two grids; grids in the unit that is integer
  /// on both; anything else in plain coordinates.
  private func measures(
    _ tree: ClusterTree, against other: ClusterTree, level: Int
  ) -> (centres: [Double], extents: [Double]) {
    let first = tree.boxOffsets[level]
    let boxes = first..<first + tree.boxCounts[level]
    var factor = 1.0
    var divisor = Double(tree.scale)
    if tree.isUniform && other.isUniform {
      divisor = tree.scaledExtents[first]
    } else if tree.points.gridShape != nil, other.points.gridShape != nil,
      let common = leastCommonMultiple(tree.scale, other.scale)
    {
      factor = Double(common / tree.scale)
      divisor = 1
    }
    let dimension = tree.points.dimension
    return (
      tree.scaledCentres[boxes.lowerBound * dimension..<boxes.upperBound * dimension].map {
        $0 * factor / divisor
      },
      tree.scaledExtents[boxes].map { $0 * factor / divisor }
    )
  }
}
