import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

/// The counts of the papers and of their authors' programs.
@Suite struct ParameterCountTests {
  private func mnnH2(
    _ shape: [Int], _ sharing: NetworkSharing, _ boundary: Boundary, leaf: Int? = 5,
    levels: Int? = nil, layers: Int, channels: Int
  ) throws -> Network {
    var options = NetworkOptions()
    options.model = .mnnH2
    options.sharing = sharing
    options.boundary = boundary
    options.leaf = leaf
    options.levels = levels
    options.layers = layers
    options.channels = channels
    return try Network.build(options, sources: .grid(shape))
  }

  @Test(arguments: zip(2...8, [1225, 2178, 3493, 5170, 7209, 9610, 12373]))
  func convolutionalByChannels(channels: Int, count: Int) throws {
    let network = try mnnH2([320], .offset, .periodic, layers: 5, channels: channels)
    #expect(network.parameterCount == count && network.activeParameterCount == count)
    // Shared weights do not depend on what lies beyond the ends.
    let zero = try mnnH2([320], .offset, .zero, layers: 5, channels: channels)
    #expect(zero.parameterCount == count && zero.activeParameterCount == count)
  }

  @Test(arguments: zip(1...7, [2017, 3315, 4613, 5911, 7209, 8507, 9805]))
  func convolutionalByLayers(layers: Int, count: Int) throws {
    let network = try mnnH2([320], .offset, .periodic, layers: layers, channels: 6)
    #expect(network.parameterCount == count && network.activeParameterCount == count)
  }

  @Test(arguments: zip([2, 4, 6, 8, 10], [47088, 104_576, 198_384, 328_512, 494_960]))
  func locallyConnected(channels: Int, count: Int) throws {
    let network = try mnnH2([320], .own, .zero, layers: 5, channels: channels)
    #expect(network.parameterCount == count)
    // Zero padding takes 2 places of 3·64 and, of 5 or 7 per box, 6 and 12 at each level.
    let r = channels
    #expect(network.activeParameterCount == count - 5 * (2 * 25 + (6 + 4 * 12) * r * r))
    let periodic = try mnnH2([320], .own, .periodic, layers: 5, channels: channels)
    #expect(periodic.parameterCount == count && periodic.activeParameterCount == count)
  }

  @Test(arguments: zip([2, 4, 6, 8, 10], [9198, 15876, 25794, 38952, 55350]))
  func mixed(channels: Int, count: Int) throws {
    let network = try mnnH2([320], .mix, .zero, layers: 5, channels: channels)
    #expect(network.parameterCount == count)
    // Only the last layer of the near field has own weights and a boundary.
    #expect(network.activeParameterCount == count - 2 * 25)
  }

  @Test(
    arguments: [
      (320, 124_736, 23_198), (640, 173_056, 42_538), (1280, 356_096, 110_918),
    ])
  func comparisonOfSizes(points: Int, own: Int, mix: Int) throws {
    let local = try mnnH2([points], .own, .zero, leaf: nil, levels: 6, layers: 3, channels: 6)
    #expect(local.parameterCount == own && local.activeParameterCount < own)
    let mixed = try mnnH2([points], .mix, .zero, leaf: nil, levels: 6, layers: 3, channels: 6)
    #expect(mixed.parameterCount == mix && mixed.activeParameterCount < mix)
  }

  @Test(arguments: zip(2...8, [30951, 34182, 38675, 44430, 51447, 59726, 69267]))
  func convolutionalSquare(channels: Int, count: Int) throws {
    let network = try mnnH2([80, 80], .offset, .periodic, layers: 5, channels: channels)
    #expect(network.parameterCount == count && network.activeParameterCount == count)
  }

  @Test(arguments: zip([2, 4, 6, 8, 10], [17074, 26244, 41446, 62680, 89946]))
  func convolutionalSquareOfKohnSham(channels: Int, count: Int) throws {
    let network = try mnnH2([64, 64], .offset, .periodic, leaf: 4, layers: 6, channels: channels)
    #expect(network.parameterCount == count)
  }

  @Test(arguments: zip([2, 4, 6, 8], [66612, 108_614, 160_656, 222_738]))
  func mixedSquare(channels: Int, count: Int) throws {
    let network = try mnnH2([80, 80], .mix, .zero, layers: 5, channels: channels)
    #expect(network.parameterCount == count && network.activeParameterCount == count)
  }

  @Test func plainNetworks() throws {
    var options = NetworkOptions()
    options.model = .conv
    options.layers = 4
    let conv = try Network.build(options, sources: .grid([320]))
    // Windows of 11 points: 1 → 6, twice 6 → 6, 6 → 1.
    #expect(conv.parameterCount == 11 * 6 + 6 + 2 * (11 * 36 + 6) + 11 * 6 + 1)
    options.model = .dense
    options.width = 10
    let dense = try Network.build(options, sources: .grid([20]), receivers: .grid([7]))
    #expect(dense.parameterCount == 20 * 10 + 10 + 2 * (10 * 10 + 10) + 10 * 7 + 7)
  }

  @Test(arguments: NetworkCase.all)
  func activeCountsAreNotLarger(networkCase: NetworkCase) throws {
    let network = try networkCase.network()
    #expect(network.activeParameterCount <= network.parameterCount)
    if networkCase.options.boundary == .periodic || networkCase.options.model == .h2nn {
      #expect(network.activeParameterCount == network.parameterCount)
    }
  }
}
