import BlockKernels
import OperatorNetworks
import Testing

@testable import NetworkExecution

/// Returns ⟨g, y⟩ over all samples, and the sum of the sizes of its terms.
private func loss(_ output: [[Double]], _ weights: [[Double]]) -> (sum: Double, size: Double) {
  let terms = zip(output, weights).flatMap { zip($0, $1).map { $0 * $1 } }
  return (terms.reduce(0, +), terms.reduce(0) { $0 + abs($1) })
}

extension NetworkRun<Double> {
  /// Compares gradients with central differences of ⟨g, y⟩ over 16 samples, in some parameters of every slice, and
  /// passes that follow each other.
  ///
  /// - Parameters:
  ///   - network: The network of the run, whose functions are smooth.
  ///   - counts: How many weights and biases of a slice are tried.
  func checkGradient(of network: Network, counts: (weights: Int, biases: Int)) {
    setInput(fields(16, points: network.inputOrder.count, seed: 300))
    let g = fields(16, points: network.outputOrder.count, seed: 400)
    func pass() -> [Double] {
      parametersChanged()
      forward()
      setOutputGradient(g)
      backward()
      return gradient.array()
    }
    let exact = pass()
    #expect(exact.allSatisfy { $0.isFinite }, "the gradient is not wholly written")
    // Truncation is h² times third derivatives, which tanh and weights below 1 keep below some ten times the loss;
    // rounding is some ten eps of the loss over h. Measured: 0.015 of the limit, which is a millionth of the median
    // derivative.
    let h = 1e-5
    let limit = 10 * (h * h + Double.ulpOfOne / h) * max(1, loss(output, g).size)
    var random = RandomNumbers(seed: 5)
    for slice in network.slices {
      // A layer may be without weights: a near field of clouds that are far from each other.
      for (range, count) in [(slice.weights, counts.weights), (slice.biases, counts.biases)]
      where !range.isEmpty {
        for _ in 0..<count {
          let place = range.lowerBound + random.index(below: range.count)
          let old = parameters[place]
          let values = [h, -h].map { step in
            parameters[place] = old + step
            parametersChanged()
            forward()
            return loss(output, g).sum
          }
          parameters[place] = old
          let slope = (values[0] - values[1]) / (2 * h)
          #expect(
            abs(exact[place] - slope) <= limit,
            "\(slice.name), parameter \(place - slice.start): \(exact[place]), \(slope)")
        }
      }
    }
    #expect(pass() == exact, "something is left over in a buffer")
  }
}
