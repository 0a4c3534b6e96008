import BlockKernels
import Foundation
import Testing

@testable import Training

@Suite("Adam and Nadam")
struct OptimizerTests {
  /// One number under Adam, step by step as in Kingma and Ba 2015, algorithm 1.
  private struct Adam {
    var (m, v, t) = (0.0, 0.0, 0)

    mutating func step(_ p: Double, _ g: Double, _ o: TrainingOptions) -> Double {
      t += 1
      m = o.beta1 * m + (1 - o.beta1) * g
      v = o.beta2 * v + (1 - o.beta2) * g * g
      let corrected = m / (1 - pow(o.beta1, Double(t)))
      let square = v / (1 - pow(o.beta2, Double(t)))
      return p - o.learningRate(at: t - 1) * corrected / (square.squareRoot() + o.epsilon)
    }
  }

  /// One number under Nadam as in Keras 2: g' = g / (1 − ∏ᵢ≤ₜ μᵢ), m' = m / (1 − ∏ᵢ≤ₜ₊₁ μᵢ).
  ///
  /// With the constant momentum μ = β₁ this is algorithm 2 of Dozat 2016.
  private struct Nadam {
    var (m, v, t) = (0.0, 0.0, 0)

    mutating func step(_ p: Double, _ g: Double, _ o: TrainingOptions) -> Double {
      func momentum(_ i: Int) -> Double {
        o.nadamMomentum == .constant ? o.beta1 : o.beta1 * (1 - 0.5 * pow(0.96, Double(i) / 250))
      }
      func schedule(_ last: Int) -> Double { (1...last).map(momentum).reduce(1, *) }
      t += 1
      m = o.beta1 * m + (1 - o.beta1) * g
      v = o.beta2 * v + (1 - o.beta2) * g * g
      let gradient = g / (1 - schedule(t))
      let first = m / (1 - schedule(t + 1))
      let second = v / (1 - pow(o.beta2, Double(t)))
      let direction = (1 - momentum(t)) * gradient + momentum(t + 1) * first
      return p - o.learningRate(at: t - 1) * direction / (second.squareRoot() + o.epsilon)
    }
  }

  /// A gradient that depends on the parameter, the place and the step.
  private func gradient(_ parameter: Double, _ place: Int, _ step: Int) -> Double {
    2 * (parameter - Double(place)) + sin(Double(step * (place + 1)))
  }

