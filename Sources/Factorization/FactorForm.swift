/// What the parameters of factors stand for.
public enum FactorForm: String, CaseIterable, Sendable, Codable {
  /// Those of L and U with A ≈ L U.
  case product
  /// Those of W_L ≈ L⁻¹ and W_U ≈ U⁻¹, so that W_L A W_U ≈ I.
  case inverse
}
