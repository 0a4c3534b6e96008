import BlockKernels
import KrylovMethods

/// Conjugate gradients on the normal equations (JᵀJ + λ D) δ = −Jᵀ r, preconditioned by their diagonal.
///
/// All ranks hold the vectors and do the same with them; products with JᵀJ are the problem's.
/// Nothing is allocated after the creation.
final class NormalEquations {
  typealias Vectors = AlignedBuffer<Double>

  /// δ.
  let solution: Vectors
  /// The iterations of the last solve.
  private(set) var iterations = 0
  /// By how much the loss would fall if residuals were linear.
  private(set) var expectedGain = 0.0
  private let gradient: Vectors
  private let residual: Vectors
  private let direction: Vectors
  private let product: Vectors
  /// D: the diagonal of JᵀJ, and its inverse.
  private let diagonal: Vectors
  private let inverse: Vectors

  init(count: Int) {
    func vectors() -> Vectors { Vectors(repeating: 0, count: count) }
    (solution, gradient, residual) = (vectors(), vectors(), vectors())
    (direction, product) = (vectors(), vectors())
    (diagonal, inverse) = (vectors(), vectors())
  }

  /// Solves at the last parameters of the least squares problem.
  ///
  /// Collective over the ranks of the objective.
  ///
  /// - Parameters:
  ///   - problem: The least squares problem.
  ///   - damping: λ.
  ///   - limit: The most iterations.
  ///   - tolerance: The relative residual at which they end.
  ///   - seed: The seed of the estimate of the diagonal.
  /// - Throws: what the problem throws.
  func solve(
    _ problem: any SquaredResiduals, damping: Double, limit: Int, tolerance: Double, seed: Int
  ) throws {
    let all = 0..<solution.count
    try prepareDiagonal(problem, damping, seed: seed)
    try problem.halfGradient(into: gradient)
    solution.fill(0)
    VectorKernels.multiply(gradient, by: -1, into: residual, in: all)
    divide(residual, into: direction)
    var energy = OrderedSums.dot(residual, direction)
    let first = energy
    iterations = 0
    while iterations < limit, energy > tolerance * tolerance * first {
      var curvature = try problem.normalProduct(direction, into: product)
      if damping > 0 {
        curvature += damping * addDamping(damping)
      }
      guard curvature > 0, curvature.isFinite else { break }
      iterations += 1
      let step = energy / curvature
      VectorKernels.add(direction, times: step, to: solution, in: all)
      VectorKernels.add(product, times: -step, to: residual, in: all)
      divide(residual, into: product)
      let next = OrderedSums.dot(residual, product)
      VectorKernels.add(product, toMultiple: next / energy, of: direction, in: all)
      energy = next
    }
    // With H = JᵀJ + λD: the gain is 2 gᵀδ − δᵀ JᵀJ δ where H δ = g − ρ, g = −Jᵀ r.
    expectedGain =
      OrderedSums.dot(solution, residual) - OrderedSums.dot(solution, gradient)
    if damping > 0 {
      OrderedSums.multiply(diagonal, by: solution, into: product)
      expectedGain += damping * OrderedSums.dot(solution, product)
    }
  }

  /// Adds λ D p to the product and returns pᵀ D p.
  private func addDamping(_ damping: Double) -> Double {
    // The inverse of the preconditioner is not needed before the product is complete.
    OrderedSums.multiplyAdd(diagonal, by: direction, times: damping, to: product)
    return OrderedSums.weightedSquare(direction, by: diagonal)
  }

  /// Estimates D and what the preconditioner multiplies by.
  private func prepareDiagonal(
    _ problem: any SquaredResiduals, _ damping: Double, seed: Int
  ) throws {
    try problem.diagonal(into: diagonal, scratch: product, samples: 4, seed: seed)
    let (diagonal, inverse, allowed) = (diagonal, inverse, problem.mask)
    var values = diagonal.mutableSpan
    var inverses = inverse.mutableSpan
    var (sum, number) = (0.0, 0)
    for place in values.indices where values[place] > 0 {
      sum += values[place]
      number += 1
    }
    let least = 1e-3 * sum / Double(max(number, 1))
    let mask = allowed.span
    for place in values.indices {
      guard mask[place] > 0 else {
        (values[place], inverses[place]) = (0, 0)
        continue
      }
      values[place] = max(values[place], least)
      inverses[place] = values[place] > 0 ? 1 / (values[place] * (1 + damping)) : 0
    }
  }

  private func divide(_ x: Vectors, into y: Vectors) {
    OrderedSums.multiply(inverse, by: x, into: y)
  }
}
