import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

@testable import NetworkExecution

/// Networks to spread, by name.
private struct Spread: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let points: PointSet
  let options: NetworkOptions

  func network() throws -> Network { try Network.build(options, sources: points) }

  static let all: [Spread] = {
    func options(_ change: (inout NetworkOptions) -> Void) -> NetworkOptions {
      var options = NetworkOptions()
      options.channels = 3
      change(&options)
      return options
    }
    let cloud = (0..<90).map { index -> Double in
      var stream = RandomStream(seed: 7, purpose: 2, index: UInt64(index))
      return stream.uniform()
    }
    return [
      Spread(testDescription: "h2nn", points: .grid([160]), options: options { _ in }),
      Spread(
        testDescription: "h2nn linear path", points: .grid([80]),
        options: options { $0.linearPath = true }),
      Spread(
        testDescription: "h2nn 2D", points: .grid([16, 16]), options: options { $0.leaf = 2 }),
      Spread(
        testDescription: "h2nn cloud",
        points: (try? PointSet(coordinates: cloud, dimension: 2)) ?? .grid([1]),
        options: options { $0.leaf = 3 }),
      Spread(
        testDescription: "mnn-h2 own periodic", points: .grid([160]),
        options: options { ($0.model, $0.boundary) = (.mnnH2, .periodic) }),
      Spread(
        testDescription: "mnn-h2 mix", points: .grid([80]),
        options: options { ($0.model, $0.sharing) = (.mnnH2, .mix) }),
      Spread(
        testDescription: "conv", points: .grid([37]), options: options { $0.model = .conv }),
      Spread(
        testDescription: "dense", points: .grid([12]), options: options { $0.model = .dense }),
    ]
  }()
}

@Suite("Networks over tree ranks")
struct CommunicationPlanTests {
  private static let ranks = [1, 2, 3, 4, 5, 7, 40]

  @Test("every box has one owner, and the axis decides which", arguments: Spread.all, ranks)
  private func owners(spread: Spread, ranks: Int) throws {
    let network = try spread.network()
    let partition = TreePartition(network, ranks: ranks)
    for (value, boxes) in zip(network.values, partition.values) {
      #expect(boxes.rankCount == ranks && boxes.boxCount == value.layout.boxCount)
      for box in 0..<boxes.boxCount {
        let place = value.places[box]
        let cuts = partition.cuts
        let owner = boxes.owner(of: box)
        #expect(cuts[owner] <= place && place < cuts[owner + 1], "\(value.name) \(box)")
      }
    }
  }

  @Test("messages hold what rows and sources lack, each box once", arguments: Spread.all, ranks)
  private func counts(spread: Spread, ranks: Int) throws {
    let network = try spread.network()
    for replicated in [0, 9, 40] {
      let partition = TreePartition(network, ranks: ranks, replicatedBoxes: replicated)
      let plan = CommunicationPlan(network, partition)
      let oracle = TrafficOracle(network, partition)
      let planned = plan.messages.reduce(into: [[Int]: Int]()) { sums, message in
        sums[[message.phase.rawValue, message.source, message.target], default: 0] +=
          message.count
      }
      #expect(planned == oracle.messages, "replicated below \(replicated)")
      #expect(plan.messages.allSatisfy { $0.source != $0.target && $0.count > 0 && $0.round > 0 })
      #expect(ranks > 1 || plan.messages.isEmpty)
      let pairs = plan.messages.map { [$0.phase.rawValue, $0.round, $0.source, $0.target] }
      #expect(Set(pairs).count == pairs.count, "two messages in one round")

      let gathered = plan.gathers.map { ([$0.phase.rawValue, $0.subject], $0.counts) }
      #expect(Set(gathered.map(\.0)).count == gathered.count, "gathered twice")
      let byWhat = Dictionary(gathered, uniquingKeysWith: { first, _ in first })
      #expect(byWhat == oracle.gathers, "replicated below \(replicated)")
      #expect(plan.gathers.allSatisfy { $0.round > 0 && $0.round <= plan.rounds[$0.phase] ?? 0 })
      #expect(plan.sumCounts == oracle.sumCounts, "replicated below \(replicated)")
    }
  }

  @Test(
    "near field and bridges take K exchanges each way, whatever N", arguments: [160, 640, 2560])
  func rounds(points: Int) throws {
    for layers in [1, 2, 4] {
      var options = NetworkOptions()
      options.layers = layers
      let network = try Network.build(options, sources: .grid([points]))
      // Two and four ranks cut the axis where subtrees end: the sweeps need no exchange.
      for ranks in [2, 4] {
        let partition = TreePartition(network, ranks: ranks, replicatedBoxes: 0)
        let plan = CommunicationPlan(network, partition)
        #expect(plan.rounds[.forward] == layers)
        // The last layer of a bridge gives its gradient to the up-sweep, which needs no exchange.
        #expect((layers - 1...layers).contains(plan.rounds[.backward] ?? 0))
      }
    }
  }

  @Test("coarse levels are gathered once each way", arguments: [2, 4])
  func gathers(ranks: Int) throws {
    let network = try Network.build(NetworkOptions(), sources: .grid([640]))
    let partition = TreePartition(network, ranks: ranks, replicatedBoxes: 16)
    let plan = CommunicationPlan(network, partition)
    // Levels 2 and 3 are replicated: all ranks gather level 4 on the way up, and its gradient on the way
    // back, for which the weights of the maps from level 3 to level 4 are gathered too.
    #expect(plan.gathers.map(\.phase) == [.forward, .backward, .weights])
    for gather in plan.gathers.dropLast() {
      #expect(network.values[gather.subject].layout.boxCount == 16)
      #expect(gather.counts == [Int](repeating: 16 * 6 / ranks, count: ranks))
    }
    #expect(plan.gathers.first?.round == 1)
    let layer = try #require(plan.gathers.last.map { network.layers[$0.subject] })
    #expect(network.values[layer.source].layout.boxCount == 8)
    #expect(network.values[layer.target].layout.boxCount == 16)
    // Nothing of levels 2 and 3 is sent.
    let boxes = plan.messages.filter { $0.phase == .forward }
    #expect(boxes.allSatisfy { abs($0.source - $0.target) == 1 })
    #expect(plan.rounds[.forward] == 3 && plan.rounds[.backward] == 3)
  }

  @Test("the load of all ranks is that of the network", arguments: Spread.all, ranks)
  private func loads(spread: Spread, ranks: Int) throws {
    let network = try spread.network()
    let partition = TreePartition(network, ranks: ranks, replicatedBoxes: 0)
    let loads = RankLoad.all(network, partition)
    #expect(loads.count == ranks)
    let executor = NetworkExecutor<Float>(network, samples: 16)
    let flops = (executor.forwardFlops + executor.backwardFlops) / 16
    #expect(loads.reduce(0) { $0 + $1.flopsPerSample } == flops)
    let channels = network.values.reduce(0) { $0 + $1.layout.channelCount }
    #expect(loads.reduce(0) { $0 + $1.channels } == channels)
    let shared = network.layers.filter { !$0.layer.rowsOwnWeights }.reduce(0) {
      $0 + $1.layer.parameterCount
    }
    let own = network.activeParameterCount - shared
    #expect(loads.reduce(0) { $0 + $1.parameters } == own + ranks * shared)
  }
}
