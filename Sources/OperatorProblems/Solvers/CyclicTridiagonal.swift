internal import BlockKernels

/// Solves systems with A + diag(d), where A is the periodic second difference, in O(N).
///
/// Cholesky's factorization of a tridiagonal matrix with corners: below its diagonal the factor has one
/// subdiagonal and a last row.
struct CyclicTridiagonal {
  /// The number N of unknowns, at least 3.
  let order: Int
  /// The reciprocal pivots.
  private let pivots: AlignedBuffer<Double>
  /// The entries below the diagonal, over their pivots.
  private let lower: AlignedBuffer<Double>
  /// The last row, over its pivots.
  private let last: AlignedBuffer<Double>

  /// Allocates a factor.
  ///
  /// - Parameter order: The number of unknowns, at least 3.
  init(order: Int) {
    precondition(order >= 3, "a cyclic matrix of order \(order)")
    self.order = order
    pivots = AlignedBuffer(repeating: 0, count: order)
    lower = AlignedBuffer(repeating: 0, count: order)
    last = AlignedBuffer(repeating: 0, count: order)
  }

  /// Factors the matrix whose rows are (-s, 2s + d_i, -s).
  ///
  /// - Parameters:
  ///   - s: The stiffness.
  ///   - d: What is added to the diagonal.
  /// - Returns: Whether the matrix is positive definite; the factor is of no use otherwise.
  func factor(stiffness s: Double, diagonal d: Span<Double>) -> Bool {
    let n = order
    precondition(d.count == n, "\(d.count) diagonal entries of \(n)")
    var pivots = pivots.mutableSpan
    var lower = lower.mutableSpan
    var last = last.mutableSpan
    var corner = 2 * s + d[n - 1]
    var pivot = 2 * s + d[0]
    // The entry of the last row in the column that is eliminated next.
    var entry = -s
    for i in 0..<n - 1 {
      guard pivot > 0 else { return false }
      let reciprocal = 1 / pivot
      let below = i == n - 2 ? 0 : -s
      // The last row stands next to the last column: there both entries are one.
      if i == n - 2 { entry -= s }
      pivots[i] = reciprocal
      lower[i] = below * reciprocal
      last[i] = entry * reciprocal
      corner -= entry * entry * reciprocal
      entry = -entry * below * reciprocal
      if i < n - 2 { pivot = 2 * s + d[i + 1] - below * below * reciprocal }
    }
    guard corner > 0 else { return false }
    pivots[n - 1] = 1 / corner
    return true
  }

  /// Solves a system with the matrix that was factored last.
  ///
  /// - Parameters:
  ///   - rightHandSide: The right-hand side.
  ///   - solution: Becomes the solution.
  func solve(_ rightHandSide: Span<Double>, into solution: inout MutableSpan<Double>) {
    let n = order
    precondition(
      rightHandSide.count == n && solution.count == n,
      "\(rightHandSide.count) and \(solution.count) values for \(n) unknowns")
    let (pivots, lower, last) = (pivots.span, lower.span, last.span)
    var carried = 0.0
    var sum = rightHandSide[n - 1]
    for i in 0..<n - 1 {
      carried = i == 0 ? rightHandSide[0] : rightHandSide[i] - lower[i - 1] * carried
      solution[i] = carried * pivots[i]
      sum -= last[i] * carried
    }
    let end = sum * pivots[n - 1]
    solution[n - 1] = end
    var next = 0.0
    for i in (0..<n - 1).reversed() {
      next = solution[i] - last[i] * end - lower[i] * next
      solution[i] = next
    }
  }
}
