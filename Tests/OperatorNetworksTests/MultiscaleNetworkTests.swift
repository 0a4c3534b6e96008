import BlockKernels
import ClusterTrees
import OperatorNetworks
import Testing

/// MNN-H² and MNN-H on grids against dense windows over padded arrays.
@Suite struct MultiscaleNetworkTests {
  struct Size: Sendable, CustomTestStringConvertible {
    let shape: [Int]
    let levels: Int

    var testDescription: String { "\(shape), \(levels) levels" }

    init(dimension: Int, leaf: Int, levels: Int) {
      self.init([Int](repeating: leaf << levels, count: dimension), levels: levels)
    }

    init(_ shape: [Int], levels: Int) {
      (self.shape, self.levels) = (shape, levels)
    }
  }

  /// From level 2 alone, where periodic windows meet themselves, to three levels with a bridge.
  static let sizes = [
    Size(dimension: 1, leaf: 5, levels: 2), Size(dimension: 1, leaf: 3, levels: 4),
    Size(dimension: 2, leaf: 2, levels: 2), Size(dimension: 2, leaf: 2, levels: 3),
    Size(dimension: 2, leaf: 3, levels: 4), Size(dimension: 3, leaf: 1, levels: 2),
  ]

  /// Compares a sample with what the windows give; returns the output.
  @discardableResult
  private func compare(_ options: NetworkOptions, _ size: Size) throws -> [Double] {
    var options = options
    options.levels = size.levels
    let points = PointSet.grid(size.shape)
    let network = try Network.build(options, sources: points)
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 6)
    let direct = DirectGrid(
      network: network, parameters: parameters, options: options, shape: size.shape,
      levels: size.levels)
    let input = fields(16, points: points.count, seed: 600)
    let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
    run.setInput(input)
    run.forward()
    let (found, expected) = (run.output[5], direct.output(input[5]))
    // As in `NetworkTests`; windows have up to 343 terms of 3 channels each.
    let limit = NetworkTests.rounding * expected.reduce(1) { max($0, abs($1)) }
    #expect(found.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= limit }, "\(options)")
    return found
  }

  @Test(arguments: [Model.mnnH2, .mnnH], sizes)
  func networksAreWindowsOverPaddedArrays(model: Model, size: Size) throws {
    var outputs: [[Double]] = []
    for sharing in NetworkSharing.allCases {
      for boundary in Boundary.allCases {
        var options = NetworkOptions()
        (options.model, options.sharing, options.boundary) = (model, sharing, boundary)
        (options.channels, options.layers, options.activation) = (3, 2, .tanh)
        outputs.append(try compare(options, size))
      }
    }
    // The boundary and the sharing are no idle options.
    #expect(Set(outputs.map { $0[0] }).count == outputs.count)
  }

  /// Grids that are no multiples of 2^L, with leaves of two sizes in one dimension or in all.
  static let unequal = [
    Size([21], levels: 2), Size([37], levels: 3), Size([11, 13], levels: 2),
    Size([8, 11], levels: 2), Size([17, 9], levels: 3), Size([5, 6, 7], levels: 2),
  ]

  @Test(arguments: [Model.mnnH2, .mnnH], unequal)
  func leavesMayHaveTwoSizes(model: Model, size: Size) throws {
    var outputs: [[Double]] = []
    for boundary in Boundary.allCases {
      for transferLayers in [1, 2] {
        var options = NetworkOptions()
        (options.model, options.boundary, options.activation) = (model, boundary, .tanh)
        (options.channels, options.layers) = (3, 2)
        options.transferLayers = transferLayers
        if transferLayers > 1 { options.transferActivation = .tanh }
        outputs.append(try compare(options, size))
      }
    }
    #expect(Set(outputs.map { $0[0] }).count == outputs.count)
  }

  @Test(arguments: [Model.mnnH2, .mnnH], [1, 2, 3])
  func transfersMayHaveLayersAndFunctions(model: Model, layers: Int) throws {
    guard model == .mnnH2 || layers > 1 else { return }
    for size in [Self.sizes[1], Self.sizes[3]] {
      for sharing in NetworkSharing.allCases {
        var options = NetworkOptions()
        (options.model, options.sharing, options.boundary) = (model, sharing, .periodic)
        (options.channels, options.layers) = (3, 2)
        options.transferLayers = layers
        options.transferActivation = .tanh
        let curved = try compare(options, size)
        options.transferActivation = .identity
        #expect(try compare(options, size) != curved)
      }
    }
  }

  @Test(arguments: [[30], [6, 5], [3, 7], [4, 3, 5]], Boundary.allCases)
  func convolutionsAreWindowsOverPaddedArrays(shape: [Int], boundary: Boundary) throws {
    var options = NetworkOptions()
    (options.model, options.boundary, options.activation) = (.conv, boundary, .tanh)
    (options.leaf, options.channels) = (2, 3)
    let network = try Network.build(options, sources: .grid(shape))
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 8)
    let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
    let input = fields(16, points: shape.reduce(1, *), seed: 800)
    run.setInput(input)
    run.forward()
    let direct = DirectGrid(
      network: network, parameters: parameters, options: options, shape: shape, levels: 0)
    let expected = direct.convolved(input[4], leaf: 2)
    let limit = NetworkTests.rounding * expected.reduce(1) { max($0, abs($1)) }
    #expect(zip(run.output[4], expected).allSatisfy { abs($0 - $1) <= limit })
    #expect(expected.count == run.output[4].count && Set(expected).count == expected.count)
  }

  /// With periodic windows and shared weights a translation by whole boxes of level 2 goes through.
  @Test(arguments: [Model.mnnH2, .mnnH])
  func sharedPeriodicNetworksAreEquivariant(model: Model) throws {
    var options = NetworkOptions()
    (options.model, options.sharing, options.boundary) = (model, .offset, .periodic)
    (options.channels, options.leaf) = (3, 2)
    let network = try Network.build(options, sources: .grid([16, 16]))
    let run = NetworkRun<Double>(
      network, samples: 16,
      parameters: numbers(network.activeParameterCount, scale: 0.3, seed: 7))
    func shifted(_ field: [Double]) -> [Double] {
      (0..<256).map { field[($0 / 16 + 4) % 16 * 16 + ($0 % 16 + 8) % 16] }
    }
    let input = fields(16, points: 256, seed: 700)
    run.setInput(input)
    run.forward()
    let output = run.output
    run.setInput(input.map(shifted))
    run.forward()
    for (moved, still) in zip(run.output, output) {
      // Other runs of neighbours, so other roundings.
      let limit = NetworkTests.rounding * still.reduce(1) { max($0, abs($1)) }
      #expect(zip(moved, shifted(still)).allSatisfy { abs($0 - $1) <= limit })
      #expect(moved != still)
    }
  }
}
