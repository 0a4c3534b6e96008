import BlockSparse
import MessagePassing
public import NetworkExecution
public import OperatorNetworks

/// What every rank of a process grid computes, holds and sends in one step, known before anything runs.
public struct StepPlan: Sendable {
  /// The step of one rank.
  public struct Rank: Sendable, Equatable {
    /// The parameters that it holds.
    public var parameters = 0
    /// An estimate of the bytes of values and gradients that it holds at a time: those that it computes and
    /// those that it receives.
    public var activationBytes = 0
    /// The messages that it sends.
    public var messages = 0
    /// The bytes in them.
    public var messageBytes = 0
    /// The collective operations in which it takes part.
    public var collectives = 0
    /// The bytes that it contributes to them.
    public var collectiveBytes = 0
    /// The floating-point operations of its products.
    public var flops = 0

    /// The bytes that it sends and contributes.
    public var bytes: Int { messageBytes + collectiveBytes }
  }

  /// The sizes of a step.
  public struct Sizes: Sendable {
    /// The samples of a batch.
    public let batch: Int
    /// The samples of a shard.
    public let shard: Int
    /// The bytes of a number.
    public let scalar: Int
    /// The most shards that tree ranks compute together, between the same exchanges; if nil, as many as stay in
    /// a cache.
    public var wave: Int?

    /// Creates sizes.
    ///
    /// - Parameters:
    ///   - batch: The samples of a batch.
    ///   - shard: The samples of a shard.
    ///   - scalar: The bytes of a number.
    public init(batch: Int, shard: Int, scalar: Int) {
      self.batch = batch
      self.shard = shard
      self.scalar = scalar
    }

    /// Takes the sizes of a training's largest batch.
    ///
    /// - Parameter options: How a network is trained.
    public init(_ options: TrainingOptions) {
      self.init(
        batch: options.largestBatch, shard: options.shard,
        scalar: options.precision == .float ? 4 : 8)
    }

    /// The shards of a batch.
    public var shards: Int { (batch + shard - 1) / shard }
  }

  /// The number of data groups.
  public private(set) var dataGroups: Int
  /// How the network is spread over tree ranks.
  public let partition: TreePartition
  /// What tree ranks send to each other.
  public let communication: CommunicationPlan
  /// What each tree rank holds and computes.
  public let loads: [RankLoad]
  /// Values with fewer boxes are computed on every tree rank.
  public let replicatedBoxes: Int
  /// The sizes of the step.
  public let sizes: Sizes
  /// For each tree rank: what it sends of weights, and in a pass for each sample.
  private let weightTraffic: [Rank]
  private let sampleTraffic: [Rank]
  /// Whether some weights are shared by rows on several ranks.
  private let gathersSums: Bool
  /// For each tree rank: the channels of values, of gradients that are needed at the same time, and of what it
  /// receives.
  private let heldChannels: [Int]
  /// The shards that tree ranks compute together, between the same exchanges.
  ///
  /// More of them need fewer messages, fewer of them less memory, and stay in the caches; the result is the same.
  public let wave: Int

  /// The bytes of values and gradients that a wave has at most, unless one shard has more.
  private static var waveBytes: Int { 5 << 20 }

