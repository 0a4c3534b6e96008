import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

/// Networks with the default options on the grids that are usual, and the choice of their trees.
///
/// Sizes, pairs and parameters are counted from N and L alone: leaf c of a dimension of N points holds those from
/// floor(c·N/2^L) on, cells are near if they touch.
@Suite struct UsualGridTests {
  /// The grids, and the levels of their trees.
  static let grids: [([Int], Int)] =
    [
      (64, 4), (100, 4), (101, 4), (129, 5), (201, 5), (256, 6), (320, 6), (421, 6), (513, 7),
      (640, 7),
      (1000, 7), (1024, 8),
    ].map { ([$0], $1) } + [
      ([31, 31], 2), ([61, 61], 3), ([64, 64], 4), ([80, 80], 4), ([85, 85], 4), ([128, 128], 5),
      ([241, 241], 5), ([421, 421], 6), ([50, 60], 3), ([100, 50], 4), ([128, 256], 5),
      ([32, 32, 32], 3), ([33, 33, 33], 3), ([64, 64, 64], 4),
    ]

  /// The numbers of points of the cells of one dimension.
  private static func sides(_ points: Int, _ level: Int) -> [Int] {
    (0..<1 << level).map { ($0 + 1) * points / (1 << level) - $0 * points / (1 << level) }
  }

  /// Σ f(i) g(j) over the cells of one dimension that are at most some cells apart.
  private static func pairs(
    _ cells: Int, within distance: Int, _ weight: (Int, Int) -> Int = { _, _ in 1 }
  ) -> Int {
    (0..<cells).reduce(0) { sum, i in
      (max(0, i - distance)...min(cells - 1, i + distance)).reduce(sum) { $0 + weight(i, $1) }
    }
  }

  /// The product over the dimensions.
  private static func product(_ shape: [Int], _ factor: (Int) -> Int) -> Int {
    shape.reduce(1) { $0 * factor($1) }
  }

  /// The weights of a near field: points of pairs of leaves that touch.
  private static func nearWeights(_ shape: [Int], _ levels: Int) -> Int {
    product(shape) { size in
      let sides = sides(size, levels)
      return pairs(1 << levels, within: 1) { sides[$0] * sides[$1] }
    }
  }

  /// The parameters of transfers between points, leaves and the levels down to 2.
  private static func transfers(_ shape: [Int], _ levels: Int, _ r: Int) -> Int {
    let (d, points) = (shape.count, shape.reduce(1, *))
    func boxes(_ level: Int) -> Int { 1 << (d * level) }
    return (2..<levels).reduce(2 * points * r + points + boxes(levels) * r) { sum, level in
      sum + boxes(level + 1) * r * r + boxes(level) * r + boxes(level + 1) * (r * r + r)
    }
  }

  @Test(arguments: grids)
  func leavesAreSmallBoxes(shape: [Int], levels: Int) throws {
    for model in [Model.h2nn, .mnnH2, .mnnH] {
      var options = NetworkOptions()
      options.model = model
      let settled = try options.settled(sources: .grid(shape))
      #expect((settled.leaf == nil) != (settled.levels == nil))
      #expect(try settled.settled(sources: .grid(shape)) == settled)
      let tree = try Network.trees(options, sources: .grid(shape), receivers: nil).sources
      #expect(tree.levels == levels)
      #expect(try Network.trees(settled, sources: .grid(shape), receivers: nil).sources == tree)
      // No tree has leaves of 4 to 8 points in both dimensions of 100 × 50.
      let usual = shape == [100, 50] ? 3...7 : 4...8
      var found = Set<Int32>()
      for box in 0..<tree.boxCount(level: levels) {
        let points = tree.order[tree.pointRange(level: levels, box: box)]
        found.formUnion(points)
        var count = 1
        for axis in shape.indices {
          let stride = shape[(axis + 1)...].reduce(1, *)
          let indices = points.map { Int($0) / stride % shape[axis] }
          let side = (indices.max() ?? 0) - (indices.min() ?? 0) + 1
          #expect(usual.contains(side), "\(side) points in dimension \(axis)")
          count *= side
        }
        #expect(points.count == count)
      }
      #expect(found.count == tree.points.count && tree.order.count == found.count)
    }
  }

