import ClusterTrees
import Testing

@Suite("ClusterTree: uniform") struct ClusterTreeUniformTests {
  @Test func lineIsNumberedFromLeftToRight() throws {
    let tree = try ClusterTree.uniform(.grid([320]), leaf: 5, levels: nil)
    #expect(tree.levels == 6)
    #expect(tree.order == [Int32](0..<320))
    #expect(tree.boxCount(level: 6) == 64)
    #expect(tree.pointRange(level: 6, box: 3) == 15..<20)
    #expect(tree.children(level: 2, box: 3) == 6..<8)
    #expect(tree.parent(level: 3, box: 7) == 3)
    #expect(tree.centre(level: 1, box: 1) == [0.75])
    #expect(tree.extent(level: 6, box: 9) == 1.0 / 64)
    #expect(tree.cell(level: 6, box: 9) == [9])
  }

  @Test func squareIsNumberedDepthFirst() throws {
    let tree = try ClusterTree.uniform(.grid([4, 4]), leaf: 1, levels: nil)
    // Drawn by hand: quadrants row by row, and so in each quadrant.
    #expect(tree.order == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15])
    #expect(tree.cell(level: 2, box: 6) == [1, 2])
    #expect(tree.box(level: 2, cell: [1, 2]) == 6)
    #expect(tree.centre(level: 2, box: 6) == [0.375, 0.625])
  }

