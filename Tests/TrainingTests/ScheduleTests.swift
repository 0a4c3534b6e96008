import ClusterTrees
import Foundation
import OperatorNetworks
import Testing

@testable import Training

@Suite("Learning rates")
struct ScheduleTests {
  private func options(_ change: (inout TrainingOptions) -> Void) -> TrainingOptions {
    var options = TrainingOptions()
    options.learningRate = 0.5
    options.iterations = 100
    options.warmup = 0
    change(&options)
    return options
  }

  @Test("a constant rate is constant", arguments: [0, 1, 50, 99, 1000])
  func constant(step: Int) {
    #expect(options { $0.schedule = .constant }.learningRate(at: step) == 0.5)
  }

  @Test("half a cosine falls from the rate to zero, symmetrically")
  func cosine() {
    let options = options { $0.schedule = .cosine }
    #expect(options.learningRate(at: 0) == 0.5)
    #expect(abs(options.learningRate(at: 50) - 0.25) < 1e-15)
    #expect(abs(options.learningRate(at: 100)) < 1e-15)
    // cos(π/3) = 1/2 and cos(2π/3) = −1/2, at 150 of 450 steps and 300 of 450.
    let longer = self.options { $0.iterations = 450 }
    #expect(abs(longer.learningRate(at: 150) - 0.375) < 1e-15)
    #expect(abs(longer.learningRate(at: 300) - 0.125) < 1e-15)
    for step in 0..<100 {
      #expect(options.learningRate(at: step) > options.learningRate(at: step + 1))
    }
  }

  @Test(
    "steps multiply by the factor at regular intervals",
    arguments: [(0, 0.5), (9, 0.5), (10, 0.1), (19, 0.1), (20, 0.02), (35, 0.004)])
  func steps(step: Int, rate: Double) {
    let options = options {
      $0.schedule = .step
      $0.stepEvery = 10
      $0.stepFactor = 0.2
    }
    #expect(abs(options.learningRate(at: step) - rate) < 1e-15)
  }

  @Test("a warm-up rises linearly from above zero", arguments: [ScheduleKind.constant, .step])
  func warmup(kind: ScheduleKind) {
    let options = options {
      $0.schedule = kind
      $0.warmup = 4
    }
    let rates = (0..<6).map { options.learningRate(at: $0) }
    for (rate, expected) in zip(rates, [0.1, 0.2, 0.3, 0.4, 0.5, 0.5]) {
      #expect(abs(rate - expected) < 1e-15)
    }
  }

  @Test(
    "the rate rises over a twentieth of the steps unless it is said",
    arguments: [(0, 0), (19, 0), (20, 1), (2000, 100), (16039, 801)])
  func standardWarmup(iterations: Int, steps: Int) {
    let options = options { ($0.schedule, $0.warmup, $0.iterations) = (.constant, nil, iterations) }
    for step in 0..<steps {
      #expect(
        abs(options.learningRate(at: step) - 0.5 * Double(step + 1) / Double(steps + 1)) < 1e-15)
    }
    #expect(options.learningRate(at: steps) == 0.5)
  }

  /// The model, r, K, the points, and the most numbers that the network sums at once: windows of 7 boxes on
  /// each axis in bridges, of 3 in the near field; 2·5 + 1 points of `conv`; all points.
  static let sums: [(Model, Int, Int, [Int], Int)] = [
    (.mnnH2, 6, 3, [160], 7 * 6), (.mnnH2, 20, 3, [160], 7 * 20), (.mnnH2, 1, 3, [160], 3 * 5),
    (.mnnH2, 6, 2, [40, 40], 49 * 6), (.mnnH2, 1, 2, [40, 40], 9 * 25),
    (.conv, 6, 2, [40], 11 * 6), (.dense, 6, 2, [40], 40),
  ]

  @Test("the rate follows from the most numbers that are summed at once", arguments: sums.indices)
  func standardRate(index: Int) throws {
    let (model, channels, layers, points, sum) = Self.sums[index]
    var network = NetworkOptions()
    (network.model, network.channels, network.layers) = (model, channels, layers)
    network.boundary = .periodic
    let built = try Network.build(network, sources: .grid(points))
    #expect(built.widestSum == sum)
    let rate = min(0.025, 1 / Double(sum))
    let settled = options { ($0.learningRate, $0.warmup) = (nil, nil) }.settled(for: built)
    #expect(settled.learningRate == rate && settled.warmup == 5)
    // What is given stays.
    #expect(options { _ in }.settled(for: built) == options { _ in })
  }

  @Test(
    "drops multiply by the root of a tenth after fractions of the steps",
    arguments: [
      (0, 0.5), (59, 0.5), (60, 0.5 * 0.1.squareRoot()), (79, 0.5 * 0.1.squareRoot()), (80, 0.05),
      (99, 0.05),
    ])
  func drops(step: Int, rate: Double) {
    let options = options {
      $0.schedule = .constant
      $0.dropAt = [0.6, 0.8]
    }
    #expect(abs(options.learningRate(at: step) - rate) < 1e-15)
    // On top of every schedule.
    let cosine = self.options { $0.schedule = .cosine }
    let dropped = self.options { $0.dropAt = [0.6, 0.8] }
    let factor = dropped.learningRate(at: step) / cosine.learningRate(at: step)
    #expect(abs(factor - rate / 0.5) < 1e-15)
  }

  @Test("batches double after fractions of the steps, and samples are those of all batches")
  func growth() {
    var options = options {
      $0.batch = 10
      $0.batchGrowth = [0.2, 0.4, 0.4, 0.95]
    }
    for (step, batch) in [(0, 10), (19, 10), (20, 20), (39, 20), (40, 80), (94, 80), (95, 160)] {
      #expect(options.batch(at: step) == batch, "\(step)")
    }
    #expect(options.largestBatch == 160)
    var sum = 0
    for step in 0...100 {
      #expect(options.samples(before: step) == sum)
      sum += options.batch(at: step)
    }
    options.batchGrowth = []
    #expect(options.samples(before: 100) == 1000 && options.largestBatch == 10)
  }

  @Test(
    "epochs become the least number of steps that sees their samples",
    arguments: [1, 9, 10, 11, 100, 12345], [[], [0.5], [0.1, 0.2, 0.9]])
  func epochs(samples: Int, growth: [Double]) {
    var options = options {
      $0.batch = 10
      $0.batchGrowth = growth
    }
    options.setIterations(forSamples: samples)
    #expect(options.samples(before: options.iterations) >= samples)
    options.iterations -= 1
    #expect(options.iterations == 0 || options.samples(before: options.iterations) < samples)
  }
}
