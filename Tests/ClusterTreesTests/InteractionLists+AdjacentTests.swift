import ClusterTrees
import Testing

@Suite("InteractionLists: adjacent") struct InteractionListsAdjacentTests {
  /// From the picture of the decomposition in one dimension (MNN-H², figure 1).
  @Test func listsOfEightSegmentsAreKnown() throws {
    let tree = try ClusterTree.uniform(.grid([40]), leaf: 5, levels: nil)
    let lists = try InteractionLists.adjacent(tree, periodic: false)
    #expect(rows(lists.far[0]) == [[]])
    #expect(rows(lists.far[1]) == [[], []])
    #expect(rows(lists.far[2]) == [[2, 3], [3], [0], [0, 1]])
    #expect(
      rows(lists.far[3]) == [
        [2, 3], [3], [0, 4, 5], [0, 1, 5], [2, 6, 7], [2, 3, 7], [4], [4, 5],
      ])
    #expect(
      rows(lists.near) == [
        [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7], [6, 7],
      ])
  }

  @Test func periodicListsOfEightSegmentsAreKnown() throws {
    let tree = try ClusterTree.uniform(.grid([8]), leaf: 1, levels: nil)
    let lists = try InteractionLists.adjacent(tree, periodic: true)
    #expect(rows(lists.far[1]) == [[], []])
    #expect(rows(lists.far[2]) == [[2], [3], [0], [1]])
    #expect(
      rows(lists.far[3]) == [
        [2, 3, 6], [3, 6, 7], [0, 4, 5], [0, 1, 5], [2, 6, 7], [2, 3, 7], [0, 1, 4], [1, 4, 5],
      ])
    #expect(rows(lists.near)[0] == [0, 1, 7])
  }

  @Test(
    arguments: [
      ([96], 3), ([12, 12], 3), ([16, 16], 1), ([8, 8, 8], 1), ([2, 2], 1), ([5], 5),
    ],
    [false, true])
  func listsFollowTheDefinition(grid: ([Int], Int), periodic: Bool) throws {
    let tree = try ClusterTree.uniform(.grid(grid.0), leaf: grid.1, levels: nil)
    let lists = try InteractionLists.adjacent(tree, periodic: periodic)
    for level in 0...tree.levels {
      let side = 1 << level
      let cells = (0..<tree.boxCount(level: level)).compactMap { tree.cell(level: level, box: $0) }
      // C(NL(P(I))) − NL(I), for every pair of boxes.
      for target in cells.indices {
        let neighbours = cells.indices.filter {
          touch(cells[target], cells[$0], side: side, periodic: periodic)
        }
        let parent = cells[target].map { $0 / 2 }
        let expected = cells.indices.filter {
          level >= 2
            && touch(parent, cells[$0].map { $0 / 2 }, side: side / 2, periodic: periodic)
            && !touch(cells[target], cells[$0], side: side, periodic: periodic)
        }
        #expect(rows(lists.far[level], target) == expected)
        if level == tree.levels { #expect(rows(lists.near, target) == neighbours) }
      }
    }
  }

  @Test(arguments: [([256], 1, 3, 3), ([16, 16], 1, 27, 9), ([8, 8, 8], 1, 189, 27)])
  func largestListsAreThoseOfTheFastMultipoleMethod(
    shape: [Int], leaf: Int, interactions: Int, neighbours: Int
  ) throws {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: leaf, levels: nil)
    let lists = try InteractionLists.adjacent(tree, periodic: false)
    #expect(lists.far.map { rows($0).map(\.count).max() ?? 0 }.max() == interactions)
    #expect(rows(lists.near).map(\.count).max() == neighbours)
    #expect(
      coverage(lists, receivers: tree, sources: tree).allSatisfy { $0.allSatisfy { $0 == 1 } })
  }

  @Test(arguments: [([320], 5), ([40, 40], 5), ([12, 12, 12], 3), ([8, 8, 8], 1), ([3], 3)])
  func defaultAdmissibilityMeansAdjacency(shape: [Int], leaf: Int) throws {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: leaf, levels: nil)
    #expect(
      try InteractionLists.admissible(receivers: tree, sources: tree)
        == InteractionLists.adjacent(tree, periodic: false))
  }

  @Test func bisectionIsRefused() throws {
    let tree = try ClusterTree.bisection(.grid([8]), leaf: 1, levels: nil)
    let error = #expect(throws: ClusterTreeError.self) {
      try InteractionLists.adjacent(tree, periodic: false)
    }
    #expect(error?.message.contains("need a uniform tree") == true)
  }

  func rows(_ lists: BoxLists) -> [[Int]] { (0..<lists.targetCount).map { rows(lists, $0) } }

  func rows(_ lists: BoxLists, _ target: Int) -> [Int] { lists.sources(of: target).map { Int($0) } }

  /// Whether two cells touch, or any periodic image of the second touches the first.
  func touch(_ a: [Int], _ b: [Int], side: Int, periodic: Bool) -> Bool {
    zip(a, b).allSatisfy { x, y in
      (periodic ? [-side, 0, side] : [0]).contains { (x - 1...x + 1).contains(y + $0) }
    }
  }
}
