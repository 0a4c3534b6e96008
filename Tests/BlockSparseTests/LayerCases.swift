import BlockKernels
import BlockSparse
import ClusterTrees
import Testing

/// A layer to be tested, by name.
struct LayerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let layer: BlockSparseLayer

  var testDescription: String { name }

  init(
    _ name: String, _ source: BoxLayout, _ target: BoxLayout, _ pattern: BlockPattern
  ) {
    self.name = name
    layer = BlockSparseLayer(name: name, source: source, target: target, pattern: pattern)
  }

  /// The same layer with other functions.
  func layer(
    _ activation: Activation, _ block: Activation = .identity, hasBias: Bool = true
  ) -> BlockSparseLayer {
    BlockSparseLayer(
      name: name, source: layer.source, target: layer.target, pattern: layer.pattern,
      activation: activation, blockActivation: block, hasBias: hasBias)
  }

  /// Equal channels for all boxes of a pattern.
  init(_ name: String, _ pattern: BlockPattern, _ inputs: Int, _ outputs: Int) {
    self.init(
      name, BoxLayout(boxes: pattern.sourceCount, channels: inputs),
      BoxLayout(boxes: pattern.targetCount, channels: outputs), pattern)
  }

  static let all: [LayerCase] = random + bands + transfers + special

  /// Own weights, unequal channels, empty rows, duplicates, sources that no target sees.
  static let random: [LayerCase] = (0..<6).map { seed in
    var random = RandomNumbers(seed: 100 + seed)
    let sources = 2 + random.index(below: 9)
    let targets = 1 + random.index(below: 9)
    var starts = [0]
    var entries: [Int32] = []
    for _ in 0..<targets {
      switch random.index(below: 5) {
      case 0: break
      case 1:
        // A run, and a piece of it again.
        let first = random.index(below: sources - 1)
        entries += (first..<sources).map { Int32($0) } + [Int32(first), Int32(first + 1)]
      default:
        for _ in 0..<1 + random.index(below: 6) {
          // The last source is seen by none.
          entries.append(Int32(random.index(below: sources - 1)))
        }
      }
      starts.append(entries.count)
    }
    return LayerCase(
      "own \(seed)", BoxLayout(channels: (0..<sources).map { _ in 1 + random.index(below: 7) }),
      BoxLayout(channels: (0..<targets).map { _ in 1 + random.index(below: 7) }),
      BlockPattern(ownWeights: sources, rowStarts: starts, sources: entries))
  }

  /// Windows, also wider than the grid, where a source occurs twice.
  static let bands: [LayerCase] =
    [[70], [8], [4], [2], [1], [5, 3], [2, 2], [2, 3, 2]].flatMap { shape in
      (shape.count < 3 ? [1, 3] : [1]).flatMap { width in
        [true, false].flatMap { periodic in
          Sharing.allCases.map { sharing in
            LayerCase(
              "band \(shape) \(width) \(periodic ? "periodic" : "zero") \(sharing)",
              .band(.band(gridShape: shape, width: width, periodic: periodic), sharing: sharing),
              3, 2)
          }
        }
      }
    }

  static let transfers: [LayerCase] = trees.flatMap { name, tree in
    let level = tree.levels - 1
    return Sharing.allCases.flatMap { sharing in
      [
        LayerCase(
          "\(name) up \(sharing)",
          .childrenToParents(tree, level: level, sharing: sharing), 3, 4),
        LayerCase(
          "\(name) down \(sharing)",
          .parentsToChildren(tree, level: level, sharing: sharing), 3, 4),
        LayerCase(
          "\(name) root up \(sharing)", .childrenToParents(tree, level: 0, sharing: sharing), 3, 2),
        LayerCase(
          "\(name) root down \(sharing)", .parentsToChildren(tree, level: 0, sharing: sharing), 3,
          2),
        LayerCase(
          "\(name) all levels up \(sharing)",
          .descendantsToAncestors(tree, from: tree.levels, to: 0, sharing: sharing), 3, 2),
        LayerCase(
          "\(name) all levels down \(sharing)",
          .ancestorsToDescendants(tree, from: 0, to: tree.levels, sharing: sharing), 2, 3),
      ]
    }
  }

  static let trees: [(String, ClusterTree)] = {
    let line = try? ClusterTree.uniform(.grid([16]), leaf: 2, levels: nil)
    let square = try? ClusterTree.uniform(.grid([8, 8]), leaf: 2, levels: nil)
    var random = RandomNumbers(seed: 9)
    let points = try? PointSet(
      coordinates: (0..<2 * 45).map { _ in random.symmetric() }, dimension: 2)
    let cloud = points.flatMap { try? ClusterTree.bisection($0, leaf: 3, levels: nil) }
    return [("line", line), ("square", square), ("cloud", cloud)].compactMap { name, tree in
      tree.map { (name, $0) }
    }
  }()

  static let special: [LayerCase] = {
    var cases = [
      LayerCase("diagonal own", .diagonal(7, sharing: .own), 5, 3),
      LayerCase("diagonal shared", .diagonal(7, sharing: .offset), 5, 3),
      LayerCase("full", .diagonal(1, sharing: .own), 40, 30),
      LayerCase("one shared", .diagonal(1, sharing: .offset), 4, 3),
      // As many groups as rows, of which one is used twice and one never.
      LayerCase(
        "as many groups as rows",
        BlockPattern(
          sourceCount: 3, rowStarts: [0, 2, 4], sources: [0, 1, 1, 2], slots: [0, 1, 0, 1],
          groups: [0, 0], slotCounts: [2, 1]), 2, 3),
      // One row that uses a block twice.
      LayerCase(
        "a block twice in a row",
        BlockPattern(
          sourceCount: 2, rowStarts: [0, 3], sources: [0, 1, 1], slots: [0, 0, 1], groups: [0],
          slotCounts: [2]), 2, 3),
      // Equal slots of different groups.
      LayerCase(
        "alternating groups",
        BlockPattern(
          sourceCount: 5, rowStarts: Array(0...5), sources: [0, 1, 2, 3, 4],
          slots: [0, 0, 0, 0, 0], groups: [0, 1, 0, 1, 1], slotCounts: [1, 1]), 3, 2),
      // Groups with unequal channels; slots in another order than sources.
      LayerCase(
        "unequal groups", BoxLayout(channels: [2, 3, 2, 3]), BoxLayout(channels: [4, 1, 4, 1]),
        BlockPattern(
          sourceCount: 4, rowStarts: [0, 2, 5, 7, 10], sources: [1, 0, 0, 1, 2, 3, 2, 2, 3, 0],
          slots: [1, 0, 0, 1, 2, 1, 0, 0, 1, 2], groups: [0, 1, 0, 1], slotCounts: [2, 3])),
    ]
    if let tree = trees.last?.1,
      let lists = try? InteractionLists.admissible(
        receivers: tree, sources: tree)
    {
      let leaves = (0..<tree.boxCount(level: tree.levels)).map {
        tree.pointRange(level: tree.levels, box: $0).count
      }
      cases.append(
        LayerCase(
          "near field of a cloud", BoxLayout(channels: leaves), BoxLayout(channels: leaves),
          .lists(lists.near, sourceCount: leaves.count)))
      cases.append(
        LayerCase(
          "bridge of a cloud", .lists(lists.far[tree.levels], sourceCount: leaves.count), 3, 3))
    }
    return cases
  }()
}
