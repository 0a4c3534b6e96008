import BlockSparse
import Testing

@testable import NetworkExecution
@testable import OperatorNetworks

@Suite struct GradientMemoryTests {
  /// Runs the accesses of a backward pass on memory that remembers who wrote where.
  private func check(_ network: Network, ranks: Int) throws -> (own: Int, shared: Int) {
    let partition = TreePartition(network, ranks: ranks)
    let plan = CommunicationPlan(network, partition)
    let schedule = BackwardSchedule(network, plan)
    let owners = CommunicationPlan.gradientOwners(network)
    let sums = CommunicationPlan.activatedSums(network)
    let all = network.values.map { $0.layout.channelCount * 16 }
    let counts = network.values.indices.map { owners[$0] == $0 && $0 != 0 ? all[$0] : 0 }
    let places = GradientMemory(network, plan, schedule).places(all)
    for (value, place) in places.enumerated() where counts[value] > 0 {
      #expect(place.count == counts[value] && place.lowerBound % 16 == 0)
    }
    var writer = [Int](repeating: -1, count: places.map(\.upperBound).max() ?? 0)
    func write(_ value: Int) {
      for place in places[owners[value]] { writer[place] = owners[value] }
    }
    func read(_ value: Int, _ comment: String) {
      let place = places[owners[value]]
      #expect(
        place.allSatisfy { writer[$0] == owners[value] },
        "\(comment) of \(network.values[value].name)")
    }
    write(network.output)
    for round in schedule.tasks.indices {
      // What is received and what is computed at the same time may come in any order.
      for transfer in plan.transfers
      where transfer.phase == CommunicationPlan.Phase.backward.rawValue && transfer.round == round {
        read(transfer.value, "transfer")
      }
      for layer in schedule.overlappedInputs[round] {
        read(network.layers[layer].target, "overlapped input gradient")
        if schedule.accumulates[layer] { read(network.layers[layer].source, "earlier terms") }
        write(network.layers[layer].source)
      }
      for layer in schedule.overlappedSums[round] {
        read(network.layers[layer].target, "overlapped parameter gradient")
      }
      for task in schedule.tasks[round] {
        let item = network.layers[task.layer]
        if task.activates, let sum = sums[item.target] {
          read(sum, "sum")
          write(item.target)
        }
        read(item.target, "gradient")
        guard let part = task.part else { continue }
        if schedule.accumulates[task.layer] || part == .boundary {
          read(item.source, "earlier terms")
        }
        write(item.source)
      }
    }
    return (counts.reduce(0, +), writer.count)
  }

  @Test("no gradient is overwritten while it is needed", arguments: NetworkCase.all)
  func lives(networkCase: NetworkCase) throws {
    for ranks in [1, 2, 3, 5] {
      let size = try check(networkCase.network(), ranks: ranks)
      #expect(size.shared <= size.own + 16 * 200)
    }
  }
}
