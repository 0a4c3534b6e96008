import ClusterTrees
import OperatorNetworks
import Testing

@testable import Datasets
@testable import NetworkExecution
@testable import Training

@Suite("Normalization")
struct NormalizationTests {
  private let data = randomDataset(samples: 30, points: 6)

  private func normalization(
    _ shift: ShiftKind, _ scale: ScaleKind, training: Range<Int> = 0..<20
  ) throws -> Normalization {
    var options = TrainingOptions()
    (options.inputShift, options.inputScale) = (shift, scale)
    (options.outputShift, options.outputScale) = (shift, scale)
    return try fit(data, training, options)
  }

  /// Fits a normalization to a dataset with all points.
  private func fit(
    _ data: Dataset, _ training: Range<Int>, _ options: TrainingOptions
  ) throws -> Normalization {
    let (inputs, outputs) = try statistics(data, training)
    return Normalization(inputs, outputs, options)
  }

  private func statistics(
    _ data: Dataset, _ training: Range<Int>
  ) throws -> (inputs: FieldStatistics, outputs: FieldStatistics) {
    let network = try points(data.points.count)
    let source = SampleSource(data)
    var survey = try PointSurvey(source, training: training)
    try survey.addSquares(
      source, training: training, BoxSums(network, RankShare(whole: network)),
      network.outputOrder, factor: 1)
    return (FieldStatistics(survey.inputs), FieldStatistics(survey.outputs))
  }

  /// The training outputs, shifted and scaled.
  private func normalized(_ normalization: Normalization) -> [Double] {
    (0..<20 * 6).map {
      (data.outputs[$0] - normalization.outputShift[$0 % 6]) / normalization.outputScale
    }
  }

  @Test("shifted fields have mean zero and, scaled, deviation one", arguments: [true, false])
  func deviations(isPointwise: Bool) throws {
    let values = normalized(try normalization(isPointwise ? .pointwise : .mean, .deviation))
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
  func given() throws {
    let values = try normalization(.value(2), .value(4))
    #expect(values.inputShift == [Double](repeating: 2, count: 6) && values.inputScale == 4)
    #expect(values.outputShift == values.inputShift && values.outputScale == 4)
    let none = try normalization(.none, .none)
    #expect(none.inputShift == [Double](repeating: 0, count: 6) && none.inputScale == 1)
  }

  @Test("only the training part counts")
  func trainingOnly() throws {
    let all = try normalization(.pointwise, .deviation, training: 0..<30)
    let part = try normalization(.pointwise, .deviation)
    #expect(all != part)
    var other = data.outputs
    for place in 20 * 6..<30 * 6 { other[place] = 1e9 }
    let changed = Dataset(
      path: "", points: data.points, outputPoints: nil, sampleCount: 30,
      inputs: data.inputs, outputs: other)
    var options = TrainingOptions()
    (options.inputShift, options.outputShift) = (.pointwise, .pointwise)
    #expect(try fit(changed, 0..<20, options) == part)
  }

  @Test("the mean output is that of the training part, whatever is subtracted")
  func meanOutput() throws {
    for shift in [ShiftKind.none, .mean, .pointwise] {
      let means = try normalization(shift, .none).meanOutput
      for point in 0..<6 {
        let mean = (0..<20).reduce(0) { $0 + data.outputs[6 * $1 + point] } / 20
        #expect(abs(means[point] - mean) < 1e-13)
      }
    }
  }

  @Test("constant fields are not divided by zero")
  func constant() throws {
    let flat = Dataset(
      path: "", points: .grid([2]), outputPoints: nil, sampleCount: 3,
      inputs: [Double](repeating: 5, count: 6), outputs: [Double](repeating: 7, count: 6))
    let normalization = try fit(flat, 0..<3, TrainingOptions())
    #expect(normalization.outputScale == 1 && normalization.outputShift == [7, 7])
  }

  /// Sums of these numbers are rounded, so that the mean differs from all of them.
  @Test(
    "constant fields with a rounded mean are not divided by rounding", arguments: [0.1, 1.0 / 3])
  func roundedMean(value: Double) throws {
    let count = 600
    let flat = Dataset(
      path: "", points: .grid([2]), outputPoints: nil, sampleCount: count,
      inputs: [Double](repeating: value, count: 2 * count),
      // A variation of 1e-9 is one.
      outputs: (0..<2 * count).map { value + ($0 / 2 % 2 == 0 ? 1e-9 : -1e-9) })
    let statistics = try statistics(flat, 0..<count).inputs
    try #require(statistics.mean != value && statistics.deviation > 0)
    let normalization = try fit(flat, 0..<count, TrainingOptions())
    #expect(normalization.inputScale == 1)
    #expect(abs(normalization.outputScale / 1e-9 - 1) < 1e-6)
    #expect(
      statistics.remark(.deviation, pointwise: false, "inputs")?.contains("do not vary") == true)
    #expect(statistics.remark(.none, pointwise: false, "inputs") == nil)
  }
}
