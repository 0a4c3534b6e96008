// Windows of cells around each cell: the patterns of the bridges of MNN-H² and of convolutions.
//
// Unlike an interaction list a window has an entry for each offset, so that weights can be shared by
// offset, and a source stands in it twice if the window is wider than a periodic level.

/// For each target box the boxes of the window of 2b + 1 cells per dimension around it.
///
/// Offset o of dimension k stands for the source cell c + o − b; the offset index is row-major in
/// the offsets, 0 ..< (2b + 1)^d. The entries of a target are in ascending order of offset index.
public struct Band: Sendable, Equatable {
  /// The number of entries before each target, and their total.
  public let offsets: [Int]
  /// The source box of each entry.
  public let sources: [Int32]
  /// The offset index of each entry.
  public let offsetIndices: [Int32]
  /// The number of window places that fall outside of the grid; zero if periodic.
  public let padded: Int
  /// The number of offsets of a window, (2b + 1)^d.
  public let windowCount: Int

  /// The number of target boxes.
  public var targetCount: Int { offsets.count - 1 }

  /// The number of entries.
  public var entryCount: Int { sources.count }

  /// Makes the band of a level of a uniform tree; targets and sources in box order.
  ///
  /// - Parameters:
  ///   - tree: A uniform tree.
  ///   - level: The level, 0 for the root.
  ///   - b: The band size: the window reaches b cells to each side.
  ///   - periodic: Whether windows wrap around; else places outside are absent.
  /// - Returns: The band.
  /// - Precondition: `b` is not negative, and the level one of the tree.
  /// - Throws: ``ClusterTreeError`` if the tree is not uniform.
  /// - Complexity: O(boxes · (2b + 1)^d).
  public static func band(
    _ tree: ClusterTree, level: Int, width b: Int, periodic: Bool
  ) throws(ClusterTreeError) -> Band {
    tree.checkLevel(level)
    guard tree.isUniform else {
      throw ClusterTreeError(
        message: "a band needs a uniform tree, found one made by bisection: "
          + "use a grid, or interaction lists")
    }
    let dimension = tree.points.dimension
    var cellOfBox: [Int32] = []
    var boxOfCell = [Int32](repeating: 0, count: tree.boxCount(level: level))
    cellOfBox.reserveCapacity(boxOfCell.count)
    for box in boxOfCell.indices {
      var cell = 0
      for axis in 0..<dimension {
        cell =
          cell << level
          | ClusterTree.zOrderCell(level: level, box: box, axis: axis, dimension: dimension)
      }
      cellOfBox.append(Int32(cell))
      boxOfCell[cell] = Int32(box)
    }
    return Band(
      shape: [Int](repeating: 1 << level, count: dimension), width: b, periodic: periodic,
      cellOfBox: cellOfBox, boxOfCell: boxOfCell)
  }

  /// Makes the band of a plain grid; targets and sources are its points in row-major order.
  ///
  /// - Parameters:
  ///   - gridShape: The sizes of the grid, 1 to 3 of them.
  ///   - b: The band size: the window reaches b points to each side.
  ///   - periodic: Whether windows wrap around; else places outside are absent.
  /// - Returns: The band.
  /// - Precondition: `b` is not negative; 1 to 3 sizes of at least 1.
  /// - Complexity: O(points · (2b + 1)^d).
  public static func band(gridShape: [Int], width b: Int, periodic: Bool) -> Band {
    precondition(
      (1...3).contains(gridShape.count) && gridShape.allSatisfy { $0 >= 1 },
      "1 to 3 sizes of at least 1 needed, found \(gridShape)")
    let count = gridShape.reduce(1, *)
    precondition(count <= Int(Int32.max), "at most \(Int32.max) points possible, found \(count)")
    let identity = [Int32](0..<Int32(count))
    return Band(
      shape: gridShape, width: b, periodic: periodic, cellOfBox: identity, boxOfCell: identity)
  }

  /// Makes a band from the row-major cell of each box and the box of each cell.
  private init(
    shape: [Int], width b: Int, periodic: Bool, cellOfBox: [Int32], boxOfCell: [Int32]
  ) {
    precondition(b >= 0, "a band size of at least 0 needed, found \(b)")
    // Missing dimensions in front have one cell and a window of one.
    let missing = 3 - shape.count
    let sizes = [Int](repeating: 1, count: missing) + shape
    let widths = (0..<3).map { $0 < missing ? 0 : b }
    let windowCount = widths.reduce(1) { $0 * (2 * $1 + 1) }
    precondition(
      windowCount <= Int(Int32.max), "at most \(Int32.max) offsets possible, found \(windowCount)")

    let reach = (0..<3).map { Self.reach(size: sizes[$0], width: widths[$0], periodic: periodic) }
    let windows = widths.map { 2 * $0 + 1 }
    var offsets = [0]
    var sources: [Int32] = []
    var offsetIndices: [Int32] = []
    offsets.reserveCapacity(cellOfBox.count + 1)
    sources.reserveCapacity(cellOfBox.count * windowCount)
    offsetIndices.reserveCapacity(cellOfBox.count * windowCount)
    for cell in cellOfBox {
      let (x, y, z) = (
        Int(cell) / (sizes[1] * sizes[2]), Int(cell) / sizes[2] % sizes[1], Int(cell) % sizes[2]
      )
      for i in 0..<windows[0] {
        let first = reach[0][x * windows[0] + i]
        if first < 0 { continue }
        for j in 0..<windows[1] {
          let second = reach[1][y * windows[1] + j]
          if second < 0 { continue }
          for k in 0..<windows[2] {
            let third = reach[2][z * windows[2] + k]
            if third < 0 { continue }
            sources.append(boxOfCell[(first * sizes[1] + second) * sizes[2] + third])
            offsetIndices.append(Int32((i * windows[1] + j) * windows[2] + k))
          }
        }
      }
      offsets.append(sources.count)
    }
    self.offsets = offsets
    self.sources = sources
    self.offsetIndices = offsetIndices
    self.padded = cellOfBox.count * windowCount - sources.count
    self.windowCount = windowCount
  }

  /// Returns for each cell of one dimension the cells of its window, `[cell][offset]`; −1 outside.
  private static func reach(size: Int, width: Int, periodic: Bool) -> [Int] {
    var places: [Int] = []
    places.reserveCapacity(size * (2 * width + 1))
    for cell in 0..<size {
      for place in cell - width...cell + width {
        if periodic {
          places.append((place % size + size) % size)
        } else {
          places.append((0..<size).contains(place) ? place : -1)
        }
      }
    }
    return places
  }
}
