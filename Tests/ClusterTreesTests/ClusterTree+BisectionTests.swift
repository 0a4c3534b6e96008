import ClusterTrees
import Testing

/// A random cloud with the options of a tree over it, a function of the seed.
struct BisectionCase: CustomStringConvertible {
  let seed: UInt64
  let points: PointSet
  let leaf: Int
  let arity: Int
  let split: SplitRule
  var description: String { "try BisectionCase(seed: \(seed))" }

  init(seed: UInt64) throws {
    var random = RandomNumbers(seed: seed)
    self.seed = seed
    let dimension = random.pick([1, 2, 3])
    let count = random.pick([1, 2, 3, 7, 16, 61, 100, 300])
    points = try PointSet(
      coordinates: cloud(
        random.pick(CloudKind.allCases), count: count, dimension: dimension, random: &random),
      dimension: dimension)
    leaf = random.pick([1, 2, 3, 4, 5, 6, 7, 8])
    arity = random.pick([2, 2, 3, 4, 8])
    split = random.pick([.longestSide, .principalDirection])
  }

  /// The tree, or nil where no depth gives every leaf at least one and at most `leaf` points.
  func tree() throws -> ClusterTree? {
    var level = 0
    var boxes = 1
    while points.count > boxes * leaf {
      boxes *= arity
      level += 1
    }
    guard boxes <= points.count else {
      let error = #expect(throws: ClusterTreeError.self, "\(self)") {
        try ClusterTree.bisection(points, leaf: leaf, levels: nil, arity: arity, split: split)
      }
      #expect(error?.message.contains("use a leaf of at least") == true)
      return nil
    }
    let tree = try ClusterTree.bisection(
      points, leaf: leaf, levels: nil, arity: arity, split: split)
    #expect(tree.levels == level, "\(self)")
    return tree
  }
}

@Suite("ClusterTree: bisection") struct ClusterTreeBisectionTests {
  @Test(arguments: UInt64(0)..<150)
  func boxesPartitionThePoints(seed: UInt64) throws {
    let given = try BisectionCase(seed: seed)
    guard let tree = try given.tree() else { return }
    #expect(tree.order.sorted() == [Int32](0..<Int32(given.points.count)), "\(given)")
    var expectedBoxes = 1
    for level in 0...tree.levels {
      #expect(tree.boxCount(level: level) == expectedBoxes, "\(given)")
      expectedBoxes *= given.arity
      var end = 0
      for box in 0..<tree.boxCount(level: level) {
        let range = tree.pointRange(level: level, box: box)
        #expect(range.lowerBound == end && !range.isEmpty, "\(given)")
        end = range.upperBound
        let children = tree.children(level: level, box: box)
        #expect(children.count == (level == tree.levels ? 0 : given.arity), "\(given)")
        var childEnd = range.lowerBound
        for child in children {
          #expect(tree.parent(level: level + 1, box: child) == box, "\(given)")
          let part = tree.pointRange(level: level + 1, box: child)
          #expect(part.lowerBound == childEnd, "\(given)")
          childEnd = part.upperBound
        }
        if !children.isEmpty { #expect(childEnd == range.upperBound, "\(given)") }
        let sizes = children.map { tree.pointRange(level: level + 1, box: $0).count }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(given)")
        if level == tree.levels {
          #expect(range.count <= given.leaf, "\(given)")
          let indices = tree.order[range]
          #expect(Array(indices) == indices.sorted(), "\(given)")
        }
        let measured = MeasuredBox(tree, level: level, box: box)
        let centre = tree.centre(level: level, box: box)
        for (found, expected) in zip(centre, measured.centre) {
          #expect(abs(found - expected) <= 1e-15 * max(1, abs(expected)), "\(given)")
        }
        #expect(tree.extent(level: level, box: box) == measured.extent, "\(given)")
      }
      #expect(end == given.points.count, "\(given)")
    }
  }

  @Test(arguments: UInt64(1000)..<1100)
  func partsAreConsecutiveAlongTheLongestSide(seed: UInt64) throws {
    let given = try BisectionCase(seed: seed)
    guard given.split == .longestSide, let tree = try given.tree() else { return }
    let dimension = given.points.dimension
    for level in 0..<tree.levels {
      for box in 0..<tree.boxCount(level: level) {
        let sides = MeasuredBox(tree, level: level, box: box).sides
        let axis = try #require(sides.indices.first { sides[$0] == sides.max() })
        let sorted = tree.order[tree.pointRange(level: level, box: box)].sorted {
          let (a, b) = (Int($0) * dimension + axis, Int($1) * dimension + axis)
          let (x, y) = (given.points.coordinates[a], given.points.coordinates[b])
          return x == y ? $0 < $1 : x < y
        }
        var first = 0
        for child in tree.children(level: level, box: box) {
          let part = tree.order[tree.pointRange(level: level + 1, box: child)]
          #expect(Set(part) == Set(sorted[first..<first + part.count]), "\(given)")
          first += part.count
        }
      }
    }
  }

  /// Inputs on which a naive quickselect needs quadratic time or falls off its range.
  @Test(arguments: 0..<5)
  func orderedInputsSplitAtTheMedian(shape: Int) throws {
    let count = 5001
    let values = (0..<count).map { index in
      switch shape {
      case 0: Double(index)
      case 1: Double(count - index)
      case 2: Double(min(index, count - index))
      case 3: Double(index % 2)
      default: -0.0
      }
    }
    let tree = try ClusterTree.bisection(
      PointSet(coordinates: values, dimension: 1), leaf: nil, levels: 1)
    let sorted = values.indices.sorted {
      values[$0] == values[$1] ? $0 < $1 : values[$0] < values[$1]
    }
    #expect(
      Set(tree.order[tree.pointRange(level: 1, box: 0)].map { Int($0) }) == Set(sorted[..<2500]))
  }

