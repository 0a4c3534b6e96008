import BlockKernels
import BlockSparse
import ClusterTrees
import NetworkExecution
import OperatorNetworks
import Testing

@Suite struct InitializerTests {
  private func drawn<Scalar: KernelScalar>(
    _ initializer: Initializer, _ network: Network, seed: Int64
  ) -> [Scalar] {
    let values = AlignedBuffer<Scalar>(repeating: .nan, count: network.activeParameterCount)
    initializer.draw(network, seed: seed, into: values)
    return values.array()
  }

  private func mnnH2(_ sharing: NetworkSharing, _ boundary: Boundary) throws -> Network {
    var options = NetworkOptions()
    options.model = .mnnH2
    options.sharing = sharing
    options.boundary = boundary
    return try Network.build(options, sources: .grid([320]))
  }

  @Test(arguments: Initializer.allCases)
  func drawsAreAFunctionOfTheSeed(initializer: Initializer) throws {
    let network = try mnnH2(.mix, .zero)
    let first: [Double] = drawn(initializer, network, seed: 3)
    #expect(first == drawn(initializer, network, seed: 3))
    let single: [Float] = drawn(initializer, network, seed: 3)
    #expect(single == first.map { Float($0) })
    let other: [Double] = drawn(initializer, network, seed: 4)
    for item in network.layers {
      #expect(network.slice(of: item).biases.allSatisfy { first[$0] == 0 && other[$0] == 0 })
      #expect(network.slice(of: item).weights.allSatisfy { first[$0] != other[$0] })
    }
    // No two weights of a network are the same draw.
    let weights = network.layers.flatMap { item in network.slice(of: item).weights.map { first[$0] }
    }
    #expect(Set(weights.map { ($0 * 1e9).rounded() }).count > weights.count - weights.count / 1000)
  }

  /// Limits by the name of the layer: √(6 / fan), and √n times smaller for own weights in Keras.
  ///
  /// Layers of n positions; the windows lie wholly inside the periodic grid.
  @Test(arguments: [
    ("near.1", 15 + 15, 64), ("restriction.leaf", 5 + 6, 64), ("restriction.4", 12 + 6, 16),
    ("bridge.2.1", 30 + 30, 4), ("bridge.6.2", 42 + 42, 64), ("interpolation.leaf", 6 + 5, 64),
  ])
  func limitsAreThoseOfGlorot(layer name: String, fan: Int, positions: Int) throws {
    for sharing in [NetworkSharing.own, .offset] {
      let network = try mnnH2(sharing, .periodic)
      let values: [Double] = drawn(.glorot, network, seed: 1)
      try check(values, network, name, limit: (6 / Double(fan)).squareRoot())
    }
  }

  @Test(arguments: [
    // (window·inputs, outputs) and the positions that Keras takes for a receptive field.
    ("near.1", 15 + 5, 64), ("near.3", 15 + 5, 64), ("restriction.leaf", 5 + 6, 64),
    ("restriction.4", 12 + 6, 16), ("bridge.2.1", 30 + 6, 4), ("bridge.6.2", 42 + 6, 64),
    ("interpolation.4", 6 + 12, 16), ("interpolation.leaf", 6 + 5, 64),
  ])
  func kerasCountsPositions(layer name: String, sizes: Int, positions: Int) throws {
    for boundary in Boundary.allCases {
      let network = try mnnH2(.own, boundary)
      let values: [Double] = drawn(.keras, network, seed: 1)
      try check(
        values, network, name, limit: (6 / Double(positions * sizes)).squareRoot())
    }
  }

