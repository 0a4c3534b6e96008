import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

/// The parameters of MNN-H and of variants of MNN-H², as numbers of the authors' programs and layer by layer.
@Suite struct MultiscaleCountTests {
  private func options(
    _ model: Model, _ sharing: NetworkSharing, _ boundary: Boundary = .periodic, leaf: Int = 5,
    layers: Int = 5, channels: Int = 6
  ) -> NetworkOptions {
    var options = NetworkOptions()
    (options.model, options.sharing, options.boundary) = (model, sharing, boundary)
    (options.leaf, options.layers, options.channels) = (leaf, layers, channels)
    return options
  }

  private func count(_ options: NetworkOptions, _ shape: [Int]) throws -> Int {
    try Network.build(options, sources: .grid(shape)).parameterCount
  }

  @Test(arguments: zip(2...8, [1895, 3060, 4555, 6380, 8535, 11020, 13835]))
  func hierarchicalByChannels(channels: Int, expected: Int) throws {
    for boundary in Boundary.allCases {
      let network = try Network.build(
        options(.mnnH, .offset, boundary, channels: channels), sources: .grid([320]))
      #expect(network.parameterCount == expected && network.activeParameterCount == expected)
    }
  }

  @Test(arguments: zip(2...8, [33371, 37514, 42887, 49490, 57323, 66386, 76679]))
  func hierarchicalSquare(channels: Int, expected: Int) throws {
    let network = try Network.build(
      options(.mnnH, .offset, channels: channels), sources: .grid([80, 80]))
    #expect(network.parameterCount == expected && network.activeParameterCount == expected)
  }

  /// Near field 5 (3·5·5 + 5); restrictions 5·6 + 6 and 2·6·4 + 4; bridges 5 (7·6·6 + 6) and
  /// 5 (5·4·4 + 4); interpolations 4·12 + 12 and 6·5 + 5.
  @Test func channelsAboveTheLeaves() throws {
    var options = options(.mnnH2, .offset)
    options.coarseChannels = [4, 9]
    #expect(try count(options, [40]) == 400 + 36 + 52 + 1290 + 420 + 60 + 35)
    // With a further level, which has the last number of channels.
    let network = try Network.build(options, sources: .grid([160]))
    let channels = network.values.map { $0.layout.channels(of: 0) }
    #expect(Set(channels) == [4, 5, 6, 9])
    options.coarseChannels = [0]
    #expect(throws: NetworkError.self) { try count(options, [40]) }
    options.coarseChannels = [4]
    options.model = .conv
    #expect(throws: NetworkError.self) { try count(options, [40]) }
  }

  /// Parameters in the terms of the authors: of positions, windows and channels.
  struct Terms {
    let dimension: Int
    let levels: Int
    let leaf: Int
    let r: Int
    let layers: Int
    let sharing: NetworkSharing

    func power(_ base: Int) -> Int { (0..<dimension).reduce(1) { product, _ in product * base } }

    /// A convolution, or a locally connected layer, which has n of each.
    func layer(_ positions: Int, isOwn: Bool, window: Int, _ inputs: Int, _ outputs: Int) -> Int {
      (isOwn ? positions : 1) * (window * inputs * outputs + outputs)
    }

    var common: Int {
      let m = power(leaf)
      var sum = 0
      for k in 1...layers {
        let isOwn = sharing == .own || (sharing == .mix && dimension == 1 && k == layers)
        sum += layer(power(1 << levels), isOwn: isOwn, window: power(3), m, m)
      }
      for level in 2...levels {
        sum +=
          layers
          * layer(
            power(1 << level), isOwn: sharing == .own, window: power(level == 2 ? 5 : 7), r, r)
      }
      return sum
    }

    var hierarchical: Int {
      let isOwn = sharing != .offset
      return (2...levels).reduce(common) { sum, level in
        let side = power(leaf << (levels - level))
        return sum + layer(power(1 << level), isOwn: isOwn, window: side, 1, r)
          + layer(power(1 << level), isOwn: isOwn, window: 1, r, side)
      }
    }

