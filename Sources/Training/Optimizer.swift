import BlockKernels
import Foundation

/// Adam and Nadam on a range of the parameters.
///
/// Both are p ← p − η (a g + b m) / (√(c v) + ε) with moments m ← β₁ m + (1 − β₁) g and
/// v ← β₂ v + (1 − β₂) g². Adam (Kingma and Ba 2015): a = 0, b = 1/(1 − β₁ᵗ). Nadam (Dozat 2016) with
/// momenta μₜ: a = (1 − μₜ)/(1 − ∏ᵢ≤ₜ μᵢ), b = μₜ₊₁/(1 − ∏ᵢ≤ₜ₊₁ μᵢ). Always c = 1/(1 − β₂ᵗ).
struct Optimizer<Scalar: KernelScalar> {
  let options: TrainingOptions
  let firstMoment: AlignedBuffer<Scalar>
  let secondMoment: AlignedBuffer<Scalar>
  /// ∏ μᵢ up to the last step made.
  private var momentumProduct = 1.0
  private var stepsMade = 0

  init(_ options: TrainingOptions, count: Int) {
    self.options = options
    firstMoment = AlignedBuffer(repeating: 0, count: count)
    secondMoment = AlignedBuffer(repeating: 0, count: count)
  }

  private func momentum(_ t: Int) -> Double {
    options.nadamMomentum == .constant
      ? options.beta1 : options.beta1 * (1 - 0.5 * pow(0.96, 0.004 * Double(t)))
  }

  /// Goes to the state after a number of steps, whose moments the caller has filled in.
  mutating func resume(after steps: Int) {
    (stepsMade, momentumProduct) = (steps, 1)
    for t in 0..<steps { momentumProduct *= momentum(t + 1) }
  }

  /// Makes one step with the gradient of this rank's range.
  ///
  /// - Returns: Whether the new parameters are finite.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  mutating func update(
    _ parameters: inout MutableSpan<Scalar>, range: Range<Int>, gradient: Span<Scalar>
  ) -> Bool {
    precondition(
      gradient.count >= range.count && firstMoment.count == range.count
        && range.upperBound <= parameters.count, "\(range) of \(parameters.count) parameters")
    stepsMade += 1
    let t = stepsMade
    let (mu, next) = (momentum(t), momentum(t + 1))
    momentumProduct *= mu
    let usesNesterov = options.optimizer == .nadam
    let a = Scalar(usesNesterov ? (1 - mu) / (1 - momentumProduct) : 0)
    let b = Scalar(
      usesNesterov
        ? next / (1 - momentumProduct * next) : 1 / (1 - pow(options.beta1, Double(t))))
    let c = Scalar(1 / (1 - pow(options.beta2, Double(t))))
    let rate = Scalar(options.learningRate(at: t - 1))
    let (beta1, beta2) = (Scalar(options.beta1), Scalar(options.beta2))
    let (rest1, rest2) = (Scalar(1 - options.beta1), Scalar(1 - options.beta2))
    let epsilon = Scalar(options.epsilon)
    let (firstMoment, secondMoment) = (firstMoment, secondMoment)
    var mSpan = firstMoment.mutableSpan
    var vSpan = secondMoment.mutableSpan
    // Becomes NaN with the first parameter that is not finite.
    var zero: Scalar = 0
    unsafe gradient.withUnsafeBufferPointer { g in
      unsafe mSpan.withUnsafeMutableBufferPointer { m in
        unsafe vSpan.withUnsafeMutableBufferPointer { v in
          unsafe parameters.withUnsafeMutableBufferPointer { p in
            // All four reach over the range, as checked above.
            let start = range.lowerBound
            for i in 0..<range.count {
              let gradient = unsafe g[i]
              let first = unsafe beta1 * m[i] + rest1 * gradient
              let second = unsafe beta2 * v[i] + rest2 * (gradient * gradient)
              unsafe m[i] = first
              unsafe v[i] = second
              let direction = a * gradient + b * first
              let parameter =
                unsafe p[start + i]
                - rate * direction / ((c * second).squareRoot() + epsilon)
              unsafe p[start + i] = parameter
              zero += parameter * 0
            }
          }
        }
      }
    }
    return zero == 0
  }
}
