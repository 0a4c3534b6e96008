internal import BlockKernels
import SpecialFunctions

/// The preconditioned conjugate gradients of Hestenes and Stiefel, in the space or across one vector.
struct ProjectedGradients: ~Copyable {
  /// How an iteration ended.
  enum Outcome: Equatable {
    /// The residual is small enough.
    case converged
    /// A direction of negative curvature was met: the matrix is not positive definite.
    case indefinite
    /// The products were used up.
    case unfinished
  }

  private let direction: AlignedBuffer<Double>
  private let product: AlignedBuffer<Double>
  private let residual: AlignedBuffer<Double>
  private let improved: AlignedBuffer<Double>

  /// The largest number of products of one solve.
  static var capacity: Int { 500 }

  /// Allocates the scratch memory.
  ///
  /// - Parameter order: The number of unknowns.
  init(order: Int) {
    direction = AlignedBuffer(repeating: 0, count: order)
    product = AlignedBuffer(repeating: 0, count: order)
    residual = AlignedBuffer(repeating: 0, count: order)
    improved = AlignedBuffer(repeating: 0, count: order)
  }

  /// Solves (A + diag(d)) x = r, or P (A + diag(d)) P x = P r with P = 1 - v vᵀ / vᵀv.
  ///
  /// - Parameters:
  ///   - laplacian: A, with its approximate inverse prepared.
  ///   - diagonal: d.
  ///   - rightHandSide: r.
  ///   - isProjected: Whether the solution shall be orthogonal to v.
  ///   - normal: v.
  ///   - tolerance: The Euclidean norm of the final residual relative to that of r.
  ///   - solution: Becomes x.
  /// - Returns: How the iteration ended.
  func solve(
    _ laplacian: borrowing PeriodicLaplacian, diagonal: Span<Double>,
    rightHandSide: Span<Double>, across isProjected: Bool, _ normal: Span<Double>,
    tolerance: Double, solution: inout MutableSpan<Double>
  ) -> Outcome {
    let n = rightHandSide.count
    var residual = residual.mutableSpan
    var improved = improved.mutableSpan
    var direction = direction.mutableSpan
    var product = product.mutableSpan
    for i in 0..<n {
      residual[i] = rightHandSide[i]
      solution[i] = 0
      direction[i] = 0
    }
    if isProjected { Self.project(&residual, across: normal) }
    let start = VectorSums.norm(residual.span)
    guard start > 0 else { return .converged }
    guard start.isFinite else { return .unfinished }
    var before = 1.0
    for _ in 0..<Self.capacity {
      laplacian.smooth(residual.span, into: &improved)
      if isProjected { Self.project(&improved, across: normal) }
      let now = VectorSums.dot(residual.span, improved.span)
      guard now > 0 else { return now == 0 ? .converged : .indefinite }
      let factor = now / before
      for i in 0..<n { direction[i] = improved[i] + factor * direction[i] }
      laplacian.multiply(direction.span, diagonal: diagonal, into: &product)
      let curvature = VectorSums.dot(direction.span, product.span)
      guard curvature > 0 else { return .indefinite }
      let step = now / curvature
      for i in 0..<n { solution[i] += step * direction[i] }
      for i in 0..<n { residual[i] -= step * product[i] }
      if isProjected { Self.project(&residual, across: normal) }
      guard VectorSums.norm(residual.span) > tolerance * start else { return .converged }
      before = now
    }
    return .unfinished
  }

  /// Subtracts the part along a vector.
  private static func project(_ x: inout MutableSpan<Double>, across normal: Span<Double>) {
    let factor = VectorSums.dot(x.span, normal) / VectorSums.dot(normal, normal)
    for i in 0..<x.count { x[i] -= factor * normal[i] }
  }
}
