import BlockKernels
import BlockSparse
import Foundation
import MessagePassing
import OperatorNetworks

@testable import NetworkExecution

/// Random numbers that are a function of (seed, position) only.
struct RandomNumbers {
  var state: UInt64

  init(seed: Int) { state = UInt64(seed) &* 0xD1B5_4A32_D192_ED03 &+ 1 }

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func symmetric() -> Double { Double(next() >> 11) * 0x1p-52 - 1 }

  mutating func index(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Makes random numbers in [-scale, scale) that are exact in Float too.
func numbers(_ count: Int, scale: Double = 1, seed: Int) -> [Double] {
  var random = RandomNumbers(seed: seed)
  return (0..<count).map { _ in Double(Float(scale * random.symmetric())) }
}

/// Applies a function by its definition.
func apply(_ activation: Activation, _ x: Double) -> Double {
  switch activation {
  case .identity: x
  case .relu: max(x, 0)
  case .tanh: Foundation.tanh(x)
  case .sigmoid: 1 / (1 + exp(-x))
  case .elu: x > 0 ? x : expm1(x)
  }
}

/// A network computed for one sample by dense blocks, from what it says of itself.
struct NetworkOracle {
  let network: Network
  let parameters: [Double]

  /// Computes the output at the points of the data from the input there.
  func output(atPoints input: [Double]) -> [Double] {
    var values = [[Double]](repeating: [], count: network.values.count)
    values[0] = network.inputOrder.map { input[Int($0)] }
    for item in network.layers {
      values[item.target] = layer(item, values[item.source], item.addend.map { values[$0] })
    }
    var output = [Double](repeating: .nan, count: network.outputOrder.count)
    for (channel, point) in network.outputOrder.enumerated() {
      output[Int(point)] = values[network.output][channel]
    }
    return output
  }

  /// Computes f(Σ h(W_c x_j) + b + a), or f(Wᵀ x + a).
  private func layer(_ item: NetworkLayer, _ x: [Double], _ addend: [Double]?) -> [Double] {
    let layer = item.isTransposed ? network.slice(of: item).shape : item.layer
    let pattern = layer.pattern
    // The sizes of the slots: those of the sources that stand there.
    var slots = pattern.slotCounts.map { [Int](repeating: layer.source.channels(of: 0), count: $0) }
    var outputs = pattern.slotCounts.map { _ in 0 }
    for row in 0..<pattern.targetCount {
      outputs[Int(pattern.groups[row])] = layer.target.channels(of: row)
      for entry in pattern.entries(of: row) {
        slots[Int(pattern.groups[row])][Int(pattern.slots[entry])] =
          layer.source.channels(of: Int(pattern.sources[entry]))
      }
    }
    var weightStarts = [network.slice(of: item).start]
    for group in slots.indices {
      weightStarts.append(weightStarts[group] + slots[group].reduce(0, +) * outputs[group])
    }
    var biasStarts = [weightStarts.last ?? 0]
    for group in slots.indices { biasStarts.append(biasStarts[group] + outputs[group]) }

    var transposed = [Double](repeating: 0, count: layer.source.channelCount)
    var y: [Double] = []
    for row in 0..<pattern.targetCount {
      let group = Int(pattern.groups[row])
      let stacked = slots[group].reduce(0, +)
      for output in 0..<outputs[group] {
        var sum = item.layer.hasBias ? parameters[biasStarts[group] + output] : 0
        for entry in pattern.entries(of: row) {
          let source = layer.source.starts[Int(pattern.sources[entry])]
          let slot = Int(pattern.slots[entry])
          let first = weightStarts[group] + output * stacked + slots[group][..<slot].reduce(0, +)
          if item.isTransposed {
            for input in 0..<slots[group][slot] {
              transposed[source + input] +=
                parameters[first + input] * x[layer.target.starts[row] + output]
            }
            continue
          }
          let product = (0..<slots[group][slot]).reduce(0) {
            $0 + parameters[first + $1] * x[source + $1]
          }
          sum += apply(layer.blockActivation, product)
        }
        if !item.isTransposed {
          y.append(apply(layer.activation, sum + (addend?[y.count] ?? 0)))
        }
      }
    }
    guard item.isTransposed else { return y }
    return transposed.enumerated().map {
      apply(item.layer.activation, $0.element + (addend?[$0.offset] ?? 0))
    }
  }
}

/// An executor with parameters and gradients, spoken to in samples at the points of the data.
final class NetworkRun<Scalar: KernelScalar & MPIScalar> {
  let executor: NetworkExecutor<Scalar>
  let parameters: AlignedBuffer<Scalar>
  let gradient: AlignedBuffer<Scalar>

  init(
    _ network: Network, samples: Int, parameters values: [Double],
    provider: ProductProvider = .automatic
  ) {
    executor = NetworkExecutor(network, samples: samples, provider: provider)
    parameters = AlignedBuffer(repeating: 0, count: network.activeParameterCount)
    gradient = AlignedBuffer(repeating: .nan, count: network.activeParameterCount)
    for (place, value) in values.enumerated() { parameters[place] = Scalar(value) }
    parametersChanged()
  }

  func parametersChanged() {
    executor.parametersChanged(parameters)
  }

  func forward() {
    executor.forward(parameters)
  }

  func backward() {
    executor.backward(into: gradient)
  }

  /// Sets the input, `[sample][point]`.
  func setInput(_ samples: [[Double]]) {
    let input = executor.input
    for (sample, values) in samples.enumerated() {
      for (channel, point) in executor.network.inputOrder.enumerated() {
        input[channel * executor.samples + sample] = Scalar(values[Int(point)])
      }
    }
  }

  /// Sets the gradient with respect to the output, `[sample][point]`.
  func setOutputGradient(_ samples: [[Double]]) {
    let buffer = executor.outputGradient
    for (sample, values) in samples.enumerated() {
      for (channel, point) in executor.network.outputOrder.enumerated() {
        buffer[channel * executor.samples + sample] = Scalar(values[Int(point)])
      }
    }
  }

  /// The output, `[sample][point]`.
  var output: [[Scalar]] {
    let buffer = executor.output
    let order = executor.network.outputOrder
    return (0..<executor.samples).map { sample in
      var values = [Scalar](repeating: .nan, count: order.count)
      for (channel, point) in order.enumerated() {
        values[Int(point)] = buffer[channel * executor.samples + sample]
      }
      return values
    }
  }
}

/// Makes samples of an input or output, `[sample][point]`.
func fields(_ samples: Int, points: Int, seed: Int) -> [[Double]] {
  (0..<samples).map { numbers(points, seed: seed + $0) }
}
