import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

/// A network GFMM to be tested, with the tree that it stands on.
struct GFMMCase: CustomTestStringConvertible, Sendable {
  let options: NetworkOptions
  let shape: [Int]

  init(
    _ shape: [Int], levels: Int, _ bridges: BridgePattern?, channels: Int = 2,
    _ sharing: NetworkSharing = .own, _ boundary: Boundary = .zero
  ) {
    var options = NetworkOptions()
    (options.model, options.bridges, options.channels) = (.gfmm, bridges, channels)
    (options.sharing, options.boundary, options.levels) = (sharing, boundary, levels)
    (self.options, self.shape) = (options, shape)
  }

  var bridges: BridgePattern { options.bridges ?? .usual }

  var testDescription: String {
    "\(shape) \(bridges.rawValue) \(options.sharing.rawValue) \(options.boundary.rawValue)"
  }

  func network() throws -> Network { try Network.build(options, sources: .grid(shape)) }

  func tree() throws -> ClusterTree {
    try Network.trees(options, sources: .grid(shape), receivers: nil).sources
  }

  /// The matrix of a network, in the order of the tree, column by column from unit vectors.
  func matrix(_ network: Network, _ parameters: [Double]) -> DenseMatrix {
    let n = network.inputOrder.count
    let run = NetworkRun<Double>(
      network, samples: (n + 15) / 16 * 16, parameters: parameters)
    let order = network.inputOrder.map { Int($0) }
    run.setInput(
      order.map { point in (0..<n).map { $0 == point ? 1 : 0 } }
        + Array(
          repeating: [Double](repeating: 0, count: n), count: (n + 15) / 16 * 16 - n))
    run.forward()
    let columns = run.output
    return DenseMatrix(
      rows: n, columns: n,
      elements: (0..<n).flatMap { column in order.map { columns[column][$0] } })
  }

  /// In 1D, 2D and 3D, with leaves of one size and of two.
  static func all(_ bridges: [BridgePattern]) -> [GFMMCase] {
    bridges.flatMap { bridges in
      [
        ([32], 3), ([37], 3), ([64], 4), ([16, 16], 2), ([16, 16], 3), ([13, 18], 2),
        ([8, 8, 8], 2),
      ]
      .filter { bridges != .blog || $0.0.count == 1 }
      .map { GFMMCase($0.0, levels: $0.1, bridges) }
    }
  }
}

@Suite("GFMM")
struct GFMMTests {
  static let lower: [BridgePattern] = [.weak, .strong, .blog, .strictlyLower]

