package import BlockKernels
import BlockSparse
package import MessagePassing
package import OperatorNetworks

/// An array with one number for each parameter, spread over tree ranks: where this rank's pieces stand, and
/// how digests of the whole array are formed without bringing it together.
package struct ArrayPieces {
  /// A dataset of a checkpoint, and this rank's piece of it.
  package struct Piece {
    /// The layer's name and what it is of: `near.1/weights`.
    package let name: String
    /// The number of its elements.
    package let count: Int
    /// The elements that this rank holds.
    package let rows: Range<Int>
    /// Where they stand among the rank's parameters.
    package let local: Range<Int>
    /// For each rank: the elements that it contributes.
    package let owned: [Range<Int>]
  }

  /// Apart from the tags of the exchanges in a step.
  private static let tag = 3 << 12

  package let pieces: [Piece]
  private let rank: Int

  /// Finds the pieces of a rank.
  package init(_ network: Network, _ share: RankShare) {
    rank = share.rank
    pieces = network.layers.enumerated().flatMap { index, item in
      let (own, placement) = (share.parameters[index], share.layers[index])
      func piece(
        _ name: String, _ all: Range<Int>, _ held: Range<Int>, at start: Int,
        _ part: (Range<Int>) -> Range<Int>
      ) -> Piece {
        // Of what every rank holds, the first one contributes all.
        let owned = (0..<share.rankCount).map { other in
          own.isReplicated
            ? 0..<(other == 0 ? all.count : 0) : part(placement.rankRows[other])
        }
        return Piece(
          name: "\(item.layer.name)/\(name)", count: all.count,
          rows: held.lowerBound - all.lowerBound..<held.upperBound - all.lowerBound,
          local: start..<start + held.count, owned: owned)
      }
      return [
        piece("weights", item.weights, own.weights, at: own.start) { item.layer.weights(of: $0) },
        piece("biases", item.biases, own.biases, at: own.start + own.weights.count) {
          item.layer.biases(of: $0)
        },
      ]
    }
  }

  /// The elements of a piece that this rank contributes, and where they stand among its parameters.
  package func contributed(_ piece: Piece) -> (rows: Range<Int>, local: Range<Int>) {
    let rows = piece.owned[rank]
    guard !rows.isEmpty else { return (0..<0, 0..<0) }
    let start = piece.local.lowerBound + rows.lowerBound - piece.rows.lowerBound
    return (rows, start..<start + rows.count)
  }

  /// Computes the digests of all pieces.
  ///
  /// Collective. The state of a digest goes from rank to rank in the order of the elements.
  ///
  /// - Parameters:
  ///   - values: The numbers of this rank.
  ///   - tree: The tree ranks.
  /// - Returns: The digest of each piece.
  /// - Throws: `MPIError` if a message fails.
  package func digests<Scalar: KernelScalar>(
    _ values: AlignedBuffer<Scalar>, on tree: borrowing Communicator
  ) throws(MPIError) -> [String] {
    var states = [UInt64](repeating: 0, count: pieces.count)
    for (index, piece) in pieces.enumerated() {
      if let state = try digest(Digest.start, [piece], values, on: tree) { states[index] = state }
    }
    // Each state is known to one rank, and zero on the others.
    var span = states.mutableSpan
    try tree.allReduce(.sum, &span)
    return states.map { Digest.text(of: $0) }
  }

  /// Computes the digest of the whole array in canonical order.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - values: The numbers of this rank.
  ///   - tree: The tree ranks.
  /// - Returns: The digest.
  /// - Throws: `MPIError` if a message fails.
  package func digest<Scalar: KernelScalar>(
    of values: AlignedBuffer<Scalar>, on tree: borrowing Communicator
  ) throws(MPIError) -> String {
    let state = try digest(Digest.start, pieces, values, on: tree) ?? 0
    return Digest.text(of: try tree.allReduce(.sum, state))
  }

  /// Passes a state along the parts of pieces; the rank that holds the last part gets the result.
  private func digest<Scalar: KernelScalar>(
    _ start: UInt64, _ pieces: [Piece], _ values: AlignedBuffer<Scalar>,
    on tree: borrowing Communicator
  ) throws(MPIError) -> UInt64? {
    var state = start
    var holder: Int?
    let span = values.span
    for piece in pieces {
      for owner in 0..<tree.size where !piece.owned[owner].isEmpty {
        if let holder, holder != owner {
          if holder == rank { try tree.send([state].span, to: owner, tag: Self.tag) }
          if owner == rank {
            var received = [UInt64(0)]
            var buffer = received.mutableSpan
            try tree.receive(into: &buffer, from: holder, tag: Self.tag)
            state = received[0]
          }
        }
        holder = owner
        if owner == rank {
          state = Digest.extend(state, with: span.extracting(contributed(piece).local))
        }
      }
    }
    return (holder ?? 0) == rank ? state : nil
  }
}
