import BlockKernels
import BlockSparse
import ClusterTrees
import OperatorNetworks
import Testing

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

  /// Who must send what to whom, from sets of boxes, without rounds.
  private func traffic(_ network: Network, _ partition: TreePartition) -> [[Int]: Int] {
    var boxes: [[Int]: Int] = [:]
    var blocks: [[Int]: Int] = [:]
    let ranks = 0..<partition.rankCount
    for item in network.layers {
      let (layer, pattern) = (item.layer, item.layer.pattern)
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      for row in 0..<pattern.targetCount {
        for entry in pattern.entries(of: row) {
          let box = Int(pattern.sources[entry])
          for rank in ranks {
            let (hasRow, hasBox) = (
              target.computed(by: rank).contains(row), source.computed(by: rank).contains(box)
            )
            if hasRow && !hasBox {
              boxes[[0, source.owner(of: box), rank, item.source, box]] =
                layer.source.channels(of: box)
            }
            if hasBox && !hasRow && item.source != 0 {
              let channels = layer.target.channels(of: row)
              let owner = target.owner(of: row)
              boxes[[1, owner, rank, item.target, row]] = channels
              if !layer.isShared {
                blocks[[2, owner, rank, item.target, entry]] =
                  channels * layer.source.channels(of: box)
              }
            }
          }
        }
      }
    }
    return boxes.merging(blocks) { $1 }.reduce(into: [:]) { sums, item in
      sums[Array(item.key.prefix(3)), default: 0] += item.value
    }
  }

  @Test("messages hold what rows and sources lack, each box once", arguments: Spread.all, ranks)
  private func counts(spread: Spread, ranks: Int) throws {
    let network = try spread.network()
    for replicated in [0, 9] {
      let partition = TreePartition(network, ranks: ranks, replicatedBoxes: replicated)
      let plan = CommunicationPlan(network, partition)
      let planned = plan.messages.reduce(into: [[Int]: Int]()) { sums, message in
        sums[[message.phase.rawValue, message.source, message.target], default: 0] +=
          message.count
      }
      #expect(planned == traffic(network, partition), "replicated below \(replicated)")
      #expect(plan.messages.allSatisfy { $0.source != $0.target && $0.count > 0 && $0.round > 0 })
      #expect(ranks > 1 || plan.messages.isEmpty)
      let pairs = plan.messages.map { [$0.phase.rawValue, $0.round, $0.source, $0.target] }
      #expect(Set(pairs).count == pairs.count, "two messages in one round")
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
    // Replicated levels 2 and 3, each rank sends its share of level 4 to all others.
    for rank in 0..<ranks {
      let first = plan.messages.filter {
        $0.source == rank && $0.phase == .forward && $0.round == 1
      }
      #expect(Set(first.map(\.target)).count == ranks - 1)
    }
    #expect(plan.rounds[.forward] == 3 && plan.rounds[.backward] == 3)
  }

  @Test("the load of all ranks is that of the network", arguments: Spread.all, ranks)
  private func loads(spread: Spread, ranks: Int) throws {
    let network = try spread.network()
    let partition = TreePartition(network, ranks: ranks, replicatedBoxes: 0)
    let loads = (0..<ranks).map { RankLoad(network, partition, rank: $0) }
    let executor = NetworkExecutor<Float>(network, samples: 16)
    let flops = (executor.forwardFlops + executor.backwardFlops) / 16
    #expect(loads.reduce(0) { $0 + $1.flopsPerSample } == flops)
    let channels = network.values.reduce(0) { $0 + $1.layout.channelCount }
    #expect(loads.reduce(0) { $0 + $1.channels } == channels)
    let shared = network.layers.filter { $0.layer.isShared }.reduce(0) {
      $0 + $1.layer.parameterCount
    }
    let own = network.activeParameterCount - shared
    #expect(loads.reduce(0) { $0 + $1.parameters } == own + ranks * shared)
  }
}
