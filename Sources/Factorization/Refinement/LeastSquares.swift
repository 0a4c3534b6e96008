import BlockKernels
import KrylovMethods
import MessagePassing

/// The sum of squares that is minimized, over the shards of all ranks: its value, gradient and normal equations.
///
/// All ranks hold all parameters and do the same with them; of the probes each has its shards.
final class LeastSquares {
  typealias Vectors = AlignedBuffer<Double>

  /// The residuals.
  let residual: any ProbeResidual
  /// The number of parameters.
  let count: Int
  /// Σ ‖residual‖² of each term, weighted, at the last parameters.
  private(set) var squares: [Double]
  private let sums: ShardSums
  /// One for free parameters, zero for frozen ones.
  private(set) var mask: Vectors
  /// For each term a block of vectors.
  private let work: [Vectors]
  private var numbers: [Double]
  private var curvature = [0.0]

  init(_ residual: any ProbeResidual, _ sums: ShardSums, mask: Vectors, size: Int) {
    (self.residual, self.sums, self.mask) = (residual, sums, mask)
    count = mask.count
    squares = [Double](repeating: 0, count: residual.termCount)
    work = (0..<residual.termCount).map { _ in Vectors(repeating: 0, count: size) }
    numbers = [Double](repeating: 0, count: sums.own.count * residual.termCount)
  }

  /// Freezes other parameters than before.
  func setMask(_ mask: Vectors) { self.mask = mask }

  /// The loss at the last parameters; infinite if a factor is singular or a number is not finite.
  var loss: Double {
    let sum = squares.reduce(0, +)
    return sum.isFinite ? sum : .infinity
  }

  /// Computes the residuals of new parameters and their squares.
  ///
  /// Collective.
  func update(_ parameters: Vectors, on ranks: borrowing Communicator) throws {
    var isSingular = false
    do {
      try residual.update(parameters)
    } catch is RunError {
      isSingular = true
    }
    let terms = residual.termCount
    for slot in 0..<sums.own.count {
      for term in 0..<terms {
        let vectors = residual.residual(slot, term)
        numbers[slot * terms + term] =
          isSingular ? .infinity : residual.weights[term] * OrderedSums.dot(vectors, vectors)
      }
    }
    try sums.sum(numbers, into: &squares, on: ranks)
  }

  /// Computes half of the gradient of the loss, zero for frozen parameters.
  ///
  /// Collective.
  func halfGradient(into result: Vectors, on ranks: borrowing Communicator) throws {
    try sums.sum(into: result, on: ranks) { slot, gradient in
      for (term, vectors) in work.enumerated() {
        let residual = residual.residual(slot, term)
        VectorKernels.multiply(
          residual, by: self.residual.weights[term], into: vectors, in: 0..<vectors.count)
      }
      residual.pullBack(slot, work, into: gradient)
    }
    OrderedSums.multiply(result, by: mask)
  }

  /// Computes JᵀJ δ and ‖J δ‖².
  ///
  /// Collective. The direction must be zero for frozen parameters.
  ///
  /// - Parameters:
  ///   - direction: δ.
  ///   - result: JᵀJ δ, zero for frozen parameters.
  ///   - ranks: The ranks.
  /// - Returns: ‖J δ‖².
  /// - Throws: `MPIError` if an exchange fails.
  func normalProduct(
    _ direction: Vectors, into result: Vectors, on ranks: borrowing Communicator
  ) throws -> Double {
    residual.setDirection(direction)
    try sums.sum(into: result, on: ranks) { slot, gradient in
      residual.differentiate(slot, into: work)
      var square = 0.0
      for (term, vectors) in work.enumerated() {
        let weight = residual.weights[term]
        square += weight * OrderedSums.dot(vectors, vectors)
        VectorKernels.scale(vectors, by: weight, in: 0..<vectors.count)
      }
      numbers[slot] = square
      residual.pullBack(slot, work, into: gradient)
    }
    OrderedSums.multiply(result, by: mask)
    try sums.sum(numbers, into: &curvature, on: ranks)
    return curvature[0]
  }

  /// Estimates the diagonal of JᵀJ, by random signs in place of residuals.
  ///
  /// Collective.
  func diagonal(
    into result: Vectors, scratch: Vectors, samples: Int, seed: Int,
    on ranks: borrowing Communicator
  ) throws {
    result.fill(0)
    for sample in 0..<samples {
      try sums.sum(into: scratch, on: ranks) { slot, gradient in
        for (term, vectors) in work.enumerated() {
          let index = (sample * sums.count + sums.own.lowerBound + slot) * work.count + term
          var stream = RandomStream(
            seed: Int64(seed), purpose: 0x6469_6167, index: UInt64(index))
          let size = (residual.weights[term] / Double(samples)).squareRoot()
          var span = vectors.mutableSpan
          for place in span.indices { span[place] = stream.nextWord() & 1 == 0 ? size : -size }
        }
        residual.pullBack(slot, work, into: gradient)
      }
      OrderedSums.addSquares(of: scratch, to: result)
    }
    OrderedSums.multiply(result, by: mask)
  }
}

/// Sums in one order, on any processor: eight lanes, added up in the end.
enum OrderedSums {
  typealias Vectors = AlignedBuffer<Double>

  /// Σ aᵢ bᵢ.
  static func dot(_ a: Vectors, _ b: Vectors) -> Double {
    precondition(a.count == b.count, "\(a.count) and \(b.count) numbers")
    let (a, b) = (a.span, b.span)
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        var (one, two, rest, i) = (SIMD8<Double>(), SIMD8<Double>(), 0.0, 0)
        guard let x = unsafe UnsafeRawPointer(a.baseAddress),
          let y = unsafe UnsafeRawPointer(b.baseAddress)
        else { return 0 }
        // Both have as many elements; sixteen of them are there.
        while i &+ 16 <= a.count {
          let first = i &* 8
          one +=
            unsafe x.loadUnaligned(fromByteOffset: first, as: SIMD8<Double>.self)
            * y.loadUnaligned(fromByteOffset: first, as: SIMD8<Double>.self)
          two +=
            unsafe x.loadUnaligned(fromByteOffset: first &+ 64, as: SIMD8<Double>.self)
            * y.loadUnaligned(fromByteOffset: first &+ 64, as: SIMD8<Double>.self)
          i &+= 16
        }
        while i < a.count {
          unsafe rest += a[i] * b[i]
          i &+= 1
        }
        return (one + two).sum() + rest
      }
    }
  }

  /// y ← y x, element by element.
  static func multiply(_ y: Vectors, by x: Vectors) {
    precondition(x.count == y.count, "\(x.count) and \(y.count) numbers")
    let x = x.span
    var y = y.mutableSpan
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // Both have as many elements.
        for i in x.indices { unsafe y[i] *= x[i] }
      }
    }
  }

  /// y ← y + x², element by element.
  static func addSquares(of x: Vectors, to y: Vectors) {
    precondition(x.count == y.count, "\(x.count) and \(y.count) numbers")
    let x = x.span
    var y = y.mutableSpan
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        // Both have as many elements.
        for i in x.indices { unsafe y[i] += x[i] * x[i] }
      }
    }
  }
}
