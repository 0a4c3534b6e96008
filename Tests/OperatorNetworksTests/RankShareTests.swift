import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

@testable import NetworkExecution

@Suite("RankShare")
struct RankShareTests {
  private static let ranks = [1, 2, 3, 5, 7, 40]

  private func shares(_ network: Network, ranks: Int, _ bound: Int) -> [RankShare] {
    let partition = TreePartition(network, ranks: ranks, replicatedBoxes: bound)
    let plan = CommunicationPlan(network, partition)
    return (0..<ranks).map { RankShare(network, partition, plan, rank: $0) }
  }

  @Test("every parameter is held once, or by all", arguments: NetworkCase.all, ranks)
  func parameters(networkCase: NetworkCase, ranks: Int) throws {
    let network = try networkCase.network()
    for bound in [0, 9] {
      let shares = shares(network, ranks: ranks, bound)
      var holders = [Int](repeating: 0, count: network.activeParameterCount)
      var isReplicated = [Bool](repeating: false, count: holders.count)
      for share in shares {
        #expect(share.rankCount == ranks)
        var next = 0
        for (item, own) in zip(network.layers, share.parameters) {
          // Layer by layer, weights before biases, without gaps.
          #expect(own.local.lowerBound == next && own.start == next)
          #expect(own.local.count == own.weights.count + own.biases.count)
          next = own.local.upperBound
          #expect(network.slice(of: item).weights.lowerBound <= own.weights.lowerBound)
          #expect(own.weights.upperBound <= network.slice(of: item).weights.upperBound)
          #expect(network.slice(of: item).biases.lowerBound <= own.biases.lowerBound)
          #expect(own.biases.upperBound <= network.slice(of: item).biases.upperBound)
          for place in Array(own.weights) + Array(own.biases) {
            holders[place] += 1
            isReplicated[place] = own.isReplicated
          }
        }
        #expect(share.parameterCount == next)
      }
      #expect(holders.indices.allSatisfy { holders[$0] == (isReplicated[$0] ? ranks : 1) })
      // With own weights and no replicated values nothing is held twice.
      if bound == 0, network.layers.allSatisfy({ $0.layer.rowsOwnWeights }) {
        #expect(holders.allSatisfy { $0 == 1 })
      }
    }
  }

  @Test("every box is computed once, or by all", arguments: NetworkCase.all, ranks)
  func boxes(networkCase: NetworkCase, ranks: Int) throws {
    let network = try networkCase.network()
    for bound in [0, 9] {
      let shares = shares(network, ranks: ranks, bound)
      for (value, item) in network.values.enumerated() {
        let computed = shares.flatMap { Array($0.computed[value]) }
        let all = Array(0..<item.layout.boxCount)
        let isReplicated = computed.count > all.count
        let copies = isReplicated ? ranks : 1
        #expect(computed == (0..<copies).flatMap { _ in all }, "\(item.name)")
        if value == 0 || value == network.output {
          #expect(!isReplicated)
          for share in shares {
            let listed = value == 0 ? share.inputBoxes : share.outputBoxes
            #expect(listed.flatMap { Array($0) } == all)
            #expect(listed[share.rank] == share.computed[value])
          }
        }
      }
    }
  }

  @Test(
    "a rank holds what its rows read and its sources receive", arguments: NetworkCase.all, ranks)
  func held(networkCase: NetworkCase, ranks: Int) throws {
    let network = try networkCase.network()
    for bound in [0, 9] {
      for share in shares(network, ranks: ranks, bound) {
        let values = share.values.map { Set($0.list) }
        let gradients = share.gradients.map { Set($0.list) }
        for (value, boxes) in share.computed.enumerated() {
          #expect(values[value].isSuperset(of: boxes), "\(network.values[value].name)")
          checkPlaces(share.values[value], network.values[value].layout)
          checkPlaces(share.gradients[value], network.values[value].layout)
        }
        for item in network.layers {
          let (pattern, name) = (item.layer.pattern, item.layer.name)
          let (rows, sources) = (share.computed[item.target], share.computed[item.source])
          for row in 0..<pattern.targetCount {
            for entry in pattern.entries(of: row) {
              let box = Int(pattern.sources[entry])
              if rows.contains(row) { #expect(values[item.source].contains(box), "\(name)") }
              if item.source != 0 && sources.contains(box) {
                #expect(gradients[item.target].contains(row), "\(name)")
              }
            }
          }
          #expect(gradients[item.target].isSuperset(of: rows), "\(name)")
          if let addend = item.addend { #expect(values[addend].isSuperset(of: rows), "\(name)") }
        }
      }
    }
  }

  /// Held boxes stand in their order without gaps.
  private func checkPlaces(_ held: HeldBoxes, _ layout: BoxLayout) {
    #expect(held.list == held.list.sorted() && Set(held.list).count == held.list.count)
    var next = 0
    for box in held.list {
      #expect(held.start(of: box) == next)
      next += layout.channels(of: box)
    }
    #expect(held.channelCount == next)
  }

  @Test("rows are placed among the parameters of their rank", arguments: [1, 2, 3, 5, 7])
  func placements(ranks: Int) throws {
    for networkCase in NetworkCase.all {
      let network = try networkCase.network()
      for share in shares(network, ranks: ranks, 9) {
        for (index, item) in network.layers.enumerated() {
          let (placement, own) = (share.layers[index], share.parameters[index])
          #expect(placement.rows == share.computed[item.target])
          #expect(placement.rows == placement.rankRows[placement.rank])
          #expect(placement.sources == share.computed[item.source])
          #expect(placement.parameterStart == own.start)
          let (weights, biases) = (
            item.layer.weights(of: placement.rows), item.layer.biases(of: placement.rows)
          )
          #expect(
            own.weights.lowerBound == network.slice(of: item).weights.lowerBound
              + weights.lowerBound)
          #expect(own.weights.count == weights.count && own.biases.count == biases.count)
          #expect(
            own.biases.lowerBound == network.slice(of: item).biases.lowerBound + biases.lowerBound)
        }
      }
    }
  }
}
