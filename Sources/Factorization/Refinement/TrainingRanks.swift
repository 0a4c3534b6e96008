import BlockKernels
import BlockSparse
import ClusterTrees
import MessagePassing
import NetworkExecution
import OperatorNetworks
import Optimization

/// The ranks that train factors: groups that share the probes, each of ranks that share the tree.
///
/// A rank holds its own unknowns of the probes of its group, `[unknown][probe]`, and computes the gradients of the parameters
/// whose rows begin in its part of the tree. Parameters themselves, and what methods do with them, are the same on all.
final class TrainingRanks {
  typealias Vectors = AlignedBuffer<Double>

  /// How many times faster a group of several ranks has to be by its share of the work, to pay for messages.
  private static let leastGain = 1.25

  /// The factors.
  let factors: Factors
  /// The leaves and the unknowns of the ranks of a group.
  let partition: LeafPartition
  /// The place of this rank in its group.
  let treeRank: Int
  /// The unknowns of this rank in the order of the tree.
  let rows: Range<Int>
  /// The shards of probes, and how vectors of this rank's parameters are added up over them.
  let shards: ShardSums
  /// The parameters whose gradients each rank of a group computes, as runs among all.
  private let owned: [[Range<Int>]]
  private let ownedCounts: [Int]
  /// Sums over the unknowns of a group, leaf by leaf.
  private let leaves: ShardSums
  private let leafStarts: [Int]
  private let leafSum = Vectors(repeating: 0, count: 1)
  /// Of this rank's parameters, and of those of all ranks of the group one behind the other; empty in a group of one.
  private let ownSum: Vectors
  private let allSums: Vectors
  /// Nil for a rank alone.
  private let grid: ProcessGrid?

  /// Creates a rank alone.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - shards: The number of shards of probes.
  convenience init(alone factors: Factors, shards: Int) {
    self.init(factors, shards: shards, nil)
  }

  /// Arranges ranks.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - factors: The factors.
  ///   - shards: The number of shards of probes.
  ///   - treeRanks: The ranks of a group; nil for a choice.
  ///   - ranks: The ranks.
  /// - Throws: `RunError` (64) if groups of so many ranks do not fit, `MPIError`.
  convenience init(
    _ factors: Factors, shards: Int, treeRanks: Int?, on ranks: borrowing Communicator
  ) throws {
    let width = treeRanks ?? Self.treeRanks(of: ranks.size, shards: shards)
    guard width > 0, ranks.size % width == 0 else {
      throw RunError.usage("`treeRanks` \(width) does not divide the \(ranks.size) ranks")
    }
    let grid = try ProcessGrid(
      dataGroups: ranks.size / width, treeRanks: width, on: ranks)
    self.init(factors, shards: shards, grid)
  }

  private init(_ factors: Factors, shards: Int, _ grid: consuming ProcessGrid?) {
    var (groups, group, width, place) = (1, 0, 1, 0)
    switch grid {
    case .some(let grid):
      (groups, group) = (grid.dataGroups, grid.group)
      (width, place) = (grid.treeRanks, grid.treeRank)
    case .none: break
    }
    self.factors = factors
    let partition = LeafPartition(factors, ranks: width)
    (self.partition, treeRank, rows) = (partition, place, partition.rows(of: place))
    let network = factors.upper.networks.forward
    let parts = TreePartition(network, cuts: partition.leafCuts)
    owned = (0..<width).map { Self.owned(network, parts, rank: $0) }
    ownedCounts = owned.map { $0.reduce(0) { $0 + $1.count } }
    precondition(
      ownedCounts.reduce(0, +) == factors.parameterCount, "a parameter of no rank, or of two")
    self.shards = ShardSums(
      count: shards, parameterCount: ownedCounts[place], rank: group, ranks: groups)
    leaves = ShardSums(cuts: partition.leafCuts, parameterCount: 1, rank: place)
    let tree = factors.structure.tree
    leafStarts =
      partition.leaves(of: place).map {
        tree.pointRange(level: tree.levels, box: $0).lowerBound - partition.rowCuts[place]
      } + [rows.count]
    ownSum = Vectors(repeating: 0, count: width > 1 ? ownedCounts[place] : 0)
    allSums = Vectors(repeating: 0, count: width > 1 ? factors.parameterCount : 0)
    self.grid = grid
  }

  /// Chooses the ranks of a group.
  ///
  /// Groups of several ranks exchange messages all the time: they are taken where there are too few shards for all ranks.
  private static func treeRanks(of ranks: Int, shards: Int) -> Int {
    func time(_ width: Int) -> Double {
      let groups = ranks / width
      let turns = Double((shards + groups - 1) / groups)
      return width == 1 ? turns : leastGain * turns / Double(width)
    }
    return (1...ranks).filter { ranks % $0 == 0 }.min { time($0) < time($1) } ?? 1
  }