  @Test(arguments: [
    ([40], 5), ([80, 80], 5), ([12, 12, 12], 3), ([6, 6], 3), ([7], 7), ([1], 1), ([4, 4, 4], 1),
  ])
  func boxesAreTheCellsOfTheirPoints(shape: [Int], leaf: Int) throws {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: leaf, levels: nil)
    try checkCells(tree, shape: shape)
    #expect(tree.order.sorted() == [Int32](0..<Int32(tree.points.count)))
    for box in 0..<tree.boxCount(level: tree.levels) {
      let range = tree.pointRange(level: tree.levels, box: box)
      #expect(range.count == shape.map { _ in leaf }.reduce(1, *))
      #expect(Array(tree.order[range]) == tree.order[range].sorted())
    }
  }

  @Test(arguments: [([80, 20], 2), ([12, 4, 20], 2), ([6, 10], 1), ([3, 5], 0)])
  func levelsAllowLeavesWithDifferentSides(shape: [Int], levels: Int) throws {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: 99, levels: levels)
    #expect(tree.levels == levels)
    try checkCells(tree, shape: shape)
  }

  /// Trees of grids that are no multiples of 2^L, from N = 2^L + 1 to 2^(L + 1) − 1, and mixed with multiples.
  @Test(arguments: [
    ([21], 2), ([101], 4), ([9], 3), ([15], 3), ([1000], 7), ([11, 13], 2), ([16, 13], 2),
    ([31, 31], 2), ([100, 50], 4), ([5, 6, 7], 2), ([33, 33, 33], 3), ([9, 15, 8], 3),
  ])
  func unequalLeavesDifferByOnePoint(shape: [Int], levels: Int) throws {
    let tree = try ClusterTree.uniform(.grid(shape), leaf: nil, levels: levels)
    #expect(tree.levels == levels && tree.isUniform && !tree.hasEqualLeaves)
    #expect(tree.order.sorted() == [Int32](0..<Int32(tree.points.count)))
    for level in 0...levels {
      // Where the points of each cell of a dimension begin and end.
      var ends: [Set<[Int]>] = shape.map { _ in [] }
      for box in 0..<tree.boxCount(level: level) {
        let cell = try #require(tree.cell(level: level, box: box))
        #expect(tree.extent(level: level, box: box) == 1 / Double(1 << level))
        let points = tree.pointRange(level: level, box: box).map { Int(tree.order[$0]) }
        if level == levels { #expect(points == points.sorted()) }
        var block = 1
        for axis in shape.indices {
          let stride = shape[(axis + 1)...].reduce(1, *)
          let indices = points.map { $0 / stride % shape[axis] }
          let (first, last) = (indices.min() ?? 0, indices.max() ?? 0)
          ends[axis].insert([cell[axis], first, last])
          block *= last - first + 1
        }
        #expect(block == points.count, "a box has all points between its ends")
      }
      for (axis, cells) in ends.enumerated() {
        let sorted = cells.sorted { $0[0] < $1[0] }
        #expect(sorted.map { $0[0] } == Array(0..<1 << level), "the same ends in all boxes")
        #expect(sorted.first?[1] == 0 && sorted.last?[2] == shape[axis] - 1)
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0[2] + 1 == $1[1] })
        let sizes = sorted.map { $0[2] - $0[1] + 1 }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1 && (sizes.min() ?? 0) >= 1)
      }
    }
  }

  /// Every point of a box lies in the cell of the box, and children lie in their parent.
  func checkCells(_ tree: ClusterTree, shape: [Int]) throws {
    #expect(tree.isUniform)
    let dimension = shape.count
    for level in 0...tree.levels {
      let side = 1 << level
      var seen: Set<[Int]> = []
      for box in 0..<tree.boxCount(level: level) {
        let cell = try #require(tree.cell(level: level, box: box))
        seen.insert(cell)
        #expect(tree.box(level: level, cell: cell) == box)
        #expect(tree.extent(level: level, box: box) == 1 / Double(side))
        #expect(
          tree.centre(level: level, box: box) == cell.map { (Double($0) + 0.5) / Double(side) })
        for child in tree.children(level: level, box: box) {
          #expect(tree.cell(level: level + 1, box: child)?.map { $0 / 2 } == cell)
        }
        for position in tree.pointRange(level: level, box: box) {
          var point = Int(tree.order[position])
          for axis in stride(from: dimension - 1, through: 0, by: -1) {
            #expect(point % shape[axis] * side / shape[axis] == cell[axis])
            point /= shape[axis]
          }
        }
      }
      #expect(seen.count == shape.map { _ in side }.reduce(1, *))
    }
  }

  @Test(arguments: [
    ([320], Int?.some(7), Int?.none, "use a leaf of 5, 10, 20, 40, …"),
    ([320], 7, nil, "320 points do not split into 2^L leaves of 7 points"),
    ([320], 0, nil, "leaves of 0 points: use a leaf of 5"),
    ([320], -5, nil, "use a leaf of 5"),
    ([12], 1, nil, "use a leaf of 3, 6, 12"),
    ([12], 4, nil, "use a leaf of 3, 6, 12"),
    ([101], 5, nil, "use a leaf of 101, or give `levels` instead, 0 to 6"),
    ([320], nil, 9, "320 points cannot fill the boxes of a tree of 9 levels"),
    ([320], nil, 9, "use 0 to 8 levels"),
    ([80, 80], nil, -1, "use 0 to 6 levels"),
    ([80, 3], nil, 2, "use 0 to 1 levels"),
    ([80, 40], 5, nil, "80x40 points has no leaf of 5 points in each dimension: give `levels`"),
    ([320], nil, nil, "set leaf or levels"),
  ])
  func wrongOptionsAreExplained(shape: [Int], leaf: Int?, levels: Int?, part: String) {
    let error = #expect(throws: ClusterTreeError.self) {
      try ClusterTree.uniform(.grid(shape), leaf: leaf, levels: levels)
    }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "none")")
  }

  @Test func cloudsAreRefused() throws {
    let points = try PointSet(coordinates: [0.25, 0.75], dimension: 1)
    let error = #expect(throws: ClusterTreeError.self) {
      try ClusterTree.uniform(points, leaf: 1, levels: nil)
    }
    #expect(
      error?.message
        == "a uniform tree needs a uniform grid, found a cloud of 2 points: use bisection")
  }
}