  /// Compares `steps` steps on part of a buffer with the scalar formulas.
  private func compare<Scalar: KernelScalar>(
    _ options: TrainingOptions, as type: Scalar.Type, tolerance: Double, resumesAt stop: Int? = nil
  ) {
    let range = 3..<10
    let parameters = AlignedBuffer<Scalar>(repeating: 0.25, count: 12)
    let gradients = AlignedBuffer<Scalar>(repeating: 0, count: range.count)
    var optimizer = Optimizer<Scalar>(options, count: range.count)
    var expected = [Double](repeating: 0.25, count: range.count)
    var adam = expected.map { _ in Adam() }
    var nadam = expected.map { _ in Nadam() }
    for step in 0..<40 {
      if step == stop {
        // Another run takes over with the moments of this one.
        var next = Optimizer<Scalar>(options, count: range.count)
        for (old, new) in [
          (optimizer.firstMoment, next.firstMoment), (optimizer.secondMoment, next.secondMoment),
        ] {
          var span = new.mutableSpan
          Elementwise.copy(old.span, at: 0, to: &span, in: 0..<range.count)
        }
        next.resume(after: step)
        optimizer = next
      }
      var span = gradients.mutableSpan
      for place in range.indices.map({ $0 - range.lowerBound }) {
        let value = gradient(expected[place], place, step)
        span[place] = Scalar(value)
        expected[place] =
          options.optimizer == .adam
          ? adam[place].step(expected[place], value, options)
          : nadam[place].step(expected[place], value, options)
      }
      var target = parameters.mutableSpan
      let isFinite = optimizer.update(&target, range: range, gradient: gradients.span)
      #expect(isFinite)
    }
    let result = parameters.array().map { Double($0) }
    for place in 0..<range.count {
      #expect(
        abs(result[range.lowerBound + place] - expected[place]) < tolerance,
        "\(place): \(result[range.lowerBound + place]), needed \(expected[place])")
    }
    // What lies outside of the range belongs to others.
    #expect(result[..<3] == [0.25, 0.25, 0.25] && result[10...] == [0.25, 0.25])
    #expect(abs(expected[0] - 0.25) > 0.1)
  }

  private func options(_ kind: OptimizerKind, _ momentum: NadamMomentum) -> TrainingOptions {
    var options = TrainingOptions()
    options.optimizer = kind
    options.nadamMomentum = momentum
    options.learningRate = 0.05
    options.iterations = 60
    options.epsilon = 1e-3
    options.beta1 = 0.8
    options.beta2 = 0.95
    return options
  }

  static let kinds: [(OptimizerKind, NadamMomentum)] = [
    (.adam, .constant), (.nadam, .constant), (.nadam, .keras),
  ]

  @Test("steps are those of the formulas", arguments: kinds)
  func formulas(kind: OptimizerKind, momentum: NadamMomentum) {
    // Forty steps of length 0.05; errors of the gradient's rounding grow little.
    compare(options(kind, momentum), as: Double.self, tolerance: 1e-12)
    compare(options(kind, momentum), as: Float.self, tolerance: 1e-4)
  }

  @Test("a run that was taken over goes on as if it had not been", arguments: kinds, [1, 17, 39])
  func resumes(kind: (OptimizerKind, NadamMomentum), step: Int) {
    compare(options(kind.0, kind.1), as: Double.self, tolerance: 1e-12, resumesAt: step)
  }

  @Test(
    "a power of two in all gradients changes no bit, also when it comes later", arguments: kinds)
  func units(kind: OptimizerKind, momentum: NadamMomentum) {
    var options = options(kind, momentum)
    options.epsilon = 0
    /// Makes ten steps, with gradients in units that change at a step.
    func run(_ units: (Int) -> Double) -> [Float] {
      let parameters = AlignedBuffer<Float>(repeating: 0.25, count: 5)
      let gradients = AlignedBuffer<Float>(repeating: 0, count: 5)
      var optimizer = Optimizer<Float>(options, count: 5)
      for step in 0..<10 {
        if step > 0 { optimizer.scaleMoments(by: units(step - 1) / units(step)) }
        var span = gradients.mutableSpan
        for place in 0..<5 {
          span[place] = Float(sin(Double(step * 5 + place + 1)) / units(step))
        }
        var target = parameters.mutableSpan
        _ = optimizer.update(&target, range: 0..<5, gradient: gradients.span)
      }
      return parameters.array()
    }
    let plain = run { _ in 1 }
    #expect(plain.allSatisfy { abs($0 - 0.25) > 1e-3 })
    #expect(run { _ in 0x1p-30 } == plain)
    #expect(run { $0 < 4 ? 1 : 0x1p-20 } == plain)
  }

  @Test("the first step of Adam has the length of the learning rate")
  func firstStep() {
    var options = options(.adam, .constant)
    options.epsilon = 0
    (options.schedule, options.warmup) = (.constant, 0)
    let parameters = AlignedBuffer<Double>(repeating: 0, count: 2)
    let gradients = AlignedBuffer<Double>(repeating: 0, count: 2)
    var values = gradients.mutableSpan
    (values[0], values[1]) = (1e-6, -1e6)
    var optimizer = Optimizer<Double>(options, count: 2)
    var target = parameters.mutableSpan
    let isFinite = optimizer.update(&target, range: 0..<2, gradient: gradients.span)
    #expect(isFinite)
    let result = parameters.array()
    #expect(abs(result[0] + 0.05) < 1e-15 && abs(result[1] - 0.05) < 1e-15)
  }

  @Test("parameters that are not finite are noticed", arguments: [Double.infinity, .nan, 1e308])
  func notFinite(rate: Double) {
    var options = TrainingOptions()
    (options.learningRate, options.schedule, options.warmup) = (rate, .constant, 0)
    let parameters = AlignedBuffer<Double>(repeating: -1.5e308, count: 3)
    let gradients = AlignedBuffer<Double>(repeating: 1, count: 3)
    var optimizer = Optimizer<Double>(options, count: 3)
    var target = parameters.mutableSpan
    let isFinite = optimizer.update(&target, range: 0..<3, gradient: gradients.span)
    #expect(!isFinite)
  }

  @Test("frozen parameters stay, and the others make their steps")
  func activeRanges() {
    var options = TrainingOptions()
    (options.learningRate, options.schedule, options.warmup) = (0.1, .constant, 0)
    let count = 3000
    let parameters = AlignedBuffer<Double>(repeating: 1, count: count)
    let gradient = AlignedBuffer<Double>(repeating: 0, count: count)
    for place in 0..<count { gradient[place] = sin(Double(place)) + 0.1 }
    var optimizer = Optimizer<Double>(options, count: count, active: [0..<700, 1500..<2990])
    var adam = Adam()
    var expected = 1.0
    for _ in 0..<5 {
      var span = parameters.mutableSpan
      #expect(optimizer.update(&span, range: 0..<count, gradient: gradient.span))
      expected = adam.step(expected, gradient[1600], options)
    }
    for place in [700, 1499, 2990, 2999] {
      #expect(parameters[place] == 1 && optimizer.firstMoment[place] == 0)
    }
    for place in [0, 699, 1500, 2989] { #expect(parameters[place] != 1) }
    #expect(abs(parameters[1600] - expected) <= 1e-13)
  }
}
