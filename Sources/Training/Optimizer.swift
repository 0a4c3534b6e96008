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
    let step = UpdateStep<Scalar>(
      a: Scalar(usesNesterov ? (1 - mu) / (1 - momentumProduct) : 0),
      b: Scalar(
        usesNesterov
          ? next / (1 - momentumProduct * next) : 1 / (1 - pow(options.beta1, Double(t)))),
      c: Scalar(1 / (1 - pow(options.beta2, Double(t)))),
      rate: Scalar(options.learningRate(at: t - 1)), beta1: Scalar(options.beta1),
      beta2: Scalar(options.beta2), rest1: Scalar(1 - options.beta1),
      rest2: Scalar(1 - options.beta2), epsilon: Scalar(options.epsilon))
    let (firstMoment, secondMoment) = (firstMoment, secondMoment)
    var mSpan = firstMoment.mutableSpan
    var vSpan = secondMoment.mutableSpan
    // Become NaN with the first parameter that is not finite.
    var (zeros, zero) = (SIMD16<Scalar>(), Scalar(0))
    unsafe gradient.withUnsafeBufferPointer { g in
      unsafe mSpan.withUnsafeMutableBufferPointer { m in
        unsafe vSpan.withUnsafeMutableBufferPointer { v in
          unsafe parameters.withUnsafeMutableBufferPointer { p in
            guard let g = g.baseAddress, let m = m.baseAddress, let v = v.baseAddress,
              let start = p.baseAddress
            else { return }
            // All four reach over the range, as checked above. Lanes and the rest are computed alike.
            let p = unsafe start + range.lowerBound
            var i = 0
            while i + 16 <= range.count {
              var (first, second) = unsafe (lanes(m + i), lanes(v + i))
              let parameter = unsafe step.update(
                lanes(p + i), gradient: lanes(g + i), &first, &second)
              unsafe store(first, m + i)
              unsafe store(second, v + i)
              unsafe store(parameter, p + i)
              zeros += parameter * 0
              i += 16
            }
            while i < range.count {
              var (first, second) = unsafe (m[i], v[i])
              let parameter = unsafe step.update(p[i], gradient: g[i], &first, &second)
              unsafe (m[i], v[i], p[i]) = (first, second, parameter)
              zero += parameter * 0
              i += 1
            }
          }
        }
      }
    }
    for lane in 0..<16 { zero += zeros[lane] }
    return zero == 0
  }
}

/// The constants of one step of an optimizer.
private struct UpdateStep<Scalar: KernelScalar> {
  let a: Scalar
  let b: Scalar
  let c: Scalar
  let rate: Scalar
  let beta1: Scalar
  let beta2: Scalar
  let rest1: Scalar
  let rest2: Scalar
  let epsilon: Scalar

  /// Updates the moments and returns the new parameters.
  @inline(__always)
  func update(
    _ p: SIMD16<Scalar>, gradient g: SIMD16<Scalar>, _ m: inout SIMD16<Scalar>,
    _ v: inout SIMD16<Scalar>
  ) -> SIMD16<Scalar> {
    m = beta1 * m + rest1 * g
    v = beta2 * v + rest2 * (g * g)
    return p - rate * (a * g + b * m) / ((c * v).squareRoot() + epsilon)
  }

  /// Updates the moments and returns the new parameter.
  @inline(__always)
  func update(
    _ p: Scalar, gradient g: Scalar, _ m: inout Scalar, _ v: inout Scalar
  ) -> Scalar {
    m = beta1 * m + rest1 * g
    v = beta2 * v + rest2 * (g * g)
    return p - rate * (a * g + b * m) / ((c * v).squareRoot() + epsilon)
  }
}

/// Reads sixteen scalars, aligned or not.
@inline(__always)
private func lanes<Scalar: KernelScalar>(_ place: UnsafePointer<Scalar>) -> SIMD16<Scalar> {
  // The caller says that sixteen scalars stand there.
  unsafe UnsafeRawPointer(place).loadUnaligned(as: SIMD16<Scalar>.self)
}

/// Writes sixteen scalars, aligned or not.
@inline(__always)
private func store<Scalar: KernelScalar>(
  _ values: SIMD16<Scalar>, _ place: UnsafeMutablePointer<Scalar>
) {
  // The caller says that there is room for sixteen scalars.
  unsafe UnsafeMutableRawPointer(place).storeBytes(of: values, as: SIMD16<Scalar>.self)
}
