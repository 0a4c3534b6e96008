import BlockSparse
import Testing

@testable import MessagePassing
@testable import Training

@Suite("DataExchange")
struct DataExchangeTests {
  @Test("one group sends nothing")
  func alone() {
    let exchange = DataExchange(shards: 5, parameters: 100, group: 0, groups: 1)
    #expect(exchange.shards == 5 && exchange.messages == 0 && exchange.collectives == 0)
    #expect(exchange.messageCount == 0 && exchange.collectiveCount == 0)
  }

  @Test("two groups with whole subtrees give half a gradient and one range each")
  func two() {
    for group in 0..<2 {
      let exchange = DataExchange(shards: 4, parameters: 100, group: group, groups: 2)
      #expect(exchange.shards == 2 && exchange.messages == 1 && exchange.messageCount == 50)
      #expect(exchange.collectives == 1 && exchange.collectiveCount == 50)
    }
    // Four chunks, the first two of which belong to the first group.
    let parameters = 4 * DataChunks.leastCount
    let exchange = DataExchange(shards: 4, parameters: parameters, group: 0, groups: 2)
    #expect(exchange.messages == 2 && exchange.messageCount == parameters / 2)
  }

  @Test(
    "what is given is what the reduction and the gathering take", arguments: [2, 3, 5, 7],
    [101, 70_001, 1_000_003])
  func sums(groups: Int, parameters: Int) {
    let shards = 6
    let tree = SummationTree(count: shards)
    let exchanges = (0..<groups).map {
      DataExchange(shards: shards, parameters: parameters, group: $0, groups: groups)
    }
    #expect(exchanges.reduce(0) { $0 + $1.shards } == shards)
    // Each subtree goes whole to the owners but itself; then each parameter is given once.
    for (group, exchange) in exchanges.enumerated() {
      let own = evenPiece(of: shards, pieces: groups, piece: group)
      let owned = evenPiece(of: parameters, pieces: groups, piece: group).count
      let subtrees = tree.maximalNodes(inside: own).count
      #expect(exchange.messageCount == subtrees * (parameters - owned))
      #expect((exchange.messages == 0) == (subtrees == 0))
    }
    #expect(exchanges.reduce(0) { $0 + $1.collectiveCount } == parameters)
  }

  @Test("chunks cut the parameters", arguments: [0, 1, 16_383, 40_000, 1_000_003], [2, 3, 7])
  func chunks(parameters: Int, groups: Int) {
    let chunks = DataChunks(parameters: parameters, groups: groups)
    #expect(chunks.ranges.count <= DataChunks.mostChunks)
    #expect(chunks.ranges.reduce(0) { $0 + $1.count } == parameters)
    let parts = chunks.ranges.flatMap { chunk in
      (0..<groups).flatMap { Array(chunks.part(of: chunk, for: $0)) }
    }
    #expect(parts == Array(0..<parameters))
    for group in 0..<groups {
      let own = chunks.ranges.reduce(0) { $0 + chunks.part(of: $1, for: group).count }
      #expect(own == evenPiece(of: parameters, pieces: groups, piece: group).count)
    }
  }
}