    var nested: Int {
      let (isOwn, leaves, m, children) = (
        sharing != .offset, power(1 << levels), power(leaf), power(2)
      )
      let ends =
        layer(leaves, isOwn: isOwn, window: m, 1, r) + layer(leaves, isOwn: isOwn, window: 1, r, m)
      return (2..<max(2, levels)).reduce(common + ends) { sum, level in
        sum + layer(power(1 << level), isOwn: isOwn, window: children, r, r)
          + layer(power(1 << level), isOwn: isOwn, window: 1, r, children * r)
      }
    }
  }

  @Test(
    arguments: [
      ([320], 5), ([40], 5), ([20], 5), ([80, 80], 5), ([16, 16], 2), ([8, 8, 8], 2),
      ([8, 8, 8], 1),
    ], NetworkSharing.allCases)
  func countsAreThoseOfTheAuthorsLayers(grid: ([Int], Int), sharing: NetworkSharing) throws {
    let (shape, leaf) = grid
    let terms = Terms(
      dimension: shape.count, levels: (shape[0] / leaf).trailingZeroBitCount, leaf: leaf, r: 3,
      layers: 2, sharing: sharing)
    // The terms are those of the known number.
    let known = Terms(dimension: 1, levels: 6, leaf: 5, r: 6, layers: 5, sharing: .own)
    #expect(known.nested == 198_384)
    for boundary in Boundary.allCases {
      let (h, h2) = (
        options(.mnnH, sharing, boundary, leaf: leaf, layers: 2, channels: 3),
        options(.mnnH2, sharing, boundary, leaf: leaf, layers: 2, channels: 3)
      )
      #expect(try count(h, shape) == terms.hierarchical)
      #expect(try count(h2, shape) == terms.nested)
    }
  }

  /// K′ − 1 further layers r → r of each transfer: 5 up and 5 down in MNN-H², on levels 6 … 2, and as many
  /// in MNN-H.
  @Test(arguments: [Model.mnnH2, .mnnH], [1, 2, 4])
  func transferLayers(model: Model, layers: Int) throws {
    var shared = options(model, .offset)
    let (base, r) = (try count(shared, [320]), shared.channels)
    shared.transferLayers = layers
    #expect(try count(shared, [320]) == base + (layers - 1) * 10 * (r * r + r))
    var own = options(model, .own)
    let ownBase = try count(own, [320])
    own.transferLayers = layers
    let boxes = 4 + 8 + 16 + 32 + 64
    #expect(try count(own, [320]) == ownBase + (layers - 1) * 2 * boxes * (r * r + r))
  }

  /// A block c → c′ becomes c·w + w + w·c′ parameters, biases of the targets stay.
  @Test(arguments: [1, 4, 9])
  func blockNetworks(width w: Int) throws {
    var tree = NetworkOptions()
    tree.blockWidth = w
    let (r, m, k) = (tree.channels, 5, tree.layers)
    // 40 points: 8 leaves, neighbours 3·8 − 2; interactions on levels 2 and 3.
    let (near, far) = (22, [(4, 6), (8, 18)])
    var expected = k * (near * (m * w + w + w * m) + 40)
    for (boxes, pairs) in far { expected += k * (pairs * (r * w + w + w * r) + boxes * r) }
    expected += 2 * 40 * r + 8 * r + 40  // leaves
    expected += 8 * r * r + 4 * r + 8 * (r * r + r)  // level 2
    let network = try Network.build(tree, sources: .grid([40]))
    #expect(network.parameterCount == expected && network.activeParameterCount == expected)

    // Weights by offset: a network for each place of a window.
    var shared = options(.mnnH2, .offset)
    let plain = try count(shared, [320])
    shared.blockWidth = w
    let change = { (window: Int, c: Int) in window * (2 * c * w + w - c * c) }
    let changes = 5 * (change(3, 5) + change(5, 6) + 4 * change(7, 6))
    #expect(try count(shared, [320]) == plain + changes)
  }

  /// Over zero padding there are no networks, so none are counted.
  @Test func blockNetworksOverPadding() throws {
    var own = options(.mnnH2, .own, .zero, layers: 1)
    own.blockWidth = 3
    let network = try Network.build(own, sources: .grid([320]))
    #expect(network.parameterCount == network.activeParameterCount)
  }
}
