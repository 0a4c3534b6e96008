import BlockKernels
import ClusterTrees
import OperatorNetworks
import Testing

@testable import Training

@Suite("Normalization")
struct NormalizationTests {
  private let data = randomDataset(samples: 30, points: 6)

  private func normalization(
    _ shift: ShiftKind, _ scale: ScaleKind, training: Range<Int> = 0..<20
  ) -> Normalization {
    var options = TrainingOptions()
    (options.inputShift, options.inputScale) = (shift, scale)
    (options.outputShift, options.outputScale) = (shift, scale)
    return Normalization(data, training: training, options: options)
  }

  /// The training outputs, shifted and scaled.
  private func normalized(_ normalization: Normalization) -> [Double] {
    (0..<20 * 6).map {
      (data.outputs[$0] - normalization.outputShift[$0 % 6]) / normalization.outputScale
    }
  }

  @Test("shifted fields have mean zero and, scaled, deviation one", arguments: [true, false])
  func deviations(isPointwise: Bool) {
    let values = normalized(normalization(isPointwise ? .pointwise : .mean, .deviation))
    #expect(abs(values.reduce(0, +) / 120) < 1e-13)
    let square = values.reduce(0) { $0 + $1 * $1 } / 120
    #expect(abs(square - 1) < 1e-13)
    if isPointwise {
      for point in 0..<6 {
        #expect(abs((0..<20).reduce(0) { $0 + values[6 * $1 + point] }) < 1e-12)
      }
    }
  }

  @Test("given numbers are taken, and none is none")
  func given() {
    let values = normalization(.value(2), .value(4))
    #expect(values.inputShift == [Double](repeating: 2, count: 6) && values.inputScale == 4)
    #expect(values.outputShift == values.inputShift && values.outputScale == 4)
    let none = normalization(.none, .none)
    #expect(none.inputShift == [Double](repeating: 0, count: 6) && none.inputScale == 1)
  }

  @Test("only the training part counts")
  func trainingOnly() {
    let all = normalization(.pointwise, .deviation, training: 0..<30)
    let part = normalization(.pointwise, .deviation)
    #expect(all != part)
    var other = data.outputs
    for place in 20 * 6..<30 * 6 { other[place] = 1e9 }
    let changed = Dataset(
      path: "", points: data.points, outputPoints: nil, sampleCount: 30,
      inputs: data.inputs, outputs: other)
    var options = TrainingOptions()
    (options.inputShift, options.outputShift) = (.pointwise, .pointwise)
    #expect(Normalization(changed, training: 0..<20, options: options) == part)
  }

  @Test("the mean output is that of the training part, whatever is subtracted")
  func meanOutput() {
    for shift in [ShiftKind.none, .mean, .pointwise] {
      let means = normalization(shift, .none).meanOutput
      for point in 0..<6 {
        let mean = (0..<20).reduce(0) { $0 + data.outputs[6 * $1 + point] } / 20
        #expect(abs(means[point] - mean) < 1e-13)
      }
    }
  }

  @Test("constant fields are not divided by zero")
  func constant() {
    let flat = Dataset(
      path: "", points: .grid([2]), outputPoints: nil, sampleCount: 3,
      inputs: [Double](repeating: 5, count: 6), outputs: [Double](repeating: 7, count: 6))
    let normalization = Normalization(flat, training: 0..<3, options: TrainingOptions())
    #expect(normalization.outputScale == 1 && normalization.outputShift == [7, 7])
  }

  @Test("what a shard takes in comes out again, in the order of the points")
  func roundTrip() throws {
    var options = NetworkOptions()
    (options.leaf, options.channels) = (3, 2)
    let network = try Network.build(options, sources: data.points)
    let normalization = normalization(.pointwise, .deviation)
    let shard = ShardBuffer<Double>(network, samples: 16, normalization: normalization)
    let values = AlignedBuffer<Double>(repeating: 9, count: 6 * 16)
    shard.loadOutputs(data, [4, 0, 29], into: values)
    var field = [Double](repeating: 0, count: 10)
    for (column, sample) in [4, 0, 29].enumerated() {
      shard.store(column, of: values, into: &field, at: 2)
      for point in 0..<6 {
        #expect(abs(field[2 + point] - data.outputs[6 * sample + point]) < 1e-13)
      }
    }
    #expect(field[0] == 0 && field[9] == 0)
    // Columns without a sample are zero.
    let rest = values.array().enumerated().filter { $0.offset % 16 >= 3 }
    #expect(rest.allSatisfy { $0.element == 0 })
  }
}
