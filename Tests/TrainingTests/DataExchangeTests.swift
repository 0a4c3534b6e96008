import BlockSparse
import Testing

@testable import Training

@Suite("DataExchange")
struct DataExchangeTests {
  @Test("one group sends nothing")
  func alone() {
    let exchange = DataExchange(shards: 5, parameters: 100, group: 0, groups: 1)
    #expect(exchange.shards == 5 && exchange.collectives == 0 && exchange.count == 0)
  }

  @Test("two groups with whole subtrees give one gradient and one range each")
  func two() {
    for group in 0..<2 {
      let exchange = DataExchange(shards: 4, parameters: 100, group: group, groups: 2)
      #expect(exchange.shards == 2 && exchange.collectives == 2 && exchange.count == 100 + 50)
    }
  }

  @Test("what is given is what the reduction and the gathering take", arguments: [2, 3, 5, 7])
  func sums(groups: Int) {
    let (shards, parameters) = (6, 101)
    let tree = SummationTree(count: shards)
    let exchanges = (0..<groups).map {
      DataExchange(shards: shards, parameters: parameters, group: $0, groups: groups)
    }
    #expect(exchanges.reduce(0) { $0 + $1.shards } == shards)
    // Each subtree goes whole to the owners; then each parameter is given once.
    let given = (0..<groups).reduce(0) { sum, group in
      let own = evenPiece(of: shards, pieces: groups, piece: group)
      return sum + tree.maximalNodes(inside: own).count * parameters
    }
    #expect(exchanges.reduce(0) { $0 + $1.count } == given + parameters)
  }
}
