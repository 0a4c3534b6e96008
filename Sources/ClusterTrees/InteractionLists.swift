// Which boxes see each other, and on which level.
//
// One recursion makes both kinds of lists: from the pair of the roots down, a pair that the rule calls far
// goes to the interaction list of its level, a near one goes on to the pairs of its children; what is
// near on level L is the near list. So each pair of leaves is covered exactly once, with any
// rule. Near pairs are kept as compressed rows: a target looks at the children of what its parent sees,
// these come in ascending order, and no level needs sorting or searching.

/// The near field of the leaves, and the interaction list of each level.
public struct InteractionLists: Sendable, Equatable {
  /// The near source boxes of each leaf; on the same tree it includes the leaf itself.
  public let near: BoxLists
  /// The interaction list of each box, by level 0 … L; those of the first levels are often empty.
  public let far: [BoxLists]

  /// Makes the lists of a pair of trees by a rule.
  ///
  /// - Complexity: O(pairs examined): on each level, near pairs of the level above times children.
  init(receivers: ClusterTree, sources: ClusterTree, rule: some SeparationRule) {
    assert(receivers.levels == sources.levels)
    var rule = rule
    var near = BoxLists(offsets: [0, 1], indices: [0])
    var far: [BoxLists] = []
    for level in 0...receivers.levels {
      rule.enter(level: level)
      let targets = receivers.boxCount(level: level)
      var nearOffsets = [0]
      var nearIndices: [Int32] = []
      var farOffsets = [0]
      var farIndices: [Int32] = []
      nearOffsets.reserveCapacity(targets + 1)
      farOffsets.reserveCapacity(targets + 1)
      let targetArity = level == 0 ? 1 : receivers.arity
      let sourceArity = level == 0 ? 1 : sources.arity
      for target in 0..<targets {
        let parent = target / targetArity
        for entry in near.offsets[parent]..<near.offsets[parent + 1] {
          let first = Int(near.indices[entry]) * sourceArity
          for source in first..<first + sourceArity {
            if rule.isFar(target, source) {
              farIndices.append(Int32(source))
            } else {
              nearIndices.append(Int32(source))
            }
          }
        }
        nearOffsets.append(nearIndices.count)
        farOffsets.append(farIndices.count)
      }
      near = BoxLists(offsets: nearOffsets, indices: nearIndices)
      far.append(BoxLists(offsets: farOffsets, indices: farIndices))
    }
    self.near = near
    self.far = far
  }
}

/// The rule that separates far pairs of boxes from near ones, level by level.
protocol SeparationRule {
  /// Prepares for the pairs of a level.
  mutating func enter(level: Int)
  /// Whether a target and a source of the current level are far from each other.
  func isFar(_ target: Int, _ source: Int) -> Bool
}
