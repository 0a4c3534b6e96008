import BlockKernels
import BlockSparse
import ClusterTrees
import MessagePassing
import OperatorNetworks
import TestSupport
import Testing

@testable import NetworkExecution

@Suite("ArrayPieces")
struct ArrayPiecesTests {
  private static let networks = ["own", "offset", "mix", "dense"]

  private static func network(_ name: String) throws -> Network {
    var options = NetworkOptions()
    (options.model, options.channels) = (name == "dense" ? .dense : .mnnH2, 3)
    options.sharing = NetworkSharing(rawValue: name) ?? .own
    return try Network.build(options, sources: .grid([80]))
  }

  @Test(
    "the parts of all ranks tile each dataset", arguments: networks, [1, 2, 3, 5, 7, 40])
  func tiles(name: String, ranks: Int) throws {
    let network = try Self.network(name)
    for bound in [0, 9] {
      let shares = try shares(network, ranks: ranks, replicatedBoxes: bound)
      let all = shares.map { ArrayPieces(network, $0) }
      var start = 0
      for index in all[0].pieces.indices {
        let pieces = all.map { $0.pieces[index] }
        let (layer, isBias) = (network.layers[index / 2], index % 2 == 1)
        let range = isBias ? layer.biases : layer.weights
        let expected = "\(layer.layer.name)/\(isBias ? "biases" : "weights")"
        #expect(pieces.allSatisfy { $0.name == expected && $0.count == range.count })
        // All ranks agree on who contributes what.
        #expect(pieces.allSatisfy { $0.owned == pieces[0].owned && $0.owned.count == ranks })
        #expect(pieces[0].owned.flatMap { Array($0) } == Array(0..<range.count), "\(expected)")
        for (rank, piece) in pieces.enumerated() {
          let (rows, local) = all[rank].contributed(piece)
          #expect(rows.isEmpty ? piece.owned[rank].isEmpty : rows == piece.owned[rank])
          #expect(rows.count == local.count && piece.rows.count == piece.local.count)
          // What is contributed is held, and stands where it is held.
          let places = places(shares[rank])
          #expect(local.map { places[$0] } == rows.map { range.lowerBound + $0 })
          #expect(piece.local.map { places[$0] } == piece.rows.map { range.lowerBound + $0 })
        }
        #expect(range.lowerBound == start)
        start = range.upperBound
      }
      #expect(start == network.activeParameterCount && all[0].pieces.count % 2 == 0)
    }
  }

  /// The places of a rank's parameters among those of the network.
  private func places(_ share: RankShare) -> [Int] {
    share.parameters.flatMap { Array($0.weights) + Array($0.biases) }
  }

  /// In a process of its own, which can initialize MPI.
  @Test("digests of one rank are those of the whole arrays")
  func digests() async {
    await #expect(processExitsWith: .success) {
      let network = try Self.network("mix")
      let pieces = ArrayPieces(network, RankShare(whole: network))
      let values = AlignedBuffer<Float>(repeating: 0, count: network.activeParameterCount)
      for place in 0..<values.count { values[place] = Float(place) }
      try MPIEnvironment.run { world in
        let found = try pieces.digests(values, on: world)
        let expected = pieces.pieces.map { Digest.of(values.span.extracting($0.local)) }
        try #require(found == expected && Set(found).count == found.count)
        try #require(try pieces.digest(of: values, on: world) == Digest.of(values.span))
      }
    }
  }
}
