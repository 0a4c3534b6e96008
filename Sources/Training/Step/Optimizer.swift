import BlockKernels
import Foundation

/// Adam and Nadam on a range of the parameters.
///
/// Both are p ← p − η (a g + b m) / (√(c v) + ε) with moments m ← β₁ m + (1 − β₁) g and
/// v ← β₂ v + (1 − β₂) g², where t counts the steps. Adam (Kingma and Ba 2015): a = 0, b = 1/(1 − β₁ᵗ). Nadam (Dozat 2016) with
/// momenta μₜ: a = (1 − μₜ)/(1 − ∏ᵢ≤ₜ μᵢ), b = μₜ₊₁/(1 − ∏ᵢ≤ₜ₊₁ μᵢ). Always c = 1/(1 − β₂ᵗ).
struct Optimizer<Scalar: KernelScalar> {
  let options: TrainingOptions
  let firstMoment: AlignedBuffer<Scalar>
  let secondMoment: AlignedBuffer<Scalar>
  /// The numbers that are updated together.
  private static var blockSize: Int { 1024 }
  private let roots = AlignedBuffer<Scalar>(repeating: 0, count: Self.blockSize)
  /// What is updated; the other parameters are frozen.
  private let active: [Range<Int>]
  /// t.
  private var stepsMade = 0
  /// ∏ μᵢ up to the last step made.
  private var momentumProduct = 1.0
  /// What the learning rate of the schedule is multiplied by.
  var rateFactor = 1.0

  /// Creates an optimizer.
  ///
  /// - Parameters:
  ///   - options: Which one, and its constants.
  ///   - count: The number of parameters.
  ///   - active: The places that are updated, ascending; all if nil.
  init(_ options: TrainingOptions, count: Int, active: [Range<Int>]? = nil) {
    self.options = options
    let active = active ?? [0..<count]
    precondition(
      active.allSatisfy { $0.upperBound <= count }, "\(active) of \(count) parameters")
    self.active = active
    firstMoment = AlignedBuffer(repeating: 0, count: count)
    secondMoment = AlignedBuffer(repeating: 0, count: count)
  }

  private func momentum(_ t: Int) -> Double {
    options.nadamMomentum == .constant
      ? options.beta1 : options.beta1 * (1 - 0.5 * pow(0.96, 0.004 * Double(t)))
  }

  /// Continues after a number of steps; the caller has filled in the moments.
  mutating func resume(after steps: Int) {
    (stepsMade, momentumProduct) = (steps, 1)
    for t in 0..<steps { momentumProduct *= momentum(t + 1) }
  }

  /// Changes the unit of gradients: multiplies the moments as if all gradients so far had been multiplied.
  ///
  /// - Parameter factor: What gradients are multiplied by; powers of two change no digit.
  func scaleMoments(by factor: Double) {
    guard factor != 1 else { return }
    let (first, second) = (firstMoment, secondMoment)
    var m = first.mutableSpan
    var v = second.mutableSpan
    for place in m.indices {
      m[place] *= Scalar(factor)
      v[place] *= Scalar(factor * factor)
    }
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
    let step = nextStep()
    var isFinite = true
    for part in active {
      isFinite = update(&parameters, range, part, gradient, step) && isFinite
    }
    return isFinite
  }

  /// Counts a step and returns its constants.
  private mutating func nextStep() -> UpdateStep<Scalar> {
    stepsMade += 1
    let t = stepsMade
    let (mu, next) = (momentum(t), momentum(t + 1))
    momentumProduct *= mu
    let usesNesterov = options.optimizer == .nadam
    return UpdateStep<Scalar>(
      a: Scalar(usesNesterov ? (1 - mu) / (1 - momentumProduct) : 0),
      b: Scalar(
        usesNesterov
          ? next / (1 - momentumProduct * next) : 1 / (1 - pow(options.beta1, Double(t)))),
      c: Scalar(1 / (1 - pow(options.beta2, Double(t)))),
      rate: Scalar(options.learningRate(at: t - 1) * rateFactor),
      beta1: Scalar(options.beta1),
      beta2: Scalar(options.beta2), rest1: Scalar(1 - options.beta1),
      rest2: Scalar(1 - options.beta2), epsilon: Scalar(options.epsilon))
  }

  /// Updates a part of the range, and returns whether it is finite then.
  @inline(__always)
  private func update(
    _ parameters: inout MutableSpan<Scalar>, _ range: Range<Int>, _ part: Range<Int>,
    _ gradient: Span<Scalar>, _ step: UpdateStep<Scalar>
  ) -> Bool {
    let (firstMoment, secondMoment) = (firstMoment, secondMoment)
    var mSpan = firstMoment.mutableSpan
    var vSpan = secondMoment.mutableSpan
    let roots = roots
    var rootSpan = roots.mutableSpan
    var isFinite = true
    unsafe gradient.withUnsafeBufferPointer { g in
      unsafe mSpan.withUnsafeMutableBufferPointer { m in
        unsafe vSpan.withUnsafeMutableBufferPointer { v in
          unsafe parameters.withUnsafeMutableBufferPointer { p in
            unsafe rootSpan.withUnsafeMutableBufferPointer { roots in
              guard let g = g.baseAddress, let m = m.baseAddress, let v = v.baseAddress,
                let start = p.baseAddress, let roots = roots.baseAddress
              else { return }
              // All four reach over the range, as checked above.
              let p = unsafe start + range.lowerBound
              // In blocks that stay in the cache.
              for first in stride(from: part.lowerBound, to: part.upperBound, by: Self.blockSize) {
                let count = min(Self.blockSize, part.upperBound - first)
                unsafe step.update(
                  p + first, gradient: g + first, m + first, v + first, count, roots)
                isFinite = unsafe Elementwise.areFinite(p + first, count: count) && isFinite
              }
            }
          }
        }
      }
    }
    return isFinite
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

  /// Updates the moments and the parameters, which the caller has in four places of `count` numbers.
  @inline(__always)
  func update(
    _ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafePointer<Scalar>,
    _ m: UnsafeMutablePointer<Scalar>, _ v: UnsafeMutablePointer<Scalar>, _ count: Int,
    _ roots: UnsafeMutablePointer<Scalar>
  ) {
    for i in 0..<count {
      unsafe m[i] = beta1 * m[i] + rest1 * g[i]
      let square = unsafe beta2 * v[i] + rest2 * (g[i] * g[i])
      unsafe v[i] = square
      unsafe roots[i] = c * square
    }
    unsafe Scalar.takeSquareRoots(of: roots, count: count)
    for i in 0..<count {
      unsafe p[i] -= rate * (a * g[i] + b * m[i]) / (roots[i] + epsilon)
    }
  }
}
