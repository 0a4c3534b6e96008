import BlockKernels
import BlockSparse
import OperatorNetworks

@testable import NetworkExecution

/// Who must send what to whom, from sets of boxes, without rounds.
struct TrafficOracle {
  /// By phase, sender and receiver: the numbers in all messages.
  private(set) var messages: [[Int]: Int] = [:]
  /// By phase and value, or layer: for each rank the numbers that it contributes.
  private(set) var gathers: [[Int]: [Int]] = [:]
  /// For each rank the numbers in its sums of gradients of weights that rows share.
  private(set) var sumCounts: [Int]

  private let network: Network
  private let partition: TreePartition

  init(_ network: Network, _ partition: TreePartition) {
    self.network = network
    self.partition = partition
    sumCounts = [Int](repeating: 0, count: partition.rankCount)
    guard partition.rankCount > 1 else { return }
    addGathers()
    addMessages()
    addSums()
  }

  /// The value in whose place the gradient of another one stands: the gradient of a term is that of the sum,
  /// unless a function stands between them.
  private func gradient(of value: Int) -> Int {
    let writer = network.layers.first { $0.target == value }
    guard let sum = network.layers.first(where: { $0.addend == value }),
      writer?.layer.activation == .identity, writer?.layer.blockActivation == .identity
    else { return value }
    return gradient(of: sum.target)
  }

  /// Adds what every rank needs, since what it is needed for is on every rank.
  ///
  /// The input is not sent: each rank reads what it needs.
  private mutating func addGathers() {
    for (index, item) in network.layers.enumerated() where item.source != 0 {
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      if target.isReplicated && !source.isReplicated {
        gathers[[0, item.source]] = channels(of: item.source)
      }
      if source.isReplicated && !target.isReplicated {
        let value = gradient(of: item.target)
        gathers[[1, value]] = channels(of: value)
        guard item.layer.rowsOwnWeights else { continue }
        gathers[[2, index]] = (0..<partition.rankCount).map { rank in
          target.range(of: rank).reduce(0) { sum, row in
            let inputs = item.layer.pattern.entries(of: row).reduce(0) {
              $0 + item.layer.source.channels(of: Int(item.layer.pattern.sources[$1]))
            }
            return sum + inputs * item.layer.target.channels(of: row)
          }
        }
      }
    }
  }

  private func channels(of value: Int) -> [Int] {
    let (layout, boxes) = (network.values[value].layout, partition.values[value])
    return (0..<partition.rankCount).map { rank in
      boxes.range(of: rank).reduce(0) { $0 + layout.channels(of: $1) }
    }
  }

  /// Adds what rows read, and sources receive, of another rank, unless it is gathered.
  private mutating func addMessages() {
    var items: [[Int]: Int] = [:]
    for (index, item) in network.layers.enumerated() where item.source != 0 {
      let (layer, pattern) = (item.layer, item.layer.pattern)
      let (source, target) = (partition.values[item.source], partition.values[item.target])
      guard !source.isReplicated && !target.isReplicated else { continue }
      let value = gradient(of: item.target)
      for row in 0..<pattern.targetCount {
        for entry in pattern.entries(of: row) {
          let box = Int(pattern.sources[entry])
          let (here, there) = (target.owner(of: row), source.owner(of: box))
          guard here != there else { continue }
          let channels = (layer.source.channels(of: box), layer.target.channels(of: row))
          if gathers[[0, item.source]] == nil {
            items[[0, there, here, item.source, box]] = channels.0
          }
          if gathers[[1, value]] == nil { items[[1, here, there, value, row]] = channels.1 }
          if layer.rowsOwnWeights {
            items[[2, here, there, index, entry]] = channels.0 * channels.1
          }
        }
      }
    }
    messages = items.reduce(into: [:]) { $0[Array($1.key.prefix(3)), default: 0] += $1.value }
  }

  /// Adds blocks and biases of the aligned subtrees of each group's rows that lie inside of a rank's rows.
  private mutating func addSums() {
    for item in network.layers {
      let (layer, target) = (item.layer, partition.values[item.target])
      guard !layer.rowsOwnWeights && !target.isReplicated else { continue }
      for group in layer.groupInputs.indices {
        let rows = (0..<layer.pattern.targetCount).filter { layer.pattern.groups[$0] == group }
        let size = (layer.groupInputs[group] + 1) * layer.groupOutputs[group]
        for rank in sumCounts.indices {
          let range = target.range(of: rank)
          sumCounts[rank] += size * subtrees(rows[...]) { range.contains($0) }
        }
      }
    }
  }

  /// Counts the largest subtrees all of whose rows fulfil a condition; the left half of a tree is the largest
  /// power of two below the number of its rows.
  private func subtrees(_ rows: ArraySlice<Int>, _ isOwn: (Int) -> Bool) -> Int {
    if !rows.contains(where: isOwn) { return 0 }
    if rows.allSatisfy(isOwn) { return 1 }
    var half = 1
    while 2 * half < rows.count { half *= 2 }
    let middle = rows.startIndex + half
    return subtrees(rows[..<middle], isOwn) + subtrees(rows[middle...], isOwn)
  }
}
