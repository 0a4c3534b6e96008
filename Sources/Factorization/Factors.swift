public import OperatorNetworks

/// A product L U of triangular factors on one parameter store.
///
/// Of a symmetric positive definite matrix U is Lᵀ: then both use the same parameters. Else Uᵀ is a second lower triangular
/// factor, whose slices have `upper.` before their names, and the diagonal blocks of L are identities that training leaves
/// as they are.
public struct Factors: Sendable {
  /// The structure of L and of Uᵀ.
  public let structure: FactorStructure
  /// L.
  public let lower: FactorBlocks
  /// Uᵀ; L itself if the product is symmetric.
  public let upper: FactorBlocks
  /// Whether U is Lᵀ.
  public let isSymmetric: Bool

  /// Builds the networks of the factors.
  ///
  /// - Parameters:
  ///   - structure: The structure of L and of Uᵀ.
  ///   - isSymmetric: Whether U is Lᵀ.
  public init(_ structure: FactorStructure, isSymmetric: Bool) {
    self.structure = structure
    self.isSymmetric = isSymmetric
    lower = FactorBlocks(FactorNetworks(structure))
    upper =
      isSymmetric
      ? lower
      : FactorBlocks(
        FactorNetworks(structure, named: "upper.", sharing: lower.networks.forward))
  }

  /// The number of parameters of both factors.
  public var parameterCount: Int { upper.networks.forward.activeParameterCount }
}
