import ClusterTrees
import Testing

@Suite struct BandTests {
  @Test func levelTwoHasItsOppositeTwice() throws {
    let tree = try ClusterTree.uniform(.grid([320]), leaf: 5, levels: nil)
    let band = try Band.band(tree, level: 2, width: 2, periodic: true)
    #expect(band.windowCount == 5 && band.targetCount == 4 && band.padded == 0)
    #expect(Array(band.sources[..<5]) == [2, 3, 0, 1, 2])
    #expect(Array(band.offsetIndices[..<5]) == [0, 1, 2, 3, 4])
  }

  @Test func placesOutsideAreCounted() throws {
    let tree = try ClusterTree.uniform(.grid([8]), leaf: 1, levels: nil)
    let band = try Band.band(tree, level: 3, width: 3, periodic: false)
    // 3 + 2 + 1 places beyond each end.
    #expect(band.padded == 12)
    #expect(band.entryCount == 8 * 7 - 12)
    #expect(Array(band.sources[..<band.offsets[1]]) == [0, 1, 2, 3])
    #expect(Array(band.offsetIndices[..<band.offsets[1]]) == [3, 4, 5, 6])
  }

  @Test(
    arguments: [
      ([64], 0), ([64], 1), ([8], 3), ([2], 5), ([1], 2), ([4, 4], 2), ([8, 8], 3), ([1, 1], 1),
      ([4, 4, 4], 1), ([2, 2, 2], 2),
    ], [false, true])
  func treeBandMatchesModularArithmetic(grid: ([Int], Int), periodic: Bool) throws {
    let (shape, width) = grid
    let tree = try ClusterTree.uniform(.grid(shape), leaf: 1, levels: nil)
    for level in 0...tree.levels {
      let sizes = shape.map { _ in 1 << level }
      let boxes = tree.boxCount(level: level)
      let cells = (0..<boxes).compactMap { tree.cell(level: level, box: $0) }
      let found = try Band.band(tree, level: level, width: width, periodic: periodic)
      check(found, cells: cells, sizes: sizes, width: width, periodic: periodic)
    }
  }

  @Test(
    arguments: [
      ([10], 2), ([3], 5), ([1], 0), ([5, 3], 2), ([2, 7], 3), ([3, 2, 4], 1), ([1, 5, 2], 2),
    ], [false, true])
  func gridBandMatchesModularArithmetic(grid: ([Int], Int), periodic: Bool) {
    let (shape, width) = grid
    var cells: [[Int]] = [[]]
    for size in shape { cells = cells.flatMap { cell in (0..<size).map { cell + [$0] } } }
    check(
      Band.band(gridShape: shape, width: width, periodic: periodic), cells: cells, sizes: shape,
      width: width, periodic: periodic)
  }

  /// Compares with windows that are enumerated as lists of numbers, and sources that are searched.
  func check(_ band: Band, cells: [[Int]], sizes: [Int], width: Int, periodic: Bool) {
    let numbers = Dictionary(uniqueKeysWithValues: zip(cells, 0..<cells.count))
    var window: [[Int]] = [[]]
    for _ in sizes { window = window.flatMap { part in (-width...width).map { part + [$0] } } }
    var offsets = [0]
    var sources: [Int32] = []
    var indices: [Int32] = []
    var outside = 0
    for cell in cells {
      for (index, offset) in window.enumerated() {
        var place = zip(cell, offset).map { $0 + $1 }
        if periodic {
          for axis in place.indices {
            while place[axis] < 0 { place[axis] += sizes[axis] }
            while place[axis] >= sizes[axis] { place[axis] -= sizes[axis] }
          }
        }
        if let source = numbers[place] {
          sources.append(Int32(source))
          indices.append(Int32(index))
        } else {
          outside += 1
        }
      }
      offsets.append(sources.count)
    }
    #expect(band.offsets == offsets)
    #expect(band.sources == sources)
    #expect(band.offsetIndices == indices)
    #expect(band.padded == outside)
    #expect(band.windowCount == window.count)
  }

  @Test func bisectionIsRefused() throws {
    let tree = try ClusterTree.bisection(.grid([8]), leaf: 1, levels: nil)
    let error = #expect(throws: ClusterTreeError.self) {
      try Band.band(tree, level: 2, width: 2, periodic: true)
    }
    #expect(error?.message.contains("needs a uniform tree") == true)
  }

  @Test func wrongWidthsAndLevelsTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = Band.band(gridShape: [4], width: -1, periodic: true)
    }
    await #expect(processExitsWith: .failure) {
      _ = Band.band(gridShape: [4, 4, 4, 4], width: 1, periodic: true)
    }
    await #expect(processExitsWith: .failure) {
      let tree = try ClusterTree.uniform(.grid([4]), leaf: 1, levels: nil)
      _ = try Band.band(tree, level: 3, width: 1, periodic: true)
    }
  }
}
