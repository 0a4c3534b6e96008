/// Where the training of factors starts.
public enum StartKind: String, CaseIterable, Sendable, Codable {
  /// The best of the classical starts, by the iterations that they need.
  case classical
  /// The truncation of the exact factor.
  case plain
  /// The truncation of L_ii⁻¹ L_ij, the blocks of a row seen by its diagonal block.
  case scaled
  /// The truncation of the inverse of the exact factor.
  case inverse
  /// The diagonal blocks of A, random bases, and small random blocks between them.
  case random

  /// The starts that are tried.
  var candidates: [StartKind] {
    self == .classical ? [.plain, .scaled, .inverse] : [self]
  }
}
