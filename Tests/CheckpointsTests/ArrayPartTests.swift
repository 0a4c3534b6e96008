import BlockKernels
import BlockSparse
import ClusterTrees
import MessagePassing
import NetworkExecution
import OperatorNetworks
import TestSupport
import Testing

@testable import Checkpoints

@Suite("ArrayPart")
struct ArrayPartTests {
  private static let networks =
    ["own", "offset", "mix", "dense"] + ["slices up and down", "slices by offset"]

  private static func network(_ name: String) throws -> Network {
    if let network = SliceNetworks.build(name) { return network }
    var options = NetworkOptions()
    (options.model, options.channels) = (name == "dense" ? .dense : .mnnH2, 3)
    options.sharing = NetworkSharing(rawValue: name) ?? .own
    return try Network.build(options, sources: .grid([80]))
  }

  private static func shares(_ network: Network, ranks: Int, replicated: Int) -> [RankShare] {
    let partition = TreePartition(network, ranks: ranks, replicatedBoxes: replicated)
    let plan = CommunicationPlan(network, partition)
    return (0..<ranks).map { RankShare(network, partition, plan, rank: $0) }
  }

  @Test(
    "the counted elements of all ranks and groups tile each array", arguments: networks,
    [1, 2, 3, 5, 7, 40])
  func tiles(name: String, ranks: Int) throws {
    let network = try Self.network(name)
    for replicated in [0, 9] {
      for groups in [1, 2, 3] {
        let shares = Self.shares(network, ranks: ranks, replicated: replicated)
        // What each rank of each group keeps, in a buffer of its own, and of which parameters.
        let all = shares.flatMap { share in
          (0..<groups).map { group in
            let range = evenPiece(of: share.parameterCount, pieces: groups, piece: group)
            let parts = ArrayPart.parameters(network, share)
            let places = share.parameters.flatMap { Array($0.weights) + Array($0.biases) }
            return (parts.map { $0.within(range) }, parts.map { $0.counting(range) }, places, range)
          }
        }
        for (index, array) in ArrayPart.parameters(network, shares[0]).enumerated() {
          let slice = network.slices[index / 2]
          let elements = index % 2 == 1 ? slice.biases : slice.weights
          #expect(array.name == "\(slice.name)/\(index % 2 == 1 ? "biases" : "weights")")
          var (kept, counted): ([Int], [Int]) = ([], [])
          for (within, counting, places, range) in all {
            let (part, whole) = (within[index], counting[index])
            #expect(part.count == elements.count && whole.count == elements.count)
            #expect(Array(part.counted) == Array(whole.counted))
            // What is held stands where the rank holds it.
            #expect(whole.places.map { places[$0] } == whole.rows.map { elements.lowerBound + $0 })
            #expect(
              part.places.map { places[range.lowerBound + $0] }
                == part.rows.map { elements.lowerBound + $0 })
            #expect(
              part.countedPlaces.map { places[range.lowerBound + $0] }
                == part.counted.map { elements.lowerBound + $0 })
            #expect(part.places.isEmpty || part.places.upperBound <= range.count)
            kept += part.counted
            counted += whole.counted
          }
          #expect(kept.sorted() == Array(0..<elements.count), "\(array.name), \(groups) groups")
          #expect(counted.sorted() == kept.sorted())
        }
      }
    }
  }

  /// In a process of its own, which can initialize MPI.
  @Test("the digest of all parameters is that of the whole array, however it is cut")
  func digests() async {
    await #expect(processExitsWith: .success) {
      let network = try Self.network("mix")
      let count = network.activeParameterCount
      let whole = AlignedBuffer<Float>(repeating: 0, count: count)
      for place in 0..<count { whole[place] = Float(place) }
      let expected = Digest.of(whole.span)
      try MPIEnvironment.run { world in
        let parts = ArrayPart.parameters(network, RankShare(whole: network))
        try #require(try Digest.of(whole.span, parts, on: world) == expected)
      }
      var total: UInt64 = 0
      for share in Self.shares(network, ranks: 3, replicated: 9) {
        let values = AlignedBuffer<Float>(repeating: 0, count: share.parameterCount)
        let places = share.parameters.flatMap { Array($0.weights) + Array($0.biases) }
        for (local, place) in places.enumerated() { values[local] = Float(place) }
        total &+= Digest.sum(values.span, ArrayPart.parameters(network, share))
      }
      try #require(Digest.text(of: total) == expected)
    }
  }
}
