import Testing

@testable import Training

@Suite("DataExchange")
struct DataExchangeTests {
  @Test("one group sends nothing")
  func alone() {
    let exchange = DataExchange(shards: 5, parameters: 100, group: 0, groups: 1)
    #expect(exchange.shards == 5 && exchange.messages == 0 && exchange.count == 0)
  }

  @Test("two groups with whole subtrees send one gradient and one range each")
  func two() {
    for group in 0..<2 {
      let exchange = DataExchange(shards: 4, parameters: 100, group: group, groups: 2)
      #expect(exchange.shards == 2 && exchange.messages == 2 && exchange.count == 50 + 50)
    }
  }

  @Test("what is sent is what the reduction and the gathering move", arguments: [2, 3, 5, 7])
  func sums(groups: Int) {
    let (shards, parameters) = (6, 101)
    let tree = ShardTree(shardCount: shards)
    let exchanges = (0..<groups).map {
      DataExchange(shards: shards, parameters: parameters, group: $0, groups: groups)
    }
    #expect(exchanges.reduce(0) { $0 + $1.shards } == shards)
    // Each subtree goes whole to the owners, but for the part that its own group owns.
    let moved = (0..<groups).reduce(0) { sum, group in
      let own = evenPiece(of: shards, pieces: groups, piece: group)
      let kept = evenPiece(of: parameters, pieces: groups, piece: group).count
      return sum + tree.maximalNodes(inside: own).count * (parameters - kept)
    }
    #expect(exchanges.reduce(0) { $0 + $1.count } == moved + parameters * (groups - 1))
  }
}
