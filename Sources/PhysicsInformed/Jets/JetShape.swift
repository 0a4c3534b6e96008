/// The columns of a shard: the value at each point, and its derivatives with respect to the coordinates.
///
/// A channel has the columns [u | ∂₁u | … | ∂_d u | L u], each with all samples, where L = Σ wᵢ ∂ᵢᵢ; or the values alone.
public struct JetShape: Sendable, Equatable {
  /// The number of coordinates, d.
  public let dimension: Int
  /// wᵢ for each coordinate.
  public let secondWeights: [Double]
  /// The samples of a shard, a multiple of 16.
  public let samples: Int
  /// Whether there are derivatives.
  public let hasDerivatives: Bool

  /// Creates a shape.
  ///
  /// - Parameters:
  ///   - secondWeights: wᵢ for each coordinate.
  ///   - samples: The samples of a shard.
  ///   - hasDerivatives: Whether there are derivatives.
  /// - Precondition: There are one to three coordinates, and samples are a multiple of 16.
  public init(secondWeights: [Double], samples: Int, hasDerivatives: Bool = true) {
    precondition(
      (1...3).contains(secondWeights.count) && samples > 0 && samples.isMultiple(of: 16),
      "\(secondWeights.count) coordinates, \(samples) samples")
    dimension = secondWeights.count
    self.secondWeights = secondWeights
    self.samples = samples
    self.hasDerivatives = hasDerivatives
  }

  /// The columns of a point, C: 1 or d + 2.
  public var columns: Int { hasDerivatives ? dimension + 2 : 1 }
  /// The columns of a shard, C times samples.
  public var width: Int { columns * samples }
}
