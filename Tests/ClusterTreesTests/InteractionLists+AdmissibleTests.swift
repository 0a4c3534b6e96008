import ClusterTrees
import Testing

/// A random pair of trees of the same depth with an admissibility, a function of the seed.
struct AdmissibleCase: CustomStringConvertible {
  let seed: UInt64
  let receivers: ClusterTree
  let sources: ClusterTree
  let admissibility: Double
  var description: String { "try AdmissibleCase(seed: \(seed))" }

  init(seed: UInt64) throws {
    var random = RandomNumbers(seed: seed)
    self.seed = seed
    let dimension = random.pick([1, 2, 3])
    let leaf = random.pick([1, 2, 3, 4, 5, 6, 7, 8])
    var count = random.pick([1, 2, 7, 33, 100, 128])
    let arity = random.pick([2, 2, 2, 3, 4])
    var boxes = 1
    while count > boxes * leaf { boxes *= arity }
    count = max(count, boxes)
    receivers = try ClusterTree.bisection(
      PointSet(
        coordinates: cloud(
          random.pick(CloudKind.allCases), count: count, dimension: dimension, random: &random),
        dimension: dimension),
      leaf: leaf, levels: nil, arity: arity,
      split: random.pick([.longestSide, .principalDirection]))
    admissibility = random.pick([0, 0.3, 1, 1.5, 1.9, 2, 4, 1e9, .infinity])
    guard random.next() % 3 > 0 else {
      sources = receivers
      return
    }
    let sourceCount = (1 << receivers.levels) + Int(random.next() % 40)
    sources = try ClusterTree.bisection(
      PointSet(
        coordinates: cloud(
          random.pick(CloudKind.allCases), count: sourceCount, dimension: dimension,
          random: &random),
        dimension: dimension),
      leaf: nil, levels: receivers.levels)
  }

  /// How far a pair is beyond the admissible distance, relative to it; measured from the points.
  func excess(level: Int, target: Int, source: Int) -> Double {
    let (a, b) = (
      MeasuredBox(receivers, level: level, box: target),
      MeasuredBox(sources, level: level, box: source)
    )
    let distance = zip(a.centre, b.centre).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      .squareRoot()
    let extent = max(a.extent, b.extent)
    guard admissibility.isFinite else { return -1 }
    let radius = admissibility * extent
    return distance == radius ? 0 : (distance - radius) / max(distance, radius)
  }
}

/// How often each pair of leaves is covered, `[target][source]`.
func coverage(_ lists: InteractionLists, receivers: ClusterTree, sources: ClusterTree) -> [[Int]] {
  let row = [Int](repeating: 0, count: sources.boxCount(level: sources.levels))
  var counts = [[Int]](repeating: row, count: receivers.boxCount(level: receivers.levels))
  for target in counts.indices {
    for source in lists.near.sources(of: target) { counts[target][Int(source)] += 1 }
  }
  for (level, list) in lists.far.enumerated() {
    for target in 0..<receivers.boxCount(level: level) {
      let targets = receivers.leaves(level: level, box: target)
      for source in list.sources(of: target) {
        let covered = sources.leaves(level: level, box: Int(source))
        for leaf in targets {
          for other in covered { counts[leaf][other] += 1 }
        }
      }
    }
  }
  return counts
}

@Suite("InteractionLists: admissible") struct InteractionListsAdmissibleTests {
  @Test(arguments: UInt64(0)..<200)
  func everyPairOfLeavesIsCoveredOnce(seed: UInt64) throws {
    let given = try AdmissibleCase(seed: seed)
    let lists = try InteractionLists.admissible(
      receivers: given.receivers, sources: given.sources, admissibility: given.admissibility)
    #expect(lists.far.count == given.receivers.levels + 1, "\(given)")
    let counts = coverage(lists, receivers: given.receivers, sources: given.sources)
    #expect(counts.allSatisfy { $0.allSatisfy { $0 == 1 } }, "\(given)")
  }

