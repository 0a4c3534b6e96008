import BlockSparse
import OperatorNetworks

/// The layers of a forward pass by rounds.
struct ForwardSchedule: Sendable {
  /// For each round: the layers whose inner rows are computed while its exchange is under way.
  let overlapped: [[Int]]
  /// For each round: the layers that are computed after its exchange, and which rows.
  let layers: [[(layer: Int, part: LayerPart)]]

  /// Creates the schedule.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - plan: Its communication.
  init(_ network: Network, _ plan: CommunicationPlan) {
    let rounds = (plan.rounds[.forward] ?? 0) + 1
    var overlapped = [[Int]](repeating: [], count: rounds)
    var layers = [[(layer: Int, part: LayerPart)]](repeating: [], count: rounds)
    for (index, item) in network.layers.enumerated() {
      let round = plan.valueRounds[item.target]
      let isReady =
        plan.forwardExchanges[index] && plan.valueRounds[item.source] == round - 1
        && (item.addend.map { plan.valueRounds[$0] < round } ?? true)
      if isReady { overlapped[round].append(index) }
      layers[round].append((index, isReady ? .boundary : .all))
    }
    self.overlapped = overlapped
    self.layers = layers
  }
}

/// The work of a backward pass by rounds.
///
/// Each layer, from the last to the first, is asked for up to three things: to take the gradient of its
/// target through f when it is whole, for the gradient of its parameters, and for the gradient of its
/// source. Terms of a source's gradient are added in the order of the layers, from the last to the first.
struct BackwardSchedule: Sendable {
  /// What is done with a layer after an exchange.
  struct Task: Sendable {
    let layer: Int
    /// Whether the gradient of its target is whole now.
    let activates: Bool
    /// Whether the gradient of its parameters is computed now, and not during the next exchange.
    let sums: Bool
    /// The sources whose gradient is computed now.
    let part: LayerPart?
  }

  /// For each round: the layers whose parameters' gradient is computed while its exchange is under way.
  let overlappedSums: [[Int]]
  /// For each round: the layers whose inner sources' gradient is computed while its exchange is under way.
  let overlappedInputs: [[Int]]
  /// For each round: what is done after its exchange.
  let tasks: [[Task]]
  /// For each layer: whether its term is added to what other layers left.
  let accumulates: [Bool]
  /// The layers whose parameters' gradient is computed after all rounds, from the last to the first: those that share a
  /// slice, whose gradients are added up in this order on any ranks, and transposed ones, which need gradients of others.
  let lateSums: [Int]

  /// Creates the schedule.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - plan: Its communication.
  init(_ network: Network, _ plan: CommunicationPlan) {
    let rounds = (plan.rounds[.backward] ?? 0) + 1
    var overlappedSums = [[Int]](repeating: [], count: rounds)
    var overlappedInputs = overlappedSums
    var tasks = [[Task]](repeating: [], count: rounds)
    /// For each value: the round of the last term of its gradient; nil if there is none yet.
    var lastTerm = [Int?](repeating: nil, count: network.values.count)
    var accumulates = [Bool](repeating: false, count: network.layers.count)
    var lateSums: [Int] = []
    var users = [Int](repeating: 0, count: network.slices.count)
    for item in network.layers { users[item.weights.slice] += 1 }
    for (index, item) in network.layers.enumerated().reversed() {
      let whole = plan.gradientRounds[item.target]
      var inputRound: Int?
      var isReady = false
      if item.source != 0 {
        let earlier = lastTerm[item.source]
        let round = max(whole + (plan.backwardExchanges[index] ? 1 : 0), earlier ?? 0)
        accumulates[index] = earlier != nil
        inputRound = round
        isReady = round == whole + 1 && plan.backwardExchanges[index] && earlier ?? 0 < round
        lastTerm[item.source] = round
        if isReady { overlappedInputs[round].append(index) }
      }
      let isLate = item.isTransposed || users[item.weights.slice] > 1
      if isLate { lateSums.append(index) }
      let isDeferred = !isLate && whole + 1 < rounds
      if isDeferred { overlappedSums[whole + 1].append(index) }
      for round in Set([whole, inputRound ?? whole]).sorted() {
        tasks[round].append(
          Task(
            layer: index, activates: round == whole, sums: round == whole && !isDeferred && !isLate,
            part: round == inputRound ? (isReady ? .boundary : .all) : nil))
      }
    }
    self.overlappedSums = overlappedSums
    self.overlappedInputs = overlappedInputs
    self.tasks = tasks
    self.accumulates = accumulates
    self.lateSums = lateSums
  }
}