  @Test(
    "a triangular matrix is zero on the other side, and nowhere else",
    arguments: GFMMCase.all(lower + [.strictlyUpper]))
  func triangles(gfmm: GFMMCase) throws {
    let (network, tree) = (try gfmm.network(), try gfmm.tree())
    let matrix = gfmm.matrix(network, numbers(network.activeParameterCount, seed: 1))
    let leaves = tree.boxCount(level: tree.levels)
    for i in 0..<leaves {
      for j in 0..<leaves {
        let block = matrix.block(
          tree.pointRange(level: tree.levels, box: i), tree.pointRange(level: tree.levels, box: j))
        let isOutside = gfmm.bridges == .strictlyUpper ? j < i : j > i
        #expect(
          block.elements.allSatisfy { ($0 == 0) == isOutside }, "block \(i), \(j)")
      }
    }
  }

  /// Bridges that lead from a box to itself fill both triangles inside of the boxes of level 1, as the paper warns.
  @Test(
    "what is not strictly triangular fills its boxes",
    arguments: GFMMCase.all([
      .tridiagonal, .pentadiagonal, .lowerBidiagonal, .upperBidiagonal,
    ]))
  func leaks(gfmm: GFMMCase) throws {
    let (network, tree) = (try gfmm.network(), try gfmm.tree())
    let matrix = gfmm.matrix(network, numbers(network.activeParameterCount, seed: 2))
    for i in 0..<tree.arity {
      for j in 0..<tree.arity {
        let block = matrix.block(
          tree.pointRange(level: 1, box: i), tree.pointRange(level: 1, box: j))
        let isOutside =
          gfmm.bridges == .lowerBidiagonal && j > i || gfmm.bridges == .upperBidiagonal && j < i
        #expect(block.elements.allSatisfy { ($0 == 0) == isOutside }, "block \(i), \(j)")
      }
    }
  }

  /// From cells alone: how often blocks are covered by near field and bridges.
  @Test(
    "bands see the boxes that their cells say, each once",
    arguments: GFMMCase.all(BridgePattern.allCases.filter { !lower[..<3].contains($0) })
      + [
        GFMMCase([32], levels: 3, .tridiagonal, .own, .periodic),
        GFMMCase([32], levels: 3, .pentadiagonal, .offset, .periodic),
        GFMMCase([32], levels: 3, .upperBidiagonal, .own, .periodic),
        GFMMCase([32], levels: 3, .lowerBidiagonal, .offset, .periodic),
        GFMMCase([16, 16], levels: 3, .tridiagonal, .offset, .periodic),
        GFMMCase([16, 16], levels: 2, .pentadiagonal, .own, .periodic),
      ])
  func cells(gfmm: GFMMCase) throws {
    let (network, tree) = (try gfmm.network(), try gfmm.tree())
    let isPeriodic = gfmm.options.boundary == .periodic
    var isSeen = Set<[Int]>()
    func check(_ name: String, _ level: Int, _ isIn: (_ target: Int, _ source: Int) -> Bool) throws
    {
      let pattern = try #require(network.layers.first { $0.layer.name == name }).layer.pattern
      let boxes = tree.boxCount(level: level)
      #expect(pattern.targetCount == boxes && pattern.sourceCount == boxes)
      for target in 0..<boxes {
        let sources = pattern.entries(of: target).map { Int(pattern.sources[$0]) }
        #expect(
          sources.sorted() == (0..<boxes).filter { isIn(target, $0) }, "\(name), box \(target)")
        for source in sources { isSeen.insert([level, target, source]) }
      }
    }
    func isBand(_ level: Int, _ target: Int, _ source: Int) -> Bool {
      let (a, b) = (tree.cell(level: level, box: target), tree.cell(level: level, box: source))
      let side = 1 << level
      let steps = zip(a ?? [], b ?? []).map { isPeriodic ? ($1 - $0 + side) % side : $1 - $0 }
      let width = gfmm.bridges == .pentadiagonal ? 2 : 1
      let isNear = steps.allSatisfy { min(abs($0), isPeriodic ? side - $0 : abs($0)) <= width }
      let isBefore = isPeriodic ? steps == [side - 1] : source < target
      // With two boxes on a ring each is before and behind the other.
      let isBehind = isPeriodic ? steps == [1] : source > target
      switch gfmm.bridges {
      case .lowerBidiagonal, .strictlyLower: return isNear && isBefore
      case .upperBidiagonal, .strictlyUpper: return isNear && isBehind
      default: return isNear && target != source
      }
    }
    let isStrict = [.strictlyLower, .strictlyUpper].contains(gfmm.bridges)
    try check("diagonal", tree.levels) { $0 == $1 }
    try check("near", tree.levels) { isBand(tree.levels, $0, $1) }
    for level in 1..<tree.levels {
      try check("bridge.\(level)", level) { isBand(level, $0, $1) || !isStrict && $0 == $1 }
    }
    #expect(!network.layers.contains { $0.layer.name == "bridge.\(tree.levels)" })
    // Every block of the triangle, or of the matrix, is there.
    for i in 0..<tree.boxCount(level: tree.levels) {
      for j in 0...i {
        var (a, b, count) = (i, j, 0)
        if gfmm.bridges == .strictlyUpper || gfmm.bridges == .upperBidiagonal { (a, b) = (j, i) }
        for level in stride(from: tree.levels, through: 1, by: -1) {
          count += isSeen.contains([level, a, b]) ? 1 : 0
          (a, b) = (a / tree.arity, b / tree.arity)
        }
        #expect(count > 0, "leaves \(i), \(j)")
      }
    }
  }

  @Test("in one dimension the paper's triangle is that of factors")
  func blog() throws {
    for shape in [[32], [37]] {
      let networks = try [BridgePattern.blog, .strictlyLower].map {
        try GFMMCase(shape, levels: 3, $0).network()
      }
      #expect(networks[0].layers.map(\.layer.name) == networks[1].layers.map(\.layer.name))
      #expect(networks[0].layers.map(\.layer.pattern) == networks[1].layers.map(\.layer.pattern))
    }
  }

  @Test(
    "networks have as many parameters as factors",
    arguments: [
      (BridgePattern.strong, 256, [1: 15900, 2: 16496, 4: 17856, 8: 21248, 16: 30720]),
      (.weak, 256, [1: 8735, 2: 9340, 4: 10736, 8: 14272, 16: 24320]),
      (.blog, 256, [1: 15900, 2: 16496, 4: 17856, 8: 21248, 16: 30720]),
      (.strictlyUpper, 256, [1: 15900, 2: 16496, 4: 17856, 8: 21248, 16: 30720]),
      (.strong, 4096, [1: 270168, 2: 280928, 4: 307584, 8: 381440, 16: 611328]),
      (.weak, 4096, [1: 139895, 2: 149980, 4: 173936, 8: 236992, 16: 423680]),
      (.blog, 4096, [1: 269936, 2: 280000, 4: 303872, 8: 366592, 16: 551936]),
    ])
  func counts(bridges: BridgePattern, points: Int, counts: [Int: Int]) throws {
    for (channels, count) in counts {
      let levels = (points / 32).trailingZeroBitCount
      let network = try GFMMCase([points], levels: levels, bridges, channels: channels).network()
      #expect(network.parameterCount == count && network.activeParameterCount == count)
      #expect(network.slices.allSatisfy { $0.biases.isEmpty })
    }
  }

  /// Counts of blocks with r = P.
  ///
  /// Of d boxes in a row 3 d − 2 see each other, on a ring 3 d, or 4 if there are two; the transfers have
  /// 2 (M + M + M/2 + … + 4) blocks for M leaves. By offset: one for each offset, or each child.
  @Test func countsOfBands() throws {
    for (boundary, blocks, offsets) in [
      (Boundary.zero, 22 + 10 + 4, 3 + 3 + 3), (.periodic, 24 + 12 + 4, 3 + 3 + 2),
    ] {
      let own = try GFMMCase([32], levels: 3, nil, channels: 4, .own, boundary).network()
      #expect(own.parameterCount == 16 * (blocks + 2 * (8 + 8 + 4)))
      let shared = try GFMMCase([32], levels: 3, nil, channels: 4, .offset, boundary).network()
      #expect(shared.parameterCount == 16 * (offsets + 2 * (1 + 2 + 2)))
    }
  }

  @Test(
    "by offset the parts of a matrix are Toeplitz by the boxes of their levels, on a ring circulant",
    arguments: [
      GFMMCase([32], levels: 3, .tridiagonal, .offset),
      GFMMCase([32], levels: 3, .tridiagonal, .offset, .periodic),
      GFMMCase([64], levels: 4, .pentadiagonal, .offset),
      GFMMCase([64], levels: 4, .pentadiagonal, .offset, .periodic),
      GFMMCase([32], levels: 3, .strictlyLower, .offset),
      GFMMCase([32], levels: 3, .strictlyUpper, .offset),
      GFMMCase([32], levels: 3, .lowerBidiagonal, .offset, .periodic),
      GFMMCase([32], levels: 3, .upperBidiagonal, .offset),
      GFMMCase([16, 16], levels: 2, .tridiagonal, .offset),
      GFMMCase([16, 16], levels: 3, .tridiagonal, .offset, .periodic),
      GFMMCase([8, 16], levels: 2, .pentadiagonal, .offset, .periodic),
    ])
  func toeplitz(gfmm: GFMMCase) throws {
    for sharing in [NetworkSharing.offset, .own] {
      var options = gfmm.options
      options.sharing = sharing
      let network = try Network.build(options, sources: .grid(gfmm.shape))
      let tree = try gfmm.tree()
      let all = numbers(network.activeParameterCount, seed: 5)
      // A bridge of one block on level 1 is Toeplitz whatever it is.
      for level in (sharing == .own ? 2 : 1)...tree.levels {
        // The near field and the diagonal alone, or one bridge.
        let kept = level == tree.levels ? ["near", "diagonal"] : ["bridge.\(level)"]
        var parameters = all
        for slice in network.slices
        where slice.name.hasPrefix("bridge") || ["near", "diagonal"].contains(slice.name) {
          if !kept.contains(slice.name) { for place in slice.range { parameters[place] = 0 } }
        }
        let matrix = gfmm.matrix(network, parameters)
        #expect(matrix.elements.contains { $0 != 0 })
        let found = try isToeplitz(
          matrix, tree, level: level, isPeriodic: options.boundary == .periodic)
        #expect(found == (sharing == .offset), "\(kept), \(sharing)")
      }
    }
  }

  /// Whether blocks of boxes of a level depend on the offset of their cells alone.
  private func isToeplitz(
    _ matrix: DenseMatrix, _ tree: ClusterTree, level: Int, isPeriodic: Bool
  ) throws -> Bool {
    let (boxes, side) = (tree.boxCount(level: level), 1 << level)
    var first: [[Int]: [Double]] = [:]
    for target in 0..<boxes {
      let cell = try #require(tree.cell(level: level, box: target))
      for source in 0..<boxes {
        let other = try #require(tree.cell(level: level, box: source))
        let offset = zip(cell, other).map { isPeriodic ? ($1 - $0 + side) % side : $1 - $0 }
        let block = matrix.block(
          tree.pointRange(level: level, box: target), tree.pointRange(level: level, box: source)
        ).elements
        guard let expected = first[offset] else {
          first[offset] = block
          continue
        }
        // The products of a block are the same, and zeros are added to them: measured is no difference.
        guard zip(block, expected).allSatisfy({ abs($0 - $1) < 1e-14 }) else { return false }
      }
    }
    return true
  }

  @Test("leaves have as many points as channels, or more")
  func leaves() throws {
    for (shape, channels, levels) in [
      ([320], 6, 5), ([320], 3, 6), ([256], 6, 5), ([100], 6, 4), ([256], 32, 3), ([1600], 100, 4),
      ([64, 64], 6, 4), ([64, 64], 20, 3), ([7], 6, 0),
    ] {
      var options = NetworkOptions()
      (options.model, options.channels) = (.gfmm, channels)
      let tree = try Network.trees(options, sources: .grid(shape), receivers: nil).sources
      #expect(tree.levels == levels, "\(shape), r = \(channels)")
      let least = (0..<tree.boxCount(level: levels)).map {
        tree.pointRange(level: levels, box: $0).count
      }.min()
      #expect(try #require(least) >= channels)
      #expect(try Network.build(options, sources: .grid(shape)).parameterCount > 0)
    }
    // Shared weights need two leaves at least.
    var options = NetworkOptions()
    (options.model, options.sharing) = (.gfmm, .offset)
    #expect(try Network.trees(options, sources: .grid([38]), receivers: nil).sources.levels == 1)
  }
}
