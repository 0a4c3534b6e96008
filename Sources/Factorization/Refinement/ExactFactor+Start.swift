package import BlockKernels

extension ExactFactor {
  /// Sets the parameters of factors by truncation.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - isScaled: Whether bases of rows are sought for L_ii⁻¹ L_ij instead of L_ij.
  ///   - parameters: Their parameters, replaced.
  /// - Throws: `LAPACKError` if singular values do not converge.
  package func truncate(
    to factors: Factors, isScaled: Bool, into parameters: AlignedBuffer<Double>
  ) throws(LAPACKError) {
    try ClassicalStart.truncate(lower, factors.lower, isScaled: isScaled, into: parameters)
    guard let upper else { return }
    try ClassicalStart.truncate(upper, factors.upper, isScaled: isScaled, into: parameters)
  }
}