  /// Returns the runs of parameters that a rank of a group owns.
  private static func owned(
    _ network: Network, _ parts: TreePartition, rank: Int
  ) -> [Range<Int>] {
    zip(network.slices, parts.slices).map { slice, boxes in
      let own = slice.shape.weights(of: boxes.computed(by: rank))
      let first = slice.weights.lowerBound
      return first + own.lowerBound..<first + own.upperBound
    }
  }

  /// The ranks of a group.
  var treeRanks: Int { partition.rankCount }
  /// The shards of this rank's group.
  var ownShards: Range<Int> { shards.own }
  /// The numbers of one shard's vectors on this rank.
  var size: Int { rows.count * Probes.width }
  /// The number of parameters whose gradients this rank computes.
  var ownParameterCount: Int { ownedCounts[treeRank] }

  // MARK: Exchanges

  /// Runs a body with the ranks of the group; does nothing in a group of one.
  func withGroup(_ body: (borrowing Communicator) throws -> Void) rethrows {
    guard treeRanks > 1 else { return }
    switch grid {
    case .some(let grid): try body(grid.tree)
    case .none: break
    }
  }

  /// Takes this rank's unknowns of vectors that all have.
  func ownRows(of vectors: Vectors) -> Vectors {
    let result = Vectors(repeating: 0, count: size)
    result.copy(from: vectors, at: rows.lowerBound * Probes.width, to: 0..<size)
    return result
  }

  /// Collects vectors on all ranks of the group.
  ///
  /// Collective over the group.
  ///
  /// - Parameters:
  ///   - vectors: This rank's unknowns.
  ///   - whole: All unknowns.
  /// - Throws: `MPIError`.
  func collect(_ vectors: Vectors, into whole: Vectors) throws {
    guard treeRanks > 1 else { return whole.copy(from: vectors, at: 0, to: 0..<size) }
    let cuts = partition.rowCuts
    let counts = zip(cuts, cuts.dropFirst()).map { ($1 - $0) * Probes.width }
    try withGroup { group in
      var span = whole.mutableSpan
      let own = vectors.span
      try group.allGather(own, counts: counts, into: &span)
    }
  }

  /// Takes the parameters of this rank, or those of a direction.
  ///
  /// - Parameters:
  ///   - all: All parameters.
  ///   - result: Where those of this rank go.
  ///   - place: The place of the first.
  func takeOwn(_ all: Vectors, into result: Vectors, at place: Int = 0) {
    var target = place
    for run in owned[treeRank] {
      result.copy(from: all, at: run.lowerBound, to: target..<target + run.count)
      target += run.count
    }
  }

  // MARK: Sums

  /// Adds up ⟨v, v⟩ of a block of vectors over all unknowns, in one order.
  ///
  /// Collective over the group.
  ///
  /// - Parameter vectors: This rank's unknowns.
  /// - Returns: The sum, the same on all ranks of the group.
  /// - Throws: `MPIError`.
  func square(_ vectors: Vectors) throws -> Double {
    let width = Probes.width
    func add(_ leaf: Int, _ sum: Vectors) {
      let places = leafStarts[leaf] * width..<leafStarts[leaf + 1] * width
      sum[0] = OrderedSums.dot(vectors, vectors, in: places)
    }
    if treeRanks == 1 {
      leaves.sum(into: leafSum, add)
    } else {
      try withGroup { group in try leaves.sum(into: leafSum, on: group, add) }
    }
    return leafSum[0]
  }

  /// Adds up vectors of parameters over all shards.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - result: The sum, of all parameters, the same on all ranks.
  ///   - vector: Writes the vector of one of the group's shards: those of this rank's parameters.
  /// - Throws: What writing throws, `MPIError`.
  func sumShards(
    into result: Vectors, _ vector: (_ slot: Int, _ vector: Vectors) throws -> Void
  ) throws {
    let own = treeRanks > 1 ? ownSum : result
    switch grid {
    case .some(let grid): try shards.sum(into: own, on: grid.groups, vector)
    case .none: try shards.sum(into: own, vector)
    }
    try withGroup { group in
      let allSums = allSums
      var span = allSums.mutableSpan
      let sent = own.span
      try group.allGather(sent, counts: ownedCounts, into: &span)
      var place = 0
      for run in owned.joined() {
        result.copy(from: allSums, at: place, to: run)
        place += run.count
      }
    }
  }

  /// Adds up numbers of shards in their order.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - numbers: For each shard of the group its numbers, `[shard][number]`, the same on all ranks of the group.
  ///   - sums: For each number the sum over all shards; its count says how many there are.
  /// - Throws: `MPIError`.
  func sumNumbers(_ numbers: [Double], into sums: inout [Double]) throws {
    switch grid {
    case .some(let grid): try shards.sum(numbers, into: &sums, on: grid.groups)
    case .none: shards.sum(numbers, into: &sums)
    }
  }
}
