import BlockKernels
import BlockSparse
import OperatorNetworks
import TestSupport
import Testing

@testable import NetworkExecution

@Suite("Layers that use the same parameters")
struct SliceTests {
  private func network(_ name: String, _ f: Activation = .tanh) throws -> Network {
    try #require(SliceNetworks.build(name, f))
  }

  @Test("outputs are those of dense blocks", arguments: SliceNetworks.names)
  func oracle(name: String) throws {
    for f in [Activation.tanh, .relu, .identity] {
      let network = try network(name, f)
      let parameters = numbers(network.activeParameterCount, scale: 0.5, seed: 3)
      let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
      let input = fields(16, points: network.inputOrder.count, seed: 300)
      run.setInput(input)
      run.forward()
      let oracle = NetworkOracle(network: network, parameters: parameters)
      for (found, sample) in zip(run.output, input) {
        for (a, b) in zip(found, oracle.output(atPoints: sample)) {
          // Sums of some ten products in each of five layers.
          #expect(abs(a - b) <= 1e3 * Double.ulpOfOne * max(1, abs(b)), "\(name): \(a), \(b)")
        }
      }
    }
  }

  @Test(
    "gradients are central differences, and nothing is left over", arguments: SliceNetworks.names)
  func differences(name: String) throws {
    let network = try network(name)
    let run = NetworkRun<Double>(
      network, samples: 16,
      parameters: numbers(network.activeParameterCount, scale: 0.4, seed: 3))
    run.checkGradient(of: network, counts: (8, 8))
  }

  @Test("a gradient of shared weights is the sum over copies", arguments: [true, false])
  func copies(isTransposed: Bool) throws {
    // y = W (W x), or Wᵀ (W x), without functions; with the second W a slice of its own.
    let layout = BoxLayout(boxes: 12, channels: 2)
    let pattern = BlockPattern.diagonal(12, sharing: .own)
    func build(shares: Bool) -> Network {
      var builder = NetworkBuilder(input: layout)
      let value = builder.add("a", from: 0, to: layout, pattern: pattern, hasBias: false)
      let form: SliceUse.Form = isTransposed ? .transposed : .plain
      if !shares { _ = builder.add("b", from: 0, to: layout, pattern: pattern, hasBias: false) }
      let last = builder.add("last", using: SliceUse(shares ? 0 : 1, form), from: value)
      let order = (0..<24).map { Int32($0) }
      return builder.finish(output: last, inputOrder: order, outputOrder: order)
    }
    let (shared, copied) = (build(shares: true), build(shares: false))
    let values = numbers(48, seed: 9)
    let gradients = [(shared, values), (copied, values + values)].map { network, parameters in
      let run = NetworkRun<Double>(network, samples: 16, parameters: parameters)
      run.setInput(fields(16, points: 24, seed: 1))
      run.forward()
      run.setOutputGradient(fields(16, points: 24, seed: 2))
      run.backward()
      return run.gradient.array()
    }
    for place in 0..<48 {
      let sum = gradients[1][place] + gradients[1][48 + place]
      #expect(abs(gradients[0][place] - sum) <= 1e2 * Double.ulpOfOne * max(1, abs(sum)))
    }
    #expect(gradients[0].contains { $0 != 0 })
  }

  @Test("each layer of the papers' networks has a slice of its name", arguments: NetworkCase.all)
  func ownSlices(networkCase: NetworkCase) throws {
    let network = try networkCase.network()
    #expect(network.slices.map(\.name) == network.layers.map(\.layer.name))
    #expect(network.layers.map(\.weights) == network.slices.indices.map { SliceUse($0) })
    var next = 0
    for slice in network.slices {
      #expect(slice.start == next && slice.frozenRows.isEmpty)
      next = slice.biases.upperBound
    }
    #expect(next == network.activeParameterCount)
  }
}
