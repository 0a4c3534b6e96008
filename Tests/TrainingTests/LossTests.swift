import BlockKernels
import ClusterTrees
import Testing

@testable import Training

@Suite("Losses")
struct LossTests {
  /// Three samples in the first columns of a shard of sixteen, and what lies in the others is noise.
  private struct Shard {
    let data = randomDataset(samples: 5, points: 4)
    let chosen = [3, 0, 4]
    let scale = 2.5
    let shift = -1.5
    var output: [Double]
    var truth: [Double]

    init() {
      var stream = RandomStream(seed: 8, purpose: 3, index: 0)
      output = (0..<64).map { _ in stream.normal() }
      truth = (0..<64).map { _ in stream.normal() }
      for (column, sample) in chosen.enumerated() {
        for point in 0..<4 {
          truth[16 * point + column] = (data.outputs[4 * sample + point] - shift) / scale
        }
      }
    }

    /// Evaluates the loss and its gradient for given outputs.
    func evaluate<Scalar: KernelScalar>(
      _ kind: LossKind, _ output: [Double], as type: Scalar.Type
    ) -> (value: Double, gradient: [Scalar]) {
      let loss = Loss<Scalar>(kind, batch: 7, data: data, scale: scale)
      let gradient = AlignedBuffer<Scalar>(repeating: 9, count: 64)
      let value = loss.evaluate(
        output: buffer(output, as: type), truth: buffer(truth, as: type), chosen: chosen,
        samples: 16, gradient: gradient)
      return (value, gradient.array())
    }
  }

  @Test("the relative loss is the squared relative error in physical units")
  func relative() {
    let shard = Shard()
    var expected = 0.0
    for (column, sample) in shard.chosen.enumerated() {
      var (difference, norm) = (0.0, 0.0)
      for point in 0..<4 {
        let truth = shard.data.outputs[4 * sample + point]
        let guess = shard.output[16 * point + column] * shard.scale + shard.shift
        difference += (guess - truth) * (guess - truth)
        norm += truth * truth
      }
      expected += difference / norm
    }
    let value = shard.evaluate(.relative, shard.output, as: Double.self).value
    #expect(abs(value - expected) < 1e-13 * expected)
    let single = shard.evaluate(.relative, shard.output, as: Float.self).value
    #expect(abs(single - expected) < 1e-5 * expected)
  }

  @Test("the mean squared error is the mean over the points of normalized outputs")
  func meanSquare() {
    let shard = Shard()
    var expected = 0.0
    for column in 0..<3 {
      for point in 0..<4 {
        let difference = shard.output[16 * point + column] - shard.truth[16 * point + column]
        expected += difference * difference / 4
      }
    }
    let value = shard.evaluate(.mse, shard.output, as: Double.self).value
    #expect(abs(value - expected) < 1e-13 * expected)
  }

  @Test("gradients are differences of the batch's loss", arguments: LossKind.allCases)
  func gradients(kind: LossKind) {
    let shard = Shard()
    let gradient = shard.evaluate(kind, shard.output, as: Double.self).gradient
    let step = 1e-3
    for place in 0..<64 {
      var (low, high) = (shard.output, shard.output)
      low[place] -= step
      high[place] += step
      let difference =
        shard.evaluate(kind, high, as: Double.self).value
        - shard.evaluate(kind, low, as: Double.self).value
      // The loss is quadratic, so that central differences are exact but for rounding; 7 is the batch.
      #expect(abs(difference / (2 * step) / 7 - gradient[place]) < 1e-11, "at \(place)")
      if place % 16 >= 3 { #expect(gradient[place] == 0, "column without a sample") }
    }
    #expect(gradient.contains { abs($0) > 1e-3 })
  }

  @Test("fields of any size have a relative loss", arguments: [1e-200, 1e-30, 1, 1e150])
  func sizes(size: Double) {
    let outputs = [3 * size, 4 * size]
    let data = Dataset(
      path: "", points: .grid([2]), outputPoints: nil, sampleCount: 1,
      inputs: [0, 0], outputs: outputs)
    let loss = Loss<Double>(.relative, batch: 1, data: data, scale: size)
    // ‖u / s‖² = 25.
    #expect(abs(loss.weights[0] - 0.04) < 1e-15)
    #expect(abs(relativeError(data.outputs[...], [3 * size, 0], scale: size) - 0.8) < 1e-15)
  }
}
