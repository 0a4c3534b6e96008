import BlockKernels
import ClusterTrees
import MessagePassing
import OperatorNetworks
import Testing

@testable import Datasets
@testable import NetworkExecution
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

    /// Evaluates the loss and its gradient for given outputs, which stand behind those of other boxes.
    func evaluate<Scalar: KernelScalar>(
      _ kind: LossKind, _ output: [Double], as type: Scalar.Type
    ) throws -> (value: Double, gradient: [Scalar], unit: Double) {
      let norms = (0..<5).map { sample in
        data.outputs[4 * sample..<4 * sample + 4].reduce(0) { $0 + $1 * $1 / (scale * scale) }
      }
      let network = try points(4)
      let loss = Loss<Scalar>(
        kind, batch: 7, norms: norms, training: 0..<4, points: 4,
        sums: BoxSums(network, RankShare(whole: network)), samples: 16)
      let gradient = AlignedBuffer<Scalar>(repeating: 9, count: 16 + 64 + 16)
      try #require(loss.squareCount == 16)
      let squares = AlignedBuffer<Double>(repeating: 9, count: 48)
      loss.evaluate(
        output: buffer([Double](repeating: .nan, count: 32) + output, as: type), at: 32,
        truth: buffer(truth, as: type), chosen: chosen[...], gradient: gradient, at: 16,
        into: squares, shard: 1)
      let all = gradient.array()
      #expect((all.prefix(16) + all.suffix(16)).allSatisfy { $0 == 9 }, "others are untouched")
      let found = squares.array()
      #expect((found.prefix(16) + found.suffix(16)).allSatisfy { $0 == 9 }, "other shards")
      return (loss.value(found[16..<32], chosen: chosen[...]), Array(all[16..<80]), loss.unit)
    }
  }

  @Test("the relative loss is the squared relative error in physical units")
  func relative() throws {
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
    let value = try shard.evaluate(.relative, shard.output, as: Double.self).value
    #expect(abs(value - expected) < 1e-13 * expected)
    let single = try shard.evaluate(.relative, shard.output, as: Float.self).value
    #expect(abs(single - expected) < 1e-5 * expected)
  }

  @Test("the mean squared error is the mean over the points of normalized outputs")
  func meanSquare() throws {
    let shard = Shard()
    var expected = 0.0
    for column in 0..<3 {
      for point in 0..<4 {
        let difference = shard.output[16 * point + column] - shard.truth[16 * point + column]
        expected += difference * difference / 4
      }
    }
    let value = try shard.evaluate(.mse, shard.output, as: Double.self).value
    #expect(abs(value - expected) < 1e-13 * expected)
  }

  @Test("gradients are differences of the batch's loss", arguments: LossKind.allCases)
  func gradients(kind: LossKind) throws {
    let shard = Shard()
    let (_, gradient, unit) = try shard.evaluate(kind, shard.output, as: Double.self)
    let step = 1e-3
    for place in 0..<64 {
      var (low, high) = (shard.output, shard.output)
      low[place] -= step
      high[place] += step
      let difference =
        try shard.evaluate(kind, high, as: Double.self).value
        - shard.evaluate(kind, low, as: Double.self).value
      // The loss is quadratic, so that central differences are exact but for rounding; 7 is the batch.
      let expected = difference / (2 * step) / 7 / unit
      #expect(abs(expected - gradient[place]) < 1e-11 / unit, "at \(place)")
      if place % 16 >= 3 { #expect(gradient[place] == 0, "column without a sample") }
    }
    #expect(gradient.contains { abs($0) > 1e-3 })
  }

  @Test(
    "both losses have gradients of one size, whatever the outputs vary around",
    arguments: [0, 1e3, 1e9])
  func unit(offset: Double) throws {
    let network = try points(4)
    // Outputs of deviation 1 around an offset; the last sample is not of the training part.
    let norms = [1, 2, 3, 4, 1e-3].map { 4 * (offset + $0) * (offset + $0) }
    func loss(_ kind: LossKind) -> Loss<Double> {
      Loss(
        kind, batch: 3, norms: norms, training: 0..<4, points: 4,
        sums: BoxSums(network, RankShare(whole: network)), samples: 16)
    }
    let relative = loss(.relative)
    #expect(relative.unit.significand == 1, "a power of two")
    let mean = (0..<4).reduce(0) { $0 + relative.weights[$1] } / 4 / relative.unit
    let squared = loss(.mse)
    #expect(squared.unit == 1)
    // Next to the weight 1/N of the mean squared error, up to the root of two.
    #expect((0.7...1.42).contains(mean / squared.weights[0]), "\(mean)")
  }

  /// In a process of its own, which can initialize MPI.
  @Test("fields of any size have relative errors", arguments: [1e-200, 1e-30, 1, 1e150])
  func sizes(size: Double) async {
    await #expect(processExitsWith: .success) { [size] in
      let data = Dataset(
        path: "", points: .grid([2]), outputPoints: nil, sampleCount: 1,
        inputs: [0, 0], outputs: [3 * size, 4 * size])
      let network = try points(2)
      let share = RankShare(whole: network)
      let normalization = Normalization(
        inputShift: [0, 0], inputScale: 1, outputShift: [3 * size, 4.5 * size], outputScale: size,
        meanOutput: [3 * size, 0])
      try MPIEnvironment.run { world in
        let (source, sums) = (SampleSource(data), BoxSums(network, share))
        let grid = try ProcessGrid(dataGroups: 1, treeRanks: 1, on: world)
        let survey = try FieldSurvey(source, training: 0..<1, network, share, on: grid)
        let norms = survey.norms(scale: size).squares
        // ‖u / s‖² = 25.
        let loss = Loss<Double>(
          .relative, batch: 1, norms: norms, training: 0..<1, points: 2, sums: sums, samples: 16)
        try #require(abs(loss.weights[0] - 0.04) < 1e-15)
        // A network with parameters zero says what is added to its outputs.
        let executor = NetworkExecutor<Double>(network, samples: 16, forTraining: false)
        let parameters = AlignedBuffer<Double>(
          repeating: 0, count: network.activeParameterCount)
        let errors = try Evaluator(executor, source, normalization: normalization).errors(
          0..<1, parameters: parameters, on: grid)
        let found = try #require(errors)
        try #require(abs(found.mean - 0.1) < 1e-15 && abs(found.meanPredictor - 0.8) < 1e-15)
      }
    }
  }
}
