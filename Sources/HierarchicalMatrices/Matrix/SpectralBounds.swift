/// What a certificate says about singular values, and what a change of the matrix does to it.
///
/// Weyl's inequality |σ_i(H) − σ_i(A)| ≤ ‖A − H‖₂ and the triangle inequality give all of them; proofs and
/// counterexamples to looser forms stand in the module's article.
public enum SpectralBounds {
  /// Bounds the condition number of a matrix near A, (σ₁ + e)/(σ_min − e).
  ///
  /// - Parameters:
  ///   - largest: The largest singular value σ₁ of A.
  ///   - smallest: The smallest singular value σ_min of A.
  ///   - error: A bound e of ‖A − H‖₂, as the certificate is, or of a change of A.
  /// - Returns: The bound; nil if e ≥ σ_min, where the nearby matrix may be singular.
  /// - Precondition: The numbers are not negative.
  public static func conditionNumber(
    largest: Double, smallest: Double, error: Double
  ) -> Double? {
    precondition(
      largest >= smallest && smallest >= 0 && error >= 0,
      "singular values \(largest) and \(smallest), error \(error)")
    guard error < smallest else { return nil }
    return (largest + error) / (smallest - error)
  }

  /// Bounds the growth of the condition number κ = σ₁/σ_min, κ (e/σ₁ + e/σ_min)/(1 − e/σ_min).
  ///
  /// - Parameters:
  ///   - largest: The largest singular value σ₁ of A.
  ///   - smallest: The smallest singular value σ_min of A.
  ///   - error: A bound e of ‖A − H‖₂.
  /// - Returns: The bound of κ(H) − κ(A); nil if e ≥ σ_min.
  /// - Precondition: The numbers are not negative.
  public static func conditionNumberGrowth(
    largest: Double, smallest: Double, error: Double
  ) -> Double? {
    precondition(
      largest >= smallest && smallest >= 0 && error >= 0,
      "singular values \(largest) and \(smallest), error \(error)")
    guard error < smallest else { return nil }
    return largest / smallest * (error / largest + error / smallest) / (1 - error / smallest)
  }

  /// Bounds ‖A′ − H′‖_F for a matrix A′ that differs from A by at most δ.
  ///
  /// H kept as it is has certificate + δ. An H changed like A and truncated again has that of its steps; against the old
  /// A it has certificate + δ + the error of the truncation. An H built anew from A′ has its own certificate, whatever δ.
  ///
  /// - Parameters:
  ///   - certificate: The certificate of H.
  ///   - change: A bound δ of ‖A′ − A‖_F.
  ///   - truncation: The error of a truncation since.
  /// - Returns: The bound.
  public static func error(
    certificate: Double, change: Double, truncation: Double = 0
  ) -> Double { certificate + change + truncation }
}
