public import BlockKernels
public import MessagePassing
public import OperatorNetworks

/// Dot products over the parameters of a network, with bits that do not depend on the process grid.
///
/// For methods of second order: conjugate gradients, L-BFGS, norms of gradients. Every parameter counts once, wherever
/// it is held.
public struct ParameterProduct: Sendable {
  /// The places that it counts, from the first parameter that the data group owns.
  private let counted: [Range<Int>]
  /// The number of parameters of the network.
  private let count: Int

  /// Plans the products of a rank.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - share: What the rank holds of it.
  ///   - owned: The places among the rank's parameters that its data group owns.
  public init(_ network: Network, _ share: RankShare, owned: Range<Int>) {
    count = network.activeParameterCount
    counted = share.parameters.compactMap { own in
      // Of what every rank holds, the first one counts all.
      guard !own.isReplicated || share.rank == 0 else { return nil }
      let range = own.local.clamped(to: owned)
      return range.isEmpty
        ? nil : range.lowerBound - owned.lowerBound..<range.upperBound - owned.lowerBound
    }
  }

  /// Computes Σ aᵢ bᵢ over all parameters.
  ///
  /// Products are formed in double precision; their sum is that of `ReproducibleSum`.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - a: One number for each parameter that the data group owns.
  ///   - b: The same.
  ///   - world: All ranks of the process grid.
  /// - Returns: The product, the same on all ranks; NaN if a product is not finite.
  /// - Throws: `MPIError` if an exchange fails.
  public func dot<Scalar: KernelScalar>(
    _ a: Span<Scalar>, _ b: Span<Scalar>, on world: borrowing Communicator
  ) throws(MPIError) -> Double {
    var largest = 0.0
    for range in counted {
      let own = ReproducibleSum.largest(a.extracting(range), times: b.extracting(range))
      largest = max(largest, own)
    }
    // Bits of numbers that are not negative are ordered like the numbers.
    let bits = try world.allReduce(.max, Int(bitPattern: UInt(largest.bitPattern)))
    largest = Double(bitPattern: UInt64(UInt(bitPattern: bits)))
    guard largest.isFinite else { return .nan }
    let sum = ReproducibleSum(largest: largest, count: count)
    var folds = [Int](repeating: 0, count: ReproducibleSum.foldCount)
    for range in counted { sum.add(a.extracting(range), times: b.extracting(range), to: &folds) }
    var span = folds.mutableSpan
    try world.allReduce(.sum, &span)
    return sum.value(folds)
  }
}
