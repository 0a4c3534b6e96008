public import BlockKernels
import BlockSparse
public import OperatorNetworks

extension Initializer {
  /// Draws the parameters of a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - seed: The seed.
  ///   - parameters: The parameters, replaced.
  public func draw<Scalar: KernelScalar>(
    _ network: Network, seed: Int64, into parameters: AlignedBuffer<Scalar>
  ) {
    draw(network, RankShare(whole: network), seed: seed, into: parameters)
  }

  /// Draws the parameters that a rank holds of a network.
  ///
  /// A parameter is a function of the seed, its slice and its group.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - share: What the rank holds.
  ///   - seed: The seed.
  ///   - parameters: The parameters of the rank, replaced.
  public func draw<Scalar: KernelScalar>(
    _ network: Network, _ share: RankShare, seed: Int64, into parameters: AlignedBuffer<Scalar>
  ) {
    parameters.fill(0)
    for (index, slice) in network.slices.enumerated() {
      let (shape, own) = (slice.shape, share.parameters[index])
      let readsPoints = network.layers.contains {
        $0.weights == SliceUse(index) && $0.source == 0
      }
      let fans = Fans(shape, readsPoints: readsPoints)
      let groups = shape.rowsOwnWeights ? own.rows : shape.groupInputs.indices
      let shift = own.start - (own.weights.lowerBound - slice.weights.lowerBound)
      for group in groups {
        var stream = RandomStream(
          seed: seed, purpose: 0x494E_4954, index: UInt64(index) << 40 | UInt64(group))
        let fan = self == .keras ? fans.keras(group) : fans.sum(group)
        for place in shape.weightStarts[group]..<shape.weightStarts[group + 1] {
          let value: Double
          switch self {
          case .glorot, .keras: value = (6 / fan).squareRoot() * (2 * stream.uniform() - 1)
          case .normal: value = (2 / fan).squareRoot() * stream.normal()
          }
          parameters[shift + place] = Scalar(value)
        }
      }
    }
  }
}
