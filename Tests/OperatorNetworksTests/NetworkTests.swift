import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

@Suite struct NetworkTests {
  /// In ten or so layers of sums of at most some hundred terms each, rounding errors stay below
  /// 1000·eps of the largest output; measured: 4·eps.
  static let rounding = 1000 * Double.ulpOfOne

  private func size(_ y: [Double]) -> Double { y.reduce(1) { max($0, abs($1)) } }

  private func distance(_ x: [Double], _ y: [Double]) -> Double {
    guard x.count == y.count else { return .infinity }
    return zip(x, y).reduce(0) { $1.0.isNaN || $1.1.isNaN ? .infinity : max($0, abs($1.0 - $1.1)) }
  }

  @Test(arguments: NetworkCase.all, [Activation.relu, .tanh])
  func forwardMatchesDenseBlocks(networkCase: NetworkCase, activation: Activation) throws {
    let network = try networkCase.network(activation)
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 1)
    let input = fields(16, points: networkCase.sources.count, seed: 100)
    let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
    run.setInput(input)
    run.forward()
    let oracle = NetworkOracle(network: network, parameters: parameters)
    let output = run.output
    for sample in [0, 1, 15] {
      let expected = oracle.output(atPoints: input[sample])
      #expect(expected.count == (networkCase.receivers ?? networkCase.sources).count)
      #expect(distance(output[sample], expected) <= Self.rounding * size(expected))
    }
    #expect(output[0] != output[1])
  }

  @Test(arguments: [40, 80], [Activation.relu, .tanh])
  func mnnH2IsTheAlgorithmOfThePaper(points: Int, activation: Activation) throws {
    for sharing in NetworkSharing.allCases {
      for boundary in Boundary.allCases {
        for layers in [1, 2, 4] {
          var options = NetworkOptions()
          options.model = .mnnH2
          options.sharing = sharing
          options.boundary = boundary
          options.layers = layers
          options.channels = 4
          options.activation = activation
          try matchesDirectHierarchy(options, points)
        }
      }
    }
  }

  @Test(arguments: [40, 160], [Activation.relu, .tanh])
  func h2nnIsTheAlgorithmOfThePaper(points: Int, activation: Activation) throws {
    for layers in [1, 3] {
      var options = NetworkOptions()
      options.layers = layers
      options.activation = activation
      try matchesDirectHierarchy(options, points)
    }
  }

  /// Grids that are no multiples of 2^L, with leaves of two sizes.
  @Test(arguments: [(21, 2), (37, 3), (101, 4), (129, 5)], [Model.h2nn, .mnnH2])
  func leavesMayHaveTwoSizes(grid: (points: Int, levels: Int), model: Model) throws {
    for layers in [1, 3] {
      var options = NetworkOptions()
      (options.model, options.layers, options.activation) = (model, layers, .tanh)
      try matchesDirectHierarchy(options, grid.points, levels: grid.levels)
      options.levels = grid.levels + 1
      try matchesDirectHierarchy(options, grid.points, levels: grid.levels + 1)
    }
  }

  private func matchesDirectHierarchy(
    _ options: NetworkOptions, _ points: Int, levels: Int? = nil
  ) throws {
    let network = try Network.build(options, sources: .grid([points]))
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 2)
    let direct = DirectHierarchy(
      network: network, parameters: parameters, options: options,
      levels: levels ?? (points / 5).trailingZeroBitCount)
    let input = fields(16, points: points, seed: 200)
    let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
    run.setInput(input)
    run.forward()
    let expected = direct.output(input[3])
    #expect(
      distance(run.output[3], expected) <= Self.rounding * size(expected), "\(options)")
  }

  /// The near field of a window of leaves, and what an output must not see otherwise.
  @Test func withoutFarFieldOnlyNeighboursCount() throws {
    var options = NetworkOptions()
    options.admissibility = .infinity
    let network = try Network.build(options, sources: .grid([40]))
    // All pairs of leaves are near: K dense layers over the points.
    #expect(network.layers.count == 3)
    #expect(network.parameterCount == 3 * (40 * 40 + 40))
  }

  @Test(arguments: NetworkCase.all)
  func ordersArePermutations(networkCase: NetworkCase) throws {
    let network = try networkCase.network()
    let receivers = networkCase.receivers ?? networkCase.sources
    #expect(network.inputOrder.sorted() == (0..<Int32(networkCase.sources.count)).map { $0 })
    #expect(network.outputOrder.sorted() == (0..<Int32(receivers.count)).map { $0 })
    #expect(Set(network.layers.map(\.layer.name)).count == network.layers.count)
    var next = 0
    for item in network.layers {
      #expect(network.slice(of: item).start == next && item.source < item.target)
      next = network.slice(of: item).biases.upperBound
    }
    #expect(network.activeParameterCount == next)
  }

  /// Points are in row-major order in the data and leaf after leaf in the network.
  @Test func leavesOfASquareAreRowMajorInside() throws {
    var options = NetworkOptions()
    options.model = .mnnH2
    options.leaf = 2
    let network = try Network.build(options, sources: .grid([8, 8]))
    // The second leaf in Z-order is the neighbour in the second dimension.
    #expect(Array(network.inputOrder[..<8]) == [0, 1, 8, 9, 2, 3, 10, 11])
  }
}
