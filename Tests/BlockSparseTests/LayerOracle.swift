import BlockKernels
import BlockSparse
import Foundation

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

/// Makes random numbers in [-1, 1) that are exact in Float too.
func numbers(_ count: Int, seed: Int) -> [Double] {
  var random = RandomNumbers(seed: seed)
  return (0..<count).map { _ in Double(Float(random.symmetric())) }
}

/// A layer written as a list of scalar products, from the definition of pattern and parameters only.
///
/// Arrays of samples are `[channel][sample]` in Double.
struct LayerOracle {
  /// y[target] += w[parameter] · x[source], under h for each entry and target.
  struct Term {
    let entry: Int
    let target: Int
    let source: Int
    let parameter: Int
  }

  let layer: BlockSparseLayer
  let samples: Int
  private(set) var terms: [Term] = []
  /// For each target channel: the place of its bias; -1 if there is none.
  private(set) var biases: [Int] = []
  private(set) var weightCount = 0
  private(set) var parameterCount = 0

  init(_ layer: BlockSparseLayer, samples: Int) {
    self.layer = layer
    self.samples = samples
    let pattern = layer.pattern
    let sizes = (0..<pattern.sourceCount).map { layer.source.channels(of: $0) }
    // The inputs of each slot, the outputs of each group.
    var slots = pattern.slotCounts.map { [Int](repeating: -1, count: $0) }
    var outputs = pattern.slotCounts.map { _ in 0 }
    for row in 0..<pattern.targetCount {
      outputs[Int(pattern.groups[row])] = layer.target.channels(of: row)
      for entry in pattern.entries(of: row) {
        slots[Int(pattern.groups[row])][Int(pattern.slots[entry])] =
          sizes[Int(pattern.sources[entry])]
      }
    }
    let stacks = slots.map { $0.map { $0 < 0 ? sizes[0] : $0 } }
    let inputs = stacks.map { $0.reduce(0, +) }
    var weightStarts = [0]
    var biasStarts = [0]
    for group in stacks.indices {
      weightStarts.append(weightStarts[group] + inputs[group] * outputs[group])
      biasStarts.append(biasStarts[group] + (layer.hasBias ? outputs[group] : 0))
    }
    weightCount = weightStarts.last ?? 0
    parameterCount = weightCount + (biasStarts.last ?? 0)
    for row in 0..<pattern.targetCount {
      let group = Int(pattern.groups[row])
      for output in 0..<outputs[group] {
        biases.append(layer.hasBias ? weightCount + biasStarts[group] + output : -1)
        for entry in pattern.entries(of: row) {
          let source = Int(pattern.sources[entry])
          let first = stacks[group][..<Int(pattern.slots[entry])].reduce(0, +)
          for input in 0..<sizes[source] {
            terms.append(
              Term(
                entry: entry, target: biases.count - 1,
                source: sizes[..<source].reduce(0, +) + input,
                // `[outputs][inputs]`, the inputs running fastest.
                parameter: weightStarts[group] + output * inputs[group] + first + input))
          }
        }
      }
    }
  }

  var sourceCount: Int { layer.source.channelCount }
  var targetCount: Int { layer.target.channelCount }

  static func apply(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: max(x, 0)
    case .tanh: Foundation.tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .elu: x > 0 ? x : expm1(x)
    }
  }

  /// Computes f(Σ h(W x) + b + a).
  func forward(_ parameters: [Double], _ x: [Double], adding addend: [Double]? = nil) -> [Double] {
    var y = [Double](repeating: 0, count: targetCount * samples)
    for sample in 0..<samples {
      var products: [Int: Double] = [:]
      var sums = biases.map { $0 < 0 ? 0 : parameters[$0] }
      for term in terms {
        let product = parameters[term.parameter] * x[term.source * samples + sample]
        if layer.blockActivation == .identity {
          sums[term.target] += product
        } else {
          products[term.entry * targetCount + term.target, default: 0] += product
        }
      }
      for key in products.keys.sorted() {
        sums[key % targetCount] += Self.apply(layer.blockActivation, products[key] ?? 0)
      }
      for target in 0..<targetCount {
        y[target * samples + sample] =
          Self.apply(layer.activation, sums[target] + (addend?[target * samples + sample] ?? 0))
      }
    }
    return y
  }

  /// The layer's linear part as a dense matrix, `[target][source]`.
  func matrix(_ parameters: [Double]) -> [[Double]] {
    var matrix = [[Double]](
      repeating: [Double](repeating: 0, count: sourceCount), count: targetCount)
    for term in terms { matrix[term.target][term.source] += parameters[term.parameter] }
    return matrix
  }

  /// Computes Wᵀ g.
  func inputGradient(_ parameters: [Double], _ g: [Double]) -> [Double] {
    let matrix = matrix(parameters)
    var result = [Double](repeating: 0, count: sourceCount * samples)
    for target in 0..<targetCount {
      for source in 0..<sourceCount where matrix[target][source] != 0 {
        for sample in 0..<samples {
          result[source * samples + sample] +=
            matrix[target][source] * g[target * samples + sample]
        }
      }
    }
    return result
  }

  /// Computes Σ g xᵀ over samples and over the entries that share a weight, and Σ g.
  func parameterGradient(_ x: [Double], _ g: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: parameterCount)
    for term in terms {
      for sample in 0..<samples {
        result[term.parameter] +=
          g[term.target * samples + sample] * x[term.source * samples + sample]
      }
    }
    for target in 0..<targetCount where biases[target] >= 0 {
      for sample in 0..<samples { result[biases[target]] += g[target * samples + sample] }
    }
    return result
  }

  /// The most terms that are summed into one output, input gradient or parameter gradient.
  var longestSum: Int {
    func most(_ keys: [Int]) -> Int {
      keys.reduce(into: [:]) { $0[$1, default: 0] += 1 }.values.max() ?? 0
    }
    return 2
      + max(
        most(terms.map(\.target)), most(terms.map(\.source)),
        samples * max(most(terms.map(\.parameter)), most(biases)))
  }
}