  /// Plans the steps of a network on a grid.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - dataGroups: The number of data groups.
  ///   - treeRanks: The number of tree ranks of each group.
  ///   - replicatedBoxes: Values with fewer boxes are replicated.
  ///   - sizes: The sizes of a step.
  public init(
    _ network: Network, dataGroups: Int, treeRanks: Int, replicatedBoxes: Int = 0, sizes: Sizes
  ) {
    let partition = TreePartition(network, ranks: treeRanks, replicatedBoxes: replicatedBoxes)
    let plan = CommunicationPlan(network, partition)
    var weights = [Rank](repeating: Rank(), count: treeRanks)
    var samples = weights
    var received = [Int](repeating: 0, count: treeRanks)
    for message in plan.messages {
      if message.phase == .weights {
        weights[message.source].messages += 1
        weights[message.source].messageBytes += message.count * sizes.scalar
      } else {
        samples[message.source].messages += 1
        samples[message.source].messageBytes += message.count * sizes.scalar
        received[message.target] += message.count
      }
    }
    for gather in plan.gathers {
      let all = gather.counts.reduce(0, +)
      for rank in 0..<treeRanks {
        let bytes = gather.counts[rank] * sizes.scalar
        if gather.phase == .weights {
          weights[rank].collectives += 1
          weights[rank].collectiveBytes += bytes
        } else {
          samples[rank].collectives += 1
          samples[rank].collectiveBytes += bytes
          received[rank] += all - gather.counts[rank]
        }
      }
    }
    self.dataGroups = dataGroups
    self.partition = partition
    self.replicatedBoxes = replicatedBoxes
    self.sizes = sizes
    communication = plan
    loads = RankLoad.all(network, partition)
    gathersSums = plan.sumCounts.contains { $0 > 0 }
    (weightTraffic, sampleTraffic) = (weights, samples)
    let gradients = plan.gradientChannels(network, partition)
    let held = zip(loads, zip(gradients, received)).map { $0.channels + $1.0 + $1.1 }
    let fitting = Self.waveBytes / max(1, (held.max() ?? 0) * sizes.shard * sizes.scalar)
    heldChannels = held
    wave = treeRanks == 1 ? 1 : sizes.wave ?? max(1, min(fitting, sizes.shards))
  }

  /// Returns the plan with another number of data groups.
  ///
  /// - Parameter dataGroups: The number of data groups.
  /// - Returns: The plan.
  public func with(dataGroups: Int) -> StepPlan {
    var plan = self
    plan.dataGroups = dataGroups
    return plan
  }

  /// Returns how often tree ranks exchange boxes in each direction and round of a step.
  ///
  /// - Parameter shards: The shards of their data group.
  /// - Returns: The number of waves.
  public func waves(of shards: Int) -> Int { (shards + wave - 1) / wave }

  /// The number of tree ranks.
  public var treeRanks: Int { loads.count }

  /// Returns what a tree rank holds.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - rank: The tree rank.
  /// - Returns: Its share.
  public func share(_ network: Network, rank: Int) -> RankShare {
    treeRanks == 1
      ? RankShare(whole: network) : RankShare(network, partition, communication, rank: rank)
  }

  /// Returns the step of a rank.
  ///
  /// - Parameters:
  ///   - group: Its data group.
  ///   - tree: Its place among the tree ranks.
  /// - Returns: What it computes, holds and sends.
  public func rank(group: Int, tree: Int) -> Rank {
    let load = loads[tree]
    let data = DataExchange(
      shards: sizes.shards, parameters: load.parameters, group: group, groups: dataGroups)
    let samples = data.shards * sizes.shard
    var rank = weightTraffic[tree]
    if samples > 0 {
      let traffic = sampleTraffic[tree]
      let waves = waves(of: data.shards)
      rank.messages += traffic.messages * waves
      rank.messageBytes += traffic.messageBytes * samples
      rank.collectives += traffic.collectives * waves
      rank.collectiveBytes += traffic.collectiveBytes * samples
      if gathersSums {
        rank.collectives += waves
        rank.collectiveBytes += communication.sumCounts[tree] * data.shards * sizes.scalar
      }
    }
    rank.messages += data.messages
    rank.messageBytes += data.messageCount * sizes.scalar
    rank.collectives += data.collectives
    rank.collectiveBytes += data.collectiveCount * sizes.scalar
    // All ranks agree at the end of a step on whether to go on.
    rank.collectives += 1
    rank.collectiveBytes += MemoryLayout<Int>.size
    rank.parameters = load.parameters
    rank.flops = load.flopsPerSample * samples
    let held = max(min(wave, data.shards), 1)
    rank.activationBytes = heldChannels[tree] * held * sizes.shard * sizes.scalar
    return rank
  }

  /// The largest over the mean work of all ranks.
  public var imbalance: Double {
    let shards = (0..<dataGroups).map {
      evenPiece(of: sizes.shards, pieces: dataGroups, piece: $0).count
    }
    let (largest, sum) = (loads.map(\.flopsPerSample).max() ?? 0, loads.map(\.flopsPerSample))
    let total = sum.reduce(0, +) * shards.reduce(0, +)
    return Double(largest * (shards.max() ?? 0) * dataGroups * treeRanks) / Double(max(total, 1))
  }
}
