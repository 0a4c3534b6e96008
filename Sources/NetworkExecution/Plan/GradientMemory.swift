import OperatorNetworks

/// Where the gradients of values stand in one allocation.
///
/// In a backward pass the gradient of a value is needed from the first layer that adds to it to the last one that
/// reads it. Gradients that are never needed at the same time share memory, so a pass touches less of it and finds
/// more of it in the caches.
struct GradientMemory: Sendable {
  /// For each value that has a gradient of its own: when that is needed.
  private let lives: [ClosedRange<Int>?]

  /// Finds out when gradients are needed.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - plan: Its communication.
  ///   - schedule: The work of the pass.
  init(_ network: Network, _ plan: CommunicationPlan, _ schedule: BackwardSchedule) {
    let owners = CommunicationPlan.gradientOwners(network)
    let sums = CommunicationPlan.activatedSums(network)
    var lives = [ClosedRange<Int>?](repeating: nil, count: network.values.count)
    func touch(_ value: Int, at time: Int) {
      let life = lives[owners[value]] ?? time...time
      lives[owners[value]] = min(life.lowerBound, time)...max(life.upperBound, time)
    }
    var time = 0
    touch(network.output, at: time)
    for round in schedule.tasks.indices {
      // An exchange, and all that is done while it is under way, happens at one time.
      time += 1
      let phase = CommunicationPlan.Phase.backward
      for transfer in plan.transfers
      where transfer.phase == phase.rawValue && transfer.round == round {
        touch(transfer.value, at: time)
      }
      for gather in plan.gathers where gather.phase == phase && gather.round == round {
        touch(gather.subject, at: time)
      }
      for layer in schedule.overlappedInputs[round] {
        touch(network.layers[layer].target, at: time)
        touch(network.layers[layer].source, at: time)
      }
      for layer in schedule.overlappedSums[round] { touch(network.layers[layer].target, at: time) }
      for task in schedule.tasks[round] {
        time += 1
        let item = network.layers[task.layer]
        touch(item.target, at: time)
        if task.activates, let sum = sums[item.target] { touch(sum, at: time) }
        if task.part != nil { touch(item.source, at: time) }
      }
    }
    time += 1
    for layer in schedule.lateSums { touch(network.layers[layer].target, at: time) }
    // The gradient of the input is not needed.
    lives[0] = nil
    self.lives = lives
  }

  /// Gives each gradient the lowest places that are free while it is needed, the largest first.
  ///
  /// - Parameter counts: For each value: the numbers of its gradient.
  /// - Returns: For each value the places of its gradient; none if it has none of its own.
  func places(_ counts: [Int]) -> [Range<Int>] {
    var places = [Range<Int>](repeating: 0..<0, count: counts.count)
    var placed: [Int] = []
    for value in counts.indices.sorted(by: { counts[$0] > counts[$1] }) {
      guard let life = lives[value], counts[value] > 0 else { continue }
      // In whole cache lines for both scalar types.
      let size = (counts[value] + 15) & ~15
      let others = placed.filter { lives[$0]?.overlaps(life) ?? false }
        .map { places[$0] }.sorted { $0.lowerBound < $1.lowerBound }
      var start = 0
      for other in others where other.lowerBound < start + size {
        start = max(start, (other.upperBound + 15) & ~15)
      }
      places[value] = start..<start + counts[value]
      placed.append(value)
    }
    return places
  }
}
