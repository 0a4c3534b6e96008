import ClusterTrees
import OperatorNetworks
import Testing

/// The parameters of FMM-NET's network, counted from the geometry without its lists.
@Suite struct H2NNCountTests {
  /// Counts on a grid of side 2^L·m in d dimensions, where cells that touch are near.
  @Test(arguments: [
    ([20], 5), ([40], 5), ([320], 5), ([64], 1), ([12, 12], 3), ([32, 32], 4), ([8, 8, 8], 1),
    ([8, 8, 8], 2),
  ])
  func grids(shape: [Int], leaf: Int) throws {
    for (layers, linearPath) in [(1, false), (3, false), (2, true)] {
      var options = NetworkOptions()
      options.leaf = leaf
      options.layers = layers
      options.linearPath = linearPath
      let r = options.channels
      let d = shape.count
      let levels = (shape[0] / leaf).trailingZeroBitCount
      let points = shape.reduce(1, *)
      let m = (0..<d).reduce(1) { count, _ in count * leaf }
      let depth = layers + (linearPath ? 1 : 0)
      func boxes(_ level: Int) -> Int { 1 << (d * level) }
      // Pairs with |i − j| ≤ 1 in all dimensions: 3·2^ℓ − 2 in each.
      func near(_ level: Int) -> Int { power(3 * (1 << level) - 2, d) }
      // Children of near parents, minus the near ones.
      func far(_ level: Int) -> Int { near(level - 1) * boxes(1) * boxes(1) - near(level) }

      var count = depth * (near(levels) * m * m + points)
      if levels >= 2 {
        count += points * r + boxes(levels) * r + points * r + points
        for level in 2...levels { count += depth * (far(level) * r * r + boxes(level) * r) }
        for level in 2..<levels {
          // Up: a block for each child and a bias for each parent; down: both for each child.
          count += boxes(level + 1) * r * r + boxes(level) * r
          count += boxes(level + 1) * (r * r + r)
        }
      }
      let network = try Network.build(options, sources: .grid(shape))
      #expect(network.parameterCount == count, "\(layers) layers, \(linearPath)")
      #expect(network.activeParameterCount == count)
    }
  }

  private func power(_ base: Int, _ exponent: Int) -> Int {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  /// Pairs of boxes by level, from the bounding boxes of the points of a tree's boxes.
  private struct Pairs {
    var far: [Set<[Int]>] = []
    var near: Set<[Int]> = [[0, 0]]

    init(_ targets: ClusterTree, _ sources: ClusterTree, _ admissibility: Double) {
      for level in 0...targets.levels {
        var (farther, nearer) = (Set<[Int]>(), Set<[Int]>())
        for pair in near {
          let rows = level == 0 ? 0..<1 : targets.children(level: level - 1, box: pair[0])
          let columns = level == 0 ? 0..<1 : sources.children(level: level - 1, box: pair[1])
          for row in rows {
            for column in columns {
              let (a, b) = (Self.box(targets, level, row), Self.box(sources, level, column))
              let distance = zip(a.centre, b.centre).reduce(0.0) {
                $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
              }.squareRoot()
              if distance > admissibility * max(a.side, b.side) {
                farther.insert([row, column])
              } else {
                nearer.insert([row, column])
              }
            }
          }
        }
        far.append(farther)
        near = nearer
      }
    }

    static func box(
      _ tree: ClusterTree, _ level: Int, _ box: Int
    ) -> (centre: [Double], side: Double) {
      let points = tree.pointRange(level: level, box: box).map { Int(tree.order[$0]) }
      let d = tree.points.dimension
      let ranges = (0..<d).map { axis in
        let values = points.map { tree.points.coordinates[$0 * d + axis] }
        return (low: values.min() ?? 0, high: values.max() ?? 0)
      }
      return (
        ranges.map { ($0.low + $0.high) / 2 }, ranges.map { $0.high - $0.low }.max() ?? 0
      )
    }
  }

  @Test(
    arguments: [
      (90, nil, 2, 0.0), (61, nil, 1, 0), (150, nil, 3, 0), (70, 50, 2, 0), (40, 130, 2, 1),
      (30, 30, 2, 20), (200, 200, 3, 0.5),
    ] as [(Int, Int?, Int, Double)])
  func clouds(count: Int, receivers: Int?, dimension: Int, shift: Double) throws {
    let sources = NetworkCase.cloud(count, dimension: dimension, seed: count)
    let targets = receivers.map {
      NetworkCase.cloud($0, dimension: dimension, seed: $0 + 1, shift: shift)
    }
    for linearPath in [false, true] {
      var options = NetworkOptions()
      options.linearPath = linearPath
      let network = try Network.build(options, sources: sources, receivers: targets)
      let expected = try cloudCount(options, sources, targets)
      #expect(network.parameterCount == expected && network.activeParameterCount == expected)
    }
  }

  private func cloudCount(
    _ options: NetworkOptions, _ sources: PointSet, _ receivers: PointSet?
  ) throws -> Int {
    let first = try ClusterTree.bisection(sources, leaf: 5, levels: nil)
    let second = try ClusterTree.bisection(receivers ?? sources, leaf: 5, levels: nil)
    let levels = min(first.levels, second.levels)
    let from = try ClusterTree.bisection(sources, leaf: nil, levels: levels)
    let to = try ClusterTree.bisection(receivers ?? sources, leaf: nil, levels: levels)
    let cross = Pairs(to, from, options.admissibility)
    let own = Pairs(to, to, options.admissibility)
    func points(_ tree: ClusterTree, _ box: Int) -> Int {
      tree.pointRange(level: levels, box: box).count
    }
    let (n, r) = (to.points.count, options.channels)

    // Of the layers of a chain the first and the linear one lead from sources to receivers.
    let crossings = options.linearPath ? 2 : 1
    var count = (options.layers - 1 + crossings) * n
    for pair in cross.near { count += crossings * points(to, pair[0]) * points(from, pair[1]) }
    for pair in own.near {
      count += (options.layers - 1) * points(to, pair[0]) * points(to, pair[1])
    }
    guard let coarsest = cross.far.firstIndex(where: { !$0.isEmpty }) else { return count }
    let boxes = (0...levels).map { to.boxCount(level: $0) }
    count += sources.count * r + boxes[levels] * r + n * r + n
    for level in coarsest...levels {
      if level < levels {
        count += from.boxCount(level: level + 1) * r * r + from.boxCount(level: level) * r
        count += boxes[level + 1] * (r * r + r)
      }
      if cross.far[level].isEmpty { continue }
      count += crossings * (cross.far[level].count * r * r + boxes[level] * r)
      // A receiver without far receivers sees itself.
      let alone = receivers == nil ? 0 : boxes[level] - Set(own.far[level].map { $0[0] }).count
      count += (options.layers - 1) * ((own.far[level].count + alone) * r * r + boxes[level] * r)
    }
    return count
  }
}
