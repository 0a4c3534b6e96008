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

  /// Returns the inverses of both triangles, with all of their blocks.
  ///
  /// - Returns: W = L⁻¹, and beside it the inverse of Uᵀ.
  /// - Throws: `LAPACKError` if a diagonal block is singular.
  func inverse() throws(LAPACKError) -> ExactFactor {
    var result = self
    result.lower = try lower.inverse()
    result.upper = try upper?.inverse()
    return result
  }
}
