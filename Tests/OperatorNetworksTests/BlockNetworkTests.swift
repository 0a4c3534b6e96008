import BlockKernels
import BlockSparse
import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

@testable import NetworkExecution

/// Small networks in place of blocks of weights.
@Suite struct BlockNetworkTests {
  private func options(_ model: Model, _ sharing: NetworkSharing) -> NetworkOptions {
    var options = NetworkOptions()
    (options.model, options.sharing, options.activation) = (model, sharing, .identity)
    (options.channels, options.leaf, options.layers) = (4, 4, 2)
    return options
  }

  /// With W₁ = I, b₁ = 0 and the identity between them the networks are the blocks W₂.
  @Test(arguments: [
    (Model.h2nn, NetworkSharing.own, Boundary.zero), (.mnnH2, .own, .zero),
    (.mnnH2, .mix, .periodic), (.mnnH, .offset, .zero),
  ])
  func networksThatPassOnAreBlocks(model: Model, sharing: NetworkSharing, boundary: Boundary) throws
  {
    var options = options(model, sharing)
    options.boundary = boundary
    let plain = try Network.build(options, sources: .grid([64]))
    options.blockWidth = 4
    let network = try Network.build(options, sources: .grid([64]))
    let values = numbers(plain.activeParameterCount, scale: 0.3, seed: 1)
    var parameters = [Double](repeating: .nan, count: network.activeParameterCount)
    for item in network.layers {
      let name = item.layer.name
      if name.hasSuffix(".hidden") {
        for place in network.slice(of: item).biases { parameters[place] = 0 }
        for (index, place) in network.slice(of: item).weights.enumerated() {
          parameters[place] = index % 16 % 5 == 0 ? 1 : 0
        }
      } else {
        let like = try #require(plain.layers.first { $0.layer.name == name })
        #expect(like.layer.parameterCount == item.layer.parameterCount)
        for index in 0..<item.layer.parameterCount {
          parameters[network.slice(of: item).start + index] =
            values[plain.slice(of: like).start + index]
        }
      }
    }
    let runs = [(plain, values), (network, parameters)].map { network, parameters in
      let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
      run.setInput(fields(16, points: 64, seed: 2))
      run.forward()
      return run.output[3]
    }
    let limit = NetworkTests.rounding * runs[0].reduce(1) { max($0, abs($1)) }
    #expect(zip(runs[0], runs[1]).allSatisfy { abs($0 - $1) <= limit })
  }

  /// One layer of the near field by its formula: y_k = Σ h[W₂ f(W₁ x_l + b₁)] + b over the neighbours l.
  @Test(arguments: [Activation.identity, .sigmoid])
  func nearFieldIsTheSumOfNetworks(block h: Activation) throws {
    var options = options(.h2nn, .own)
    (options.layers, options.activation, options.blockActivation) = (1, .tanh, h)
    (options.blockWidth, options.leaf, options.admissibility) = (3, 2, .infinity)
    // All boxes are near: the near field is the network.
    let network = try Network.build(options, sources: .grid([8]))
    #expect(network.layers.map(\.layer.name) == ["near.1.hidden", "near.1"])
    let p = numbers(network.activeParameterCount, scale: 0.8, seed: 3)
    let run = NetworkRun<Double>(network, samples: 16, parameters: p)
    let input = fields(16, points: 8, seed: 4)
    run.setInput(input)
    run.forward()
    let x = input[2]
    // 16 blocks: W₁ 3 × 2 and b₁; W₂ 2 × 3 and the biases of 4 boxes. A row's W₂ stand side by side.
    let (hiddenBiases, outer) = (16 * 6, 16 * 6 + 16 * 3)
    for k in 0..<4 {
      for output in 0..<2 {
        var sum = p[outer + 4 * 24 + 2 * k + output]
        for l in 0..<4 {
          let block = 4 * k + l
          var product = 0.0
          for unit in 0..<3 {
            let first = 6 * block + 2 * unit
            let inner = p[first] * x[2 * l] + p[first + 1] * x[2 * l + 1]
            product +=
              p[outer + 24 * k + 12 * output + 3 * l + unit]
              * Foundation.tanh(inner + p[hiddenBiases + 3 * block + unit])
          }
          sum += apply(h, product)
        }
        #expect(abs(run.output[2][2 * k + output] - sum) < 1e-13)
      }
    }
  }

  /// The networks of a row are computed where the row is; values inside of few rows are replicated with them.
  @Test(arguments: [2, 3, 5])
  func hiddenBoxesStandWithTheirTargets(ranks: Int) throws {
    var options = options(.h2nn, .own)
    options.blockWidth = 3
    let network = try Network.build(options, sources: .grid([64]))
    for bound in [0, 9] {
      let partition = TreePartition(network, ranks: ranks, replicatedBoxes: bound)
      for item in network.layers where item.layer.name.hasSuffix(".hidden") {
        let next = try #require(network.layers.first { $0.source == item.target })
        let (hidden, rows) = (partition.values[item.target], partition.values[next.target])
        #expect(hidden.isReplicated == rows.isReplicated)
        for row in 0..<next.layer.target.boxCount {
          for entry in next.layer.pattern.entries(of: row) {
            #expect(hidden.owner(of: entry) == rows.owner(of: row))
          }
        }
      }
    }
  }
}