  @Test(arguments: [
    // window·inputs + window·outputs of a convolution.
    // The leaf restriction slides over points of one channel.
    ("near.1", 15 + 15), ("restriction.leaf", 5 + 30), ("restriction.4", 12 + 12),
    ("bridge.2.1", 30 + 30), ("bridge.6.2", 42 + 42), ("interpolation.4", 6 + 12),
    ("interpolation.leaf", 6 + 5),
  ])
  func kerasConvolutions(layer name: String, fan: Int) throws {
    for boundary in Boundary.allCases {
      let network = try mnnH2(.offset, boundary)
      let values: [Double] = drawn(.keras, network, seed: 1)
      try check(values, network, name, limit: (6 / Double(fan)).squareRoot())
    }
  }

  /// The example of the authors' program: 7 places, 6 channels, 64 positions.
  @Test func kerasIsTooSmallByTheRootOfThePositions() throws {
    let network = try mnnH2(.own, .periodic)
    let item = try #require(network.layers.first { $0.layer.name == "bridge.6.1" })
    func largest(_ initializer: Initializer) -> Double {
      let values: [Double] = drawn(initializer, network, seed: 2)
      return network.slice(of: item).weights.reduce(0) { max($0, abs(values[$1])) }
    }
    #expect((largest(.keras) * 1000).rounded() == 44)
    #expect((largest(.glorot) * 1000).rounded() == 267)
  }

  /// Uniform numbers reach their limit and have a third of its square as variance.
  private func check(
    _ values: [Double], _ network: Network, _ name: String, limit: Double
  ) throws {
    let item = try #require(network.layers.first { $0.layer.name == name })
    let weights = network.slice(of: item).weights.map { values[$0] / limit }
    let n = Double(weights.count)
    let largest = weights.reduce(0) { max($0, abs($1)) }
    // All n below 1 − 10/n has the probability e⁻¹⁰.
    #expect(largest <= 1 && largest > 1 - 10 / n, "\(name): \(largest) of the limit \(limit)")
    // Five deviations of mean and variance.
    #expect(abs(weights.reduce(0, +) / n) < 5 / (3 * n).squareRoot())
    let variance = weights.reduce(0) { $0 + $1 * $1 } / n
    #expect(abs(variance - 1 / 3.0) < 5 * (4 / 45.0 / n).squareRoot(), "\(name)")
  }

  @Test(arguments: [Initializer.glorot, .normal])
  func everyGroupHasItsOwnFans(initializer: Initializer) throws {
    let network = try NetworkCase(
      "clouds", .h2nn, NetworkCase.cloud(300, dimension: 2, seed: 8),
      receivers: NetworkCase.cloud(250, dimension: 2, seed: 9)
    ).network()
    let values: [Double] = drawn(initializer, network, seed: 5)
    var (count, squares, fourth) = (0.0, 0.0, 0.0)
    for item in network.layers {
      let (layer, pattern) = (item.layer, item.layer.pattern)
      for row in 0..<pattern.targetCount where !pattern.entries(of: row).isEmpty {
        let sources = pattern.entries(of: row).map { Int(pattern.sources[$0]) }
        let inputs = sources.reduce(0) { $0 + layer.source.channels(of: $1) }
        let outputs = sources.map { source in
          (0..<pattern.targetCount).reduce(0) { sum, target in
            let sees = pattern.entries(of: target).filter { pattern.sources[$0] == source }.count
            return sum + sees * layer.target.channels(of: target)
          }
        }
        let scale = (2 / Double(inputs + (outputs.max() ?? 0))).squareRoot()
        for place in layer.weightStarts[row]..<layer.weightStarts[row + 1] {
          let value = values[network.slice(of: item).start + place] / scale
          if initializer == .glorot { #expect(abs(value) <= 3.squareRoot()) }
          count += 1
          squares += value * value
          fourth += value * value * value * value
        }
      }
    }
    // Variance 1; the fourth moment is 9/5 if uniform and 3 if normal. Five deviations each.
    #expect(abs(squares / count - 1) < 5 * (2 / count).squareRoot())
    let moment = initializer == .glorot ? 1.8 : 3
    #expect(abs(fourth / count - moment) < 5 * (96 / count).squareRoot())
  }
}
