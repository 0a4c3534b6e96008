import BlockSparse
import OperatorNetworks

/// Collects which ranks need which boxes and weights of other ranks, each once.
struct Needs {
  private(set) var transfers: Set<CommunicationPlan.Transfer> = []
  private(set) var gathers: [CommunicationPlan.Gather] = []
  /// For each owner · ranks + receiver: the weights that are copied.
  private(set) var weights: [Int: Int] = [:]

  private let network: Network
  private let partition: TreePartition
  private let gradientOwners: [Int]
  /// For each value: the owner of each box.
  private var owners: [[Int32]?]
  /// Values that are gathered, by phase.
  private var gathered: [CommunicationPlan.Phase: Set<Int>] = [:]

  init(_ network: Network, _ partition: TreePartition) {
    self.network = network
    self.partition = partition
    gradientOwners = CommunicationPlan.gradientOwners(network)
    owners = [[Int32]?](repeating: nil, count: network.values.count)
  }

  private mutating func owners(of value: Int) -> [Int32] {
    if let known = owners[value] { return known }
    let boxes = partition.values[value]
    let list = (0..<boxes.rankCount).flatMap { rank in
      repeatElement(Int32(rank), count: boxes.range(of: rank).count)
    }
    owners[value] = list
    return list
  }

  /// Adds the boxes of a layer's source that ranks need for the rows that they compute.
  ///
  /// Returns whether there are any.
  mutating func addForward(_ item: NetworkLayer, round: Int) -> Bool {
    let (source, target) = (partition.values[item.source], partition.values[item.target])
    guard partition.rankCount > 1, !source.isReplicated else { return false }
    if target.isReplicated {
      gather(item.source, .forward, round: round)
      return true
    }
    let crossings = crossings(item)
    for crossing in crossings {
      add(
        .forward, round, item.source, crossing.box, from: crossing.boxOwner,
        to: crossing.rowOwner)
    }
    return !crossings.isEmpty
  }

  /// Adds the gradients of a layer's targets, and the blocks of weights, that owners of sources need.
  ///
  /// Returns whether there are gradients among them.
  mutating func addBackward(_ item: NetworkLayer, index: Int, round: Int) -> Bool {
    if item.isTransposed { return addTransposedBackward(item, index: index, round: round) }
    let (source, target) = (partition.values[item.source], partition.values[item.target])
    guard partition.rankCount > 1, !target.isReplicated else { return false }
    let (layer, value) = (item.layer, gradientOwners[item.target])
    if source.isReplicated {
      gather(value, .backward, round: round)
      if layer.rowsOwnWeights {
        let counts = (0..<partition.rankCount).map { layer.weights(of: target.range(of: $0)).count }
        gathers.append(
          CommunicationPlan.Gather(phase: .weights, round: 1, subject: index, counts: counts))
      }
      return true
    }
    let crossings = crossings(item)
    for crossing in crossings {
      let (row, rowOwner, boxOwner) = (crossing.row, crossing.rowOwner, crossing.boxOwner)
      add(.backward, round, value, row, from: rowOwner, to: boxOwner)
      // Shared weights are on every rank; own ones are copied block by block after each update.
      if layer.rowsOwnWeights {
        weights[Int(rowOwner) * partition.rankCount + Int(boxOwner), default: 0] +=
          layer.target.channels(of: row) * layer.source.channels(of: crossing.box)
      }
    }
    return !crossings.isEmpty
  }

  /// Adds the gradients of a transposed layer's targets that owners of sources need, and the blocks of weights that
  /// owners of targets need for its forward pass.
  ///
  /// The rows of the weights are the layer's sources. So their owners need the gradients also for the gradient of the
  /// weights, even if the layer reads the input.
  private mutating func addTransposedBackward(
    _ item: NetworkLayer, index: Int, round: Int
  ) -> Bool {
    let (source, target) = (partition.values[item.source], partition.values[item.target])
    guard partition.rankCount > 1 else { return false }
    let (shape, value) = (network.slice(of: item).shape, gradientOwners[item.target])
    if target.isReplicated {
      if !source.isReplicated && shape.rowsOwnWeights {
        let counts = (0..<partition.rankCount).map { shape.weights(of: source.range(of: $0)).count }
        gathers.append(
          CommunicationPlan.Gather(phase: .weights, round: 1, subject: index, counts: counts))
      }
      return false
    }
    if source.isReplicated {
      gather(value, .backward, round: round)
      return true
    }
    let crossings = crossings(item)
    for crossing in crossings {
      let (row, box) = (crossing.row, crossing.box)
      add(.backward, round, value, row, from: crossing.rowOwner, to: crossing.boxOwner)
      if shape.rowsOwnWeights {
        weights[
          Int(crossing.boxOwner) * partition.rankCount + Int(crossing.rowOwner), default: 0] +=
          item.layer.target.channels(of: row) * item.layer.source.channels(of: box)
      }
    }
    return !crossings.isEmpty
  }

  /// An entry whose row and source belong to different ranks.
  private struct Crossing {
    let row: Int
    let box: Int
    let rowOwner: Int32
    let boxOwner: Int32
  }

  /// Returns the entries of a layer that cross ranks.
  private mutating func crossings(_ item: NetworkLayer) -> [Crossing] {
    let (pattern, rows) = (item.layer.pattern, owners(of: item.target))
    let sources = owners(of: item.source)
    var result: [Crossing] = []
    for row in 0..<pattern.targetCount {
      for entry in pattern.entries(of: row) {
        let box = Int(pattern.sources[entry])
        guard sources[box] != rows[row] else { continue }
        result.append(Crossing(row: row, box: box, rowOwner: rows[row], boxOwner: sources[box]))
      }
    }
    return result
  }

  /// Adds a box to a message, unless the receiver has it already.
  private mutating func add(
    _ phase: CommunicationPlan.Phase, _ round: Int, _ value: Int, _ box: Int, from owner: Int32,
    to receiver: Int32
  ) {
    guard gathered[phase]?.contains(value) != true else { return }
    transfers.insert(
      CommunicationPlan.Transfer(
        phase: phase.rawValue, round: round, source: Int(owner), target: Int(receiver),
        value: value, box: box))
  }

  /// Adds a value that every rank needs as a whole; its boxes need no messages.
  private mutating func gather(_ value: Int, _ phase: CommunicationPlan.Phase, round: Int) {
    guard gathered[phase, default: []].insert(value).inserted else { return }
    transfers = transfers.filter { $0.phase != phase.rawValue || $0.value != value }
    let (layout, boxes) = (network.values[value].layout, partition.values[value])
    let counts = (0..<partition.rankCount).map { rank in
      let range = boxes.range(of: rank)
      return layout.starts[range.upperBound] - layout.starts[range.lowerBound]
    }
    gathers.append(
      CommunicationPlan.Gather(phase: phase, round: round, subject: value, counts: counts))
  }
}
