import BlockKernels
import BlockSparse
import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

@testable import NetworkExecution

@Suite struct NetworkExecutorTests {
  @Test(arguments: NetworkCase.all)
  func gradientMatchesFiniteDifferences(networkCase: NetworkCase) throws {
    let network = try networkCase.network(.tanh)
    let run = NetworkRun<Double>(
      network, samples: 16,
      parameters: numbers(network.activeParameterCount, scale: 0.3, seed: 3))
    run.checkGradient(of: network, counts: (6, 3))
  }

  @Test(arguments: NetworkCase.all)
  func floatAndDoubleAgree(networkCase: NetworkCase) throws {
    let network = try networkCase.network(.tanh)
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 3)
    let single = NetworkRun<Float>(network, samples: 32, parameters: parameters)
    let double = NetworkRun<Double>(network, samples: 32, parameters: parameters)
    let input = fields(32, points: network.inputOrder.count, seed: 300)
    let g = fields(32, points: network.outputOrder.count, seed: 400)
    single.setInput(input)
    single.forward()
    single.setOutputGradient(g)
    single.backward()
    double.setInput(input)
    double.forward()
    double.setOutputGradient(g)
    double.backward()
    // As in `NetworkTests`: some thousand roundings at most, of the size of the largest number.
    func agree(_ x: [Float], _ y: [Double]) -> Bool {
      let limit = 1000 * Double(Float.ulpOfOne) * y.reduce(1) { max($0, abs($1)) }
      return zip(x, y).allSatisfy { abs(Double($0) - $1) <= limit }
    }
    #expect(agree(single.output.flatMap { $0 }, double.output.flatMap { $0 }))
    #expect(agree(single.gradient.array(), double.gradient.array()))
  }

  @Test(arguments: NetworkCase.all)
  func theBLASAgreesWithCompiledKernels(networkCase: NetworkCase) throws {
    let network = try networkCase.network(.tanh)
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 3)
    let input = fields(16, points: network.inputOrder.count, seed: 300)
    let g = fields(16, points: network.outputOrder.count, seed: 400)
    let gradients = [ProductProvider.automatic, .blas].map { provider in
      let run = NetworkRun<Double>(
        network, samples: 16, parameters: parameters, provider: provider)
      run.setInput(input)
      run.forward()
      run.setOutputGradient(g)
      run.backward()
      return run.gradient.array()
    }
    let size = gradients[0].reduce(1) { max($0, abs($1)) }
    #expect(
      zip(gradients[0], gradients[1]).allSatisfy {
        abs($0 - $1) <= 1000 * Double.ulpOfOne * size
      })
  }

  @Test(
    .enabled(
      if: MatrixProduct<Float>(ProductShape(m: 32, n: 6, k: 6, accumulates: true)).isCompiled),
    arguments: NetworkCase.all)
  func bitsOfASampleDoNotDependOnTheOthers(networkCase: NetworkCase) throws {
    let network = try networkCase.network()
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 3)
    let sample = numbers(network.inputOrder.count, seed: 7)
    var found: [[Float]] = []
    for (shard, place) in [(32, 0), (32, 19), (48, 47), (64, 33)] {
      var input = fields(shard, points: network.inputOrder.count, seed: 1000 * place)
      input[place] = sample
      let run = NetworkRun<Float>(network, samples: shard, parameters: parameters)
      run.setInput(input)
      run.forward()
      found.append(run.output[place])
    }
    for other in found.dropFirst() {
      #expect(zip(found[0], other).allSatisfy { $0.bitPattern == $1.bitPattern })
    }
  }

  @Test func anExecutorWithoutTrainingComputesTheSame() throws {
    let network = try NetworkCase("h2nn", .h2nn, .grid([40])).network()
    let parameters = numbers(network.activeParameterCount, scale: 0.3, seed: 3)
    let run = NetworkRun<Float>(network, samples: 32, parameters: parameters)
    let plain = NetworkExecutor<Float>(network, samples: 32, forTraining: false)
    let values = numbers(40 * 32, seed: 8)
    for (place, value) in values.enumerated() {
      run.executor.input[place] = Float(value)
      plain.input[place] = Float(value)
    }
    run.forward()
    plain.forward(run.parameters)
    #expect(plain.output.array() == run.executor.output.array())
    #expect(plain.forwardFlops == run.executor.forwardFlops)
  }

  /// The backward pass has as many products as the forward pass for the weights, and as many for
  /// the input but in the layers that read the data.
  @Test(arguments: NetworkCase.all)
  func operationsAreCounted(networkCase: NetworkCase) throws {
    let network = try networkCase.network()
    let executor = NetworkExecutor<Float>(network, samples: 48)
    var (forward, backward) = (0, 0)
    for item in network.layers {
      let (layer, pattern) = (item.layer, item.layer.pattern)
      var products = 0
      for row in 0..<pattern.targetCount {
        for entry in pattern.entries(of: row) {
          products +=
            layer.source.channels(of: Int(pattern.sources[entry])) * layer.target.channels(of: row)
        }
      }
      forward += 2 * 48 * products
      backward += 2 * 48 * products * (item.source == 0 ? 1 : 2)
    }
    #expect(executor.forwardFlops == forward && executor.backwardFlops == backward)
  }

  #if os(Linux)
  /// Memory in use must not grow with the steps; in a process of its own, where nothing else runs.
  @Test func stepsDoNotGrowMemory() async {
    await #expect(processExitsWith: .success) {
      let network = try NetworkCase("mix", .mnnH2, .grid([40])) { $0.sharing = .mix }.network()
      let run = NetworkRun<Float>(
        network, samples: 32,
        parameters: numbers(network.activeParameterCount, scale: 0.3, seed: 3))
      // The second number is the resident size in pages of 4 KiB.
      func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return 4096 * (Int(text.split(separator: " ")[1]) ?? 0)
      }
      func step() {
        run.parametersChanged()
        run.forward()
        run.backward()
      }
      // The process may settle once or twice; a lost block per step, of at least 32 bytes, shows in
      // each of the windows.
      var growths: [Int] = []
      for _ in 0..<4 {
        let before = try residentBytes()
        for _ in 0..<2000 { step() }
        growths.append(try residentBytes() - before)
      }
      try #require((growths.min() ?? 0) < 32 * 1024)
    }
  }
  #endif
}
