/// What the parameters of factors stand for.
public enum FactorForm: String, CaseIterable, Sendable, Codable {
  /// The factors themselves: A ≈ L U. Solving substitutes, or multiplies by the inverses of weak factors.
  case product
  /// Their inverses: A⁻¹ ≈ W_U W_L with W_L ≈ L⁻¹ and W_U ≈ U⁻¹. Solving multiplies.
  case inverse
}
