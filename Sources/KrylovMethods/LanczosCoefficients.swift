internal import BlockKernels

/// The coefficients of conjugate gradients, which are those of the Lanczos process for M⁻¹A.
///
/// With steps α and turns β the tridiagonal matrix of the process has the diagonal 1/αⱼ + βⱼ₋₁/αⱼ₋₁ and beside it
/// √βⱼ/αⱼ (Saad, "Iterative methods for sparse linear systems", 2003, section 6.7.3). Its eigenvalues lie within those
/// of M⁻¹A, and the extreme ones approach the extreme ones first.
struct LanczosCoefficients {
  private var steps: [Double] = []
  private var turns: [Double] = []

  /// Reserves memory for a number of iterations.
  init(capacity: Int) {
    steps.reserveCapacity(capacity)
    turns.reserveCapacity(capacity)
  }

  /// Appends an α.
  mutating func appendStep(_ step: Double) { steps.append(step) }

  /// Appends the β after the last α.
  mutating func appendTurn(_ turn: Double) { turns.append(turn) }

  /// Computes the extreme eigenvalues of the tridiagonal matrix.
  ///
  /// - Returns: The eigenvalues, nil before the first iteration and where an element is not finite.
  /// - Throws: `LAPACKError` if the eigenvalues do not converge.
  func eigenvalues() throws(LAPACKError) -> EigenvalueRange? {
    guard !steps.isEmpty else { return nil }
    var diagonal = steps.map { 1 / $0 }
    var beside: [Double] = []
    for j in 1..<max(steps.count, 1) {
      diagonal[j] += turns[j - 1] / steps[j - 1]
      beside.append(turns[j - 1].squareRoot() / steps[j - 1])
    }
    guard (diagonal + beside).allSatisfy(\.isFinite) else { return nil }
    var span = diagonal.mutableSpan
    var besideSpan = beside.mutableSpan
    try LAPACK.tridiagonalEigenvalues(diagonal: &span, offDiagonal: &besideSpan)
    return EigenvalueRange(smallest: diagonal[0], largest: diagonal[diagonal.count - 1])
  }
}