  @Test(arguments: [0.3, 1.1, 2.0, 2.9])
  func principalDirectionFollowsTheSpread(angle: Double) throws {
    // An ellipse of half axes 10 and 1, turned by `angle`; the tilt is given by a rational point of
    // the circle, so that no trigonometry is needed.
    let t = angle
    let (cosine, sine) = ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))
    var random = RandomNumbers(seed: 5)
    var coordinates: [Double] = []
    var along: [Double] = []
    for _ in 0..<400 {
      let (u, v) = (20 * random.uniform() - 10, 2 * random.uniform() - 1)
      coordinates += [cosine * u - sine * v, sine * u + cosine * v]
      along.append(u)
    }
    let tree = try ClusterTree.bisection(
      PointSet(coordinates: coordinates, dimension: 2), leaf: nil, levels: 1,
      split: .principalDirection)
    let parts = (0..<2).map { box in
      tree.order[tree.pointRange(level: 1, box: box)].map { along[Int($0)] }
    }
    // The sample's direction is not exactly the ellipse's: the cut is blurred by its short axis
    // times the angle between them, about 0.1/√400.
    let (a, b) = parts[0][0] < parts[1][0] ? (parts[0], parts[1]) : (parts[1], parts[0])
    let (top, bottom) = (a.max() ?? 0, b.min() ?? 0)
    #expect(top <= bottom + 0.1, "\(top) \(bottom)")
  }

  @Test func levelsGiveTheDepth() throws {
    let points = PointSet.grid([300])
    let tree = try ClusterTree.bisection(points, leaf: 1, levels: 3)
    #expect(tree.levels == 3)
    #expect((0..<8).map { tree.pointRange(level: 3, box: $0).count }.reduce(0, +) == 300)
  }

  @Test func boxesOfAGridAreItsCells() throws {
    let points = PointSet.grid([10, 6])
    let tree = try ClusterTree.bisection(points, leaf: 4, levels: nil)
    #expect(!tree.isUniform && tree.cell(level: 0, box: 0) == nil)
    for level in 0...tree.levels {
      for box in 0..<tree.boxCount(level: level) {
        let measured = MeasuredBox(tree, level: level, box: box, margin: [1.0 / 20, 1.0 / 12])
        #expect(abs(tree.extent(level: level, box: box) - measured.extent) < 1e-15)
        for (found, expected) in zip(tree.centre(level: level, box: box), measured.centre) {
          #expect(abs(found - expected) < 1e-15)
        }
      }
    }
  }

  @Test(arguments: [
    (320, Int?.some(0), Int?.none, 2, "use a leaf of at least 2"),
    (3, 1, nil, 2, "3 points do not split into leaves of at most 1"),
    (
      100, nil, 7, 2,
      "100 points cannot fill the boxes of a tree of 7 levels and arity 2: use 0 to 6"
    ),
    (100, nil, -1, 2, "use 0 to 6 levels"),
    (100, nil, nil, 2, "set leaf or levels"),
    (100, 5, nil, 1, "arity of at least 2"),
    (1, nil, 1, 2, "1 point cannot fill"),
  ])
  func wrongOptionsAreExplained(
    count: Int, leaf: Int?, levels: Int?, arity: Int, part: String
  ) throws {
    let points = PointSet.grid([count])
    let error = #expect(throws: ClusterTreeError.self) {
      try ClusterTree.bisection(points, leaf: leaf, levels: levels, arity: arity)
    }
    #expect(error?.description.contains(part) == true, "\(error?.message ?? "none")")
  }

  @Test func wrongBoxesTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = try ClusterTree.bisection(.grid([8]), leaf: 1, levels: nil).pointRange(level: 2, box: 4)
    }
    await #expect(processExitsWith: .failure) {
      _ = try ClusterTree.bisection(.grid([8]), leaf: 1, levels: nil).boxCount(level: 4)
    }
    await #expect(processExitsWith: .failure) {
      _ = try ClusterTree.bisection(.grid([8]), leaf: 1, levels: nil).parent(level: 0, box: 0)
    }
  }
}