  @Test(arguments: UInt64(500)..<600)
  func farPairsAreSeparatedAndTheirParentsAreNot(seed: UInt64) throws {
    let given = try AdmissibleCase(seed: seed)
    let lists = try InteractionLists.admissible(
      receivers: given.receivers, sources: given.sources, admissibility: given.admissibility)
    // Distances here are rounded in another order: 16 roundings of relative size 2⁻⁵³ at most,
    // amplified where the two centres are far from the origin.
    let slack = 1e-9
    for (level, list) in lists.far.enumerated() {
      for target in 0..<list.targetCount {
        let found = list.sources(of: target)
        #expect(Array(found) == found.sorted(), "\(given)")
        for source in found.map({ Int($0) }) {
          #expect(given.excess(level: level, target: target, source: source) > -slack, "\(given)")
          guard level > 0 else { continue }
          let parents = (
            given.receivers.parent(level: level, box: target),
            given.sources.parent(level: level, box: source)
          )
          #expect(
            given.excess(level: level - 1, target: parents.0, source: parents.1) < slack,
            "\(given)")
        }
      }
    }
    let leaves = given.receivers.levels
    for target in 0..<lists.near.targetCount {
      let found = lists.near.sources(of: target)
      #expect(Array(found) == found.sorted(), "\(given)")
      for source in found {
        #expect(
          given.excess(level: leaves, target: target, source: Int(source)) < slack, "\(given)")
      }
    }
  }

  @Test func infiniteAdmissibilityMakesAllPairsNear() throws {
    let tree = try ClusterTree.uniform(.grid([16]), leaf: 1, levels: nil)
    let lists = try InteractionLists.admissible(
      receivers: tree, sources: tree, admissibility: .infinity)
    #expect(lists.near.entryCount == 256)
    #expect(lists.far.allSatisfy { $0.entryCount == 0 })
  }

  @Test func rootsFarApartNeedNoTree() throws {
    let near = try ClusterTree.bisection(
      PointSet(coordinates: [0, 1, 2, 3], dimension: 1), leaf: 1, levels: nil)
    let far = try ClusterTree.bisection(
      PointSet(coordinates: [100, 101, 102, 103], dimension: 1), leaf: 1, levels: nil)
    let lists = try InteractionLists.admissible(receivers: near, sources: far)
    #expect(lists.far[0].entryCount == 1)
    #expect(lists.near.entryCount == 0 && lists.near.targetCount == 4)
  }

  /// The radius is met exactly by whole numbers of cells: only strictly farther pairs are far.
  @Test(
    arguments: [([320], 5), ([48], 3), ([24, 24], 3)], [1.0, 2.0, 3.0, 5.0, 2.0.squareRoot()])
  func noRoundingDecidesOnGrids(grid: ([Int], Int), admissibility: Double) throws {
    let tree = try ClusterTree.uniform(.grid(grid.0), leaf: grid.1, levels: nil)
    let lists = try InteractionLists.admissible(
      receivers: tree, sources: tree, admissibility: admissibility)
    // √2 rounded up squares to more than 2, so that diagonal neighbours are near.
    let limit = Int(admissibility * admissibility)
    for level in 0...tree.levels {
      let cells = (0..<tree.boxCount(level: level)).compactMap { tree.cell(level: level, box: $0) }
      for target in cells.indices {
        let expected = cells.indices.filter { source in
          let far = squaredDistance(cells[target], cells[source]) > limit
          let above = (cells[target].map { $0 / 2 }, cells[source].map { $0 / 2 })
          return far && (level == 0 || squaredDistance(above.0, above.1) <= limit)
        }
        #expect(lists.far[level].sources(of: target).map { Int($0) } == expected)
      }
    }
  }

  func squaredDistance(_ a: [Int], _ b: [Int]) -> Int {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }

  @Test(arguments: [0.5, 1.0, 1.9, 2.0, 3.0, 7.0])
  func bisectionOfALineHasTheListsOfItsCells(admissibility: Double) throws {
    let cells = try ClusterTree.uniform(.grid([320]), leaf: 5, levels: nil)
    let halves = try ClusterTree.bisection(.grid([320]), leaf: 5, levels: nil)
    let expected = try InteractionLists.admissible(
      receivers: cells, sources: cells, admissibility: admissibility)
    for pair in [(halves, halves), (halves, cells), (cells, halves)] {
      let found = try InteractionLists.admissible(
        receivers: pair.0, sources: pair.1, admissibility: admissibility)
      #expect(found == expected)
    }
  }

  @Test func gridsOfDifferentSizesAreComparedInCells() throws {
    let coarse = try ClusterTree.uniform(.grid([48, 48]), leaf: 3, levels: nil)
    let fine = try ClusterTree.uniform(.grid([80, 80]), leaf: 5, levels: nil)
    let expected = try InteractionLists.admissible(receivers: fine, sources: fine)
    #expect(try InteractionLists.admissible(receivers: coarse, sources: fine) == expected)
  }

  @Test(arguments: [1.0, 1.9, 2.0, 3.0])
  func gridsOfDifferentSizesAreComparedInCommonUnits(admissibility: Double) throws {
    let halves = try ClusterTree.bisection(.grid([48]), leaf: 3, levels: nil)
    let cells = try ClusterTree.uniform(.grid([80]), leaf: 5, levels: nil)
    #expect(
      try InteractionLists.admissible(
        receivers: halves, sources: cells, admissibility: admissibility)
        == InteractionLists.admissible(
          receivers: cells, sources: cells, admissibility: admissibility))
  }

  @Test func wrongPairsAreExplained() throws {
    let line = try ClusterTree.uniform(.grid([16]), leaf: 1, levels: nil)
    let short = try ClusterTree.uniform(.grid([8]), leaf: 1, levels: nil)
    let square = try ClusterTree.uniform(.grid([16, 16]), leaf: 1, levels: nil)
    let cases = [
      (line, short, 1.9, "receivers has 4 levels, that of the sources 3"),
      (line, square, 1.9, "receivers have 1 and sources 2 dimensions"),
      (line, line, -1, "the admissibility is -1.0"), (line, line, .nan, "the admissibility is nan"),
    ]
    for (receivers, sources, admissibility, part) in cases {
      let error = #expect(throws: ClusterTreeError.self) {
        try InteractionLists.admissible(
          receivers: receivers, sources: sources, admissibility: admissibility)
      }
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "none")")
    }
  }
}