  @Test(arguments: grids)
  func fastMultipoleNetwork(shape: [Int], levels: Int) throws {
    let options = NetworkOptions()
    let network = try Network.build(options, sources: .grid(shape))
    let (d, r, k) = (shape.count, options.channels, options.layers)
    func boxes(_ level: Int) -> Int { 1 << (d * level) }
    func near(_ level: Int) -> Int {
      Self.product(shape) { _ in Self.pairs(1 << level, within: 1) }
    }
    var count = k * (Self.nearWeights(shape, levels) + shape.reduce(1, *))
    count += Self.transfers(shape, levels, r)
    for level in 2...levels {
      // The children of near parents that are not near themselves.
      count +=
        k * ((near(level - 1) * boxes(1) * boxes(1) - near(level)) * r * r + boxes(level) * r)
    }
    #expect(network.parameterCount == count && network.activeParameterCount == count)
    #expect(network.inputOrder.sorted() == [Int32](0..<Int32(shape.reduce(1, *))))

    // How often each pair of leaves is covered, near or by one of the levels.
    let leaves = boxes(levels)
    var covered = [UInt8](repeating: 0, count: leaves * leaves)
    for item in network.layers where item.layer.name.hasSuffix(".1") {
      let pattern = item.layer.pattern
      let width = leaves / pattern.targetCount
      for row in 0..<pattern.targetCount {
        for entry in pattern.entries(of: row) {
          let source = Int(pattern.sources[entry])
          for target in row * width..<(row + 1) * width {
            for place in target * leaves + source * width..<target * leaves + (source + 1) * width {
              covered[place] &+= 1
            }
          }
        }
      }
    }
    #expect(covered.allSatisfy { $0 == 1 })
  }

  @Test(arguments: grids, Boundary.allCases)
  func multiscaleNetwork(grid: ([Int], Int), boundary: Boundary) throws {
    let (shape, levels) = grid
    var options = NetworkOptions()
    (options.model, options.boundary) = (.mnnH2, boundary)
    let network = try Network.build(options, sources: .grid(shape))
    let (d, r, k) = (shape.count, options.channels, options.layers)
    func boxes(_ level: Int) -> Int { 1 << (d * level) }
    func window(_ width: Int) -> Int { Self.product(shape) { _ in 2 * width + 1 } }
    let points = shape.reduce(1, *)
    var active = Self.transfers(shape, levels, r) + k * points
    // A place outside of the grid counts as a leaf as large as the one in the middle.
    var padded = 0
    if boundary == .periodic {
      active +=
        k
        * Self.product(shape) { size in
          let sides = Self.sides(size, levels)
          return sides.indices.reduce(0) { sum, i in
            sum
              + [-1, 0, 1].reduce(0) {
                $0 + sides[i] * sides[(i + $1 + sides.count) % sides.count]
              }
          }
        }
    } else {
      active += k * Self.nearWeights(shape, levels)
      // Σ over leaves of (3^d − neighbours) m² = 3^d Π Σ m² − Π Σ neighbours · m².
      let squares = Self.product(shape) { size in
        Self.sides(size, levels).reduce(0) { $0 + $1 * $1 }
      }
      let weighted = Self.product(shape) { size in
        let sides = Self.sides(size, levels)
        return Self.pairs(sides.count, within: 1) { i, _ in sides[i] * sides[i] }
      }
      padded += k * (window(1) * squares - weighted)
    }
    for level in 2...levels {
      let width = level == 2 ? 2 : 3
      let entries =
        boundary == .periodic
        ? boxes(level) * window(width)
        : Self.product(shape) { _ in Self.pairs(1 << level, within: width) }
      active += k * (entries * r * r + boxes(level) * r)
      padded += k * (boxes(level) * window(width) - entries) * r * r
    }
    #expect(network.activeParameterCount == active)
    #expect(network.parameterCount == active + padded)
  }
}
