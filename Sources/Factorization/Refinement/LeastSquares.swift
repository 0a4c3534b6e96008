import BlockKernels
import KrylovMethods
import MessagePassing
import Optimization

/// The sum of squares that is minimized, over the shards of all ranks: its value, gradient and normal equations.
///
/// All ranks hold all parameters and do the same with them; of the probes each has its unknowns of its group's shards.
final class LeastSquares: SquaredResiduals {
  typealias Vectors = AlignedBuffer<Double>

  /// The residuals.
  let residual: any ProbeResidual
  /// The number of parameters.
  let count: Int
  /// Σ ‖residual‖² of each term, weighted, at the last parameters.
  private(set) var squares: [Double]
  private let ranks: TrainingRanks
  /// One for free parameters, zero for frozen ones.
  private(set) var mask: Vectors
  /// For each term a block of vectors.
  private let work: [Vectors]
  private var numbers: [Double]
  private var curvature = [0.0]

  init(_ residual: any ProbeResidual, _ ranks: TrainingRanks, mask: Vectors) {
    (self.residual, self.ranks, self.mask) = (residual, ranks, mask)
    count = mask.count
    squares = [Double](repeating: 0, count: residual.termCount)
    work = (0..<residual.termCount).map { _ in Vectors(repeating: 0, count: ranks.size) }
    numbers = [Double](repeating: 0, count: ranks.ownShards.count * residual.termCount)
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
  /// Collective over all ranks.
  func update(_ parameters: Vectors) throws {
    var isSingular = false
    do {
      try residual.update(parameters)
    } catch is RunError {
      isSingular = true
    }
    let terms = residual.termCount
    for slot in 0..<ranks.ownShards.count {
      for term in 0..<terms {
        let vectors = residual.residual(slot, term)
        numbers[slot * terms + term] =
          isSingular ? .infinity : residual.weights[term] * (try ranks.square(vectors))
      }
    }
    try ranks.sumNumbers(numbers, into: &squares)
  }

  /// Computes half of the gradient of the loss, zero for frozen parameters.
  ///
  /// Collective over all ranks.
  func halfGradient(into result: Vectors) throws {
    try ranks.sumShards(into: result) { slot, gradient in
      for (term, vectors) in work.enumerated() {
        let residual = residual.residual(slot, term)
        VectorKernels.multiply(
          residual, by: self.residual.weights[term], into: vectors, in: 0..<vectors.count)
      }
      try residual.pullBack(slot, work, into: gradient)
    }
    OrderedSums.multiply(result, by: mask)
  }

  /// Computes JᵀJ δ and ‖J δ‖².
  ///
  /// Collective over all ranks. The direction must be zero for frozen parameters.
  ///
  /// - Parameters:
  ///   - direction: δ.
  ///   - result: JᵀJ δ, zero for frozen parameters.
  /// - Returns: ‖J δ‖².
  /// - Throws: `MPIError` if an exchange fails.
  func normalProduct(
    _ direction: Vectors, into result: Vectors
  ) throws -> Double {
    try residual.setDirection(direction)
    try ranks.sumShards(into: result) { slot, gradient in
      try residual.differentiate(slot, into: work)
      var square = 0.0
      for (term, vectors) in work.enumerated() {
        let weight = residual.weights[term]
        square += weight * (try ranks.square(vectors))
        VectorKernels.scale(vectors, by: weight, in: 0..<vectors.count)
      }
      numbers[slot] = square
      try residual.pullBack(slot, work, into: gradient)
    }
    OrderedSums.multiply(result, by: mask)
    try ranks.sumNumbers(numbers, into: &curvature)
    return curvature[0]
  }

  /// Estimates the diagonal of JᵀJ, by random signs in place of residuals.
  ///
  /// Collective over all ranks.
  func diagonal(
    into result: Vectors, scratch: Vectors, samples: Int, seed: Int
  ) throws {
    result.fill(0)
    for sample in 0..<samples {
      try ranks.sumShards(into: scratch) { slot, gradient in
        for (term, vectors) in work.enumerated() {
          let index =
            (sample * ranks.shards.count + ranks.ownShards.lowerBound + slot) * work.count + term
          var stream = RandomStream(
            seed: Int64(seed), purpose: 0x6469_6167, index: UInt64(index))
          let size = (residual.weights[term] / Double(samples)).squareRoot()
          var span = vectors.mutableSpan
          // The signs are those of all unknowns, whoever has them.
          for _ in 0..<ranks.rows.lowerBound * Probes.width { _ = stream.nextWord() }
          for place in span.indices { span[place] = stream.nextWord() & 1 == 0 ? size : -size }
        }
        try residual.pullBack(slot, work, into: gradient)
      }
      OrderedSums.addSquares(of: scratch, to: result)
    }
    OrderedSums.multiply(result, by: mask)
  }
}
