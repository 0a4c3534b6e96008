import BlockKernels
import Foundation

/// Adam and Nadam on a range of the parameters.
///
/// Both are p ← p − η (a g + b m) / (√(c v) + ε) with moments m ← β₁ m + (1 − β₁) g and
/// v ← β₂ v + (1 − β₂) g², where t counts the steps since a range became active. Adam (Kingma and Ba 2015): a = 0, b = 1/(1 − β₁ᵗ). Nadam (Dozat 2016) with
/// momenta μₜ: a = (1 − μₜ)/(1 − ∏ᵢ≤ₜ μᵢ), b = μₜ₊₁/(1 − ∏ᵢ≤ₜ₊₁ μᵢ). Always c = 1/(1 − β₂ᵗ).
struct Optimizer<Scalar: KernelScalar> {
  let options: TrainingOptions
  let firstMoment: AlignedBuffer<Scalar>
  let secondMoment: AlignedBuffer<Scalar>
  /// The numbers that are updated together.
  private static var blockSize: Int { 1024 }
  private let roots = AlignedBuffer<Scalar>(repeating: 0, count: Self.blockSize)
  /// Parameters that are updated together, with the steps made with them.
  private struct ActiveRange {
    let places: Range<Int>
    var stepsMade = 0
    /// ∏ μᵢ up to the last of these steps.
    var momentumProduct = 1.0
  }
  /// What is updated; the other parameters are frozen.
  private var active: [ActiveRange]
  /// The steps made with any parameters, which the learning rate follows.
  private var stepsMade = 0
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
    self.active = (active ?? [0..<count]).map { ActiveRange(places: $0) }
    firstMoment = AlignedBuffer(repeating: 0, count: count)
    secondMoment = AlignedBuffer(repeating: 0, count: count)
  }

  private func momentum(_ t: Int) -> Double {
    options.nadamMomentum == .constant
      ? options.beta1 : options.beta1 * (1 - 0.5 * pow(0.96, 0.004 * Double(t)))
  }

  /// Continues after a number of steps, made with all active parameters; the caller has filled in the moments.
  mutating func resume(after steps: Int) {
    stepsMade = steps
    var product = 1.0
    for t in 0..<steps { product *= momentum(t + 1) }
    for index in active.indices {
      (active[index].stepsMade, active[index].momentumProduct) = (steps, product)
    }
  }

  /// Changes which parameters are updated.
  ///
  /// A range that was active before goes on with its moments and its number of steps; any other one begins anew, with
  /// moments zero.
  ///
  /// - Parameter ranges: The places, ascending.
  mutating func activate(_ ranges: [Range<Int>]) {
    let before = active
    active = ranges.map { range in
      before.first { $0.places == range } ?? ActiveRange(places: range)
    }
    let (first, second) = (firstMoment, secondMoment)
    var m = first.mutableSpan
    var v = second.mutableSpan
    for range in active where range.stepsMade == 0 {
      Elementwise.clear(&m, in: range.places)
      Elementwise.clear(&v, in: range.places)
    }
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
    stepsMade += 1
    var isFinite = true
    for index in active.indices {
      // A copy of the element: the method must not hold the array while it is changed.
      var part = active[index]
      precondition(
        part.places.upperBound <= range.count, "\(part.places) of \(range.count) parameters")
      let step = nextStep(&part)
      active[index] = part
      isFinite = update(&parameters, range, part.places, gradient, step) && isFinite
    }
    return isFinite
  }

  /// Returns the constants of the next step of a range.
  private func nextStep(_ part: inout ActiveRange) -> UpdateStep<Scalar> {
    part.stepsMade += 1
    let t = part.stepsMade
    let (mu, next) = (momentum(t), momentum(t + 1))
    part.momentumProduct *= mu
    let momentumProduct = part.momentumProduct
    let usesNesterov = options.optimizer == .nadam
    return UpdateStep<Scalar>(
      a: Scalar(usesNesterov ? (1 - mu) / (1 - momentumProduct) : 0),
      b: Scalar(
        usesNesterov
          ? next / (1 - momentumProduct * next) : 1 / (1 - pow(options.beta1, Double(t)))),
      c: Scalar(1 / (1 - pow(options.beta2, Double(t)))),
      rate: Scalar(options.learningRate(at: stepsMade - 1) * rateFactor),
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
