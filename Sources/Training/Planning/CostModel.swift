import BlockSparse
import Foundation
public import MessagePassing
import NetworkExecution
public import OperatorNetworks

/// The speed of a machine: four numbers that turn a plan into a step time.
public struct CostModel: Sendable, Equatable {
  /// The latency: seconds of a message of any length.
  public var latency: Double
  /// The bytes per second that a rank can send.
  public var bandwidth: Double
  /// The floating-point operations per second of one rank in a step, elementwise work included.
  public var flopRate: Double
  /// The bytes per second that a rank moves between memory and core when it updates parameters.
  public var memoryBandwidth: Double

  /// Creates a model.
  ///
  /// The defaults are those of a core with AVX-512 in single precision and a fast interconnect.
  ///
  /// - Parameters:
  ///   - latency: Seconds for each message.
  ///   - bandwidth: Bytes per second of a rank.
  ///   - flopRate: Floating-point operations per second of a rank.
  ///   - memoryBandwidth: Bytes per second between memory and a core.
  public init(
    latency: Double = 2e-6, bandwidth: Double = 5e9, flopRate: Double = 5e10,
    memoryBandwidth: Double = 1e10
  ) {
    self.latency = latency
    self.bandwidth = bandwidth
    self.flopRate = flopRate
    self.memoryBandwidth = memoryBandwidth
  }

  /// Reads the file of a machine.
  ///
  /// - Parameter path: What `bench` wrote, or an object with some of the keys `latency`, `bandwidth`,
  ///   `flop_rate` and `memory_bandwidth`; the others are those of the default.
  /// - Throws: `RunError` (66 if the file is missing, 65 if it is no such object).
  public init(path: String) throws(RunError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw RunError(exitStatus: 66, "\(path): the file of a machine is missing")
    }
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let values: [String: Double?]
    do {
      values = try decoder.decode([String: Double?].self, from: data)
    } catch {
      throw .data("\(path): not a JSON object of numbers that describe a machine (\(error))")
    }
    self.init()
    for (key, place) in Self.keys {
      guard let value = values[key], let value else { continue }
      guard value > 0, value.isFinite else {
        throw .data("\(path): \(key) is \(value), needed is a positive number")
      }
      self[keyPath: place] = value
    }
    let known = Self.keys.map(\.0)
    if let wrong = values.keys.sorted().first(where: { !known.contains($0) }) {
      throw .data(
        "\(path): \(wrong) describes no machine; known are \(known.joined(separator: ", "))")
    }
  }

  private static var keys: [(String, WritableKeyPath<CostModel, Double>)] {
    [
      ("latency", \.latency), ("bandwidth", \.bandwidth), ("flop_rate", \.flopRate),
      ("memory_bandwidth", \.memoryBandwidth),
    ]
  }

  /// The model as the object of a file.
  public var jsonObject: [String: Any] {
    Dictionary(uniqueKeysWithValues: Self.keys.map { ($0.0, self[keyPath: $0.1]) })
  }

  /// The parts of a predicted step, in seconds; of each part the time of the slowest rank.
  public struct Prediction: Sendable {
    /// Products and elementwise work.
    public var computing = 0.0
    /// The update of the parameters.
    public var updating = 0.0
    /// Exchanges between tree ranks.
    public var tree = 0.0
    /// Exchanges between data groups, and the agreement at the end.
    public var groups = 0.0

    /// The whole step, if nothing is hidden behind anything else.
    public var total: Double { computing + updating + tree + groups }
  }

  /// Predicts a step.
  ///
  /// A message costs the latency and its bytes; a gather over P ranks log₂ P latencies and the bytes of all
  /// ranks; the exchange of gradients P − 1 latencies and its bytes.
  ///
  /// - Parameter plan: The plan.
  /// - Returns: The parts of the step.
  public func predict(_ plan: StepPlan) -> Prediction {
    let sizes = plan.sizes
    // The shards of the group that has the most.
    let most = (sizes.shards + plan.dataGroups - 1) / plan.dataGroups
    let samples = Double(most * sizes.shard)
    let parameters = Double(plan.loads.map(\.parameters).max() ?? 0)
    let scalar = Double(sizes.scalar)
    var result = Prediction()
    // Rates are those of single precision.
    let precision = scalar / 4
    result.computing =
      samples * Double(plan.loads.map(\.flopsPerSample).max() ?? 0) / flopRate * precision
    let groups = Double(plan.dataGroups)
    result.updating = updating(parameters, groups: groups, scalar: scalar)
    result.tree = tree(plan, samples: samples, shards: Double(most))
    let steps = (groups * Double(plan.treeRanks)).logarithm
    result.groups = 2 * latency * steps
    if plan.dataGroups > 1 {
      let received = parameters * scalar * (1 + 1 / groups)
      result.groups += latency * (groups - 1 + groups.logarithm) + received / bandwidth
    }
    return result
  }

  /// Predicts the update: gradient, moments and parameters are read, the last two written; then the weights
  /// are packed.
  private func updating(_ parameters: Double, groups: Double, scalar: Double) -> Double {
    parameters * scalar * (7 / groups + 3) / memoryBandwidth
  }

  /// Finds the flop rate from a measured step of one rank: the time without the update is computing.
  ///
  /// - Parameters:
  ///   - seconds: The seconds of a step.
  ///   - flops: Its floating-point operations.
  ///   - parameters: The parameters that it updates.
  ///   - scalar: The bytes of a number.
  public mutating func setFlopRate(seconds: Double, flops: Int, parameters: Int, scalar: Int) {
    let update = updating(Double(parameters), groups: 1, scalar: Double(scalar))
    // Small networks stay in the caches, where their update takes less than this.
    let computing = max(seconds - update, seconds / 2)
    flopRate = Double(flops) / computing * Double(scalar) / 4
  }

  /// Plans the steps of a network on a grid, with as many replicated values as make the step fastest.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - dataGroups: The number of data groups.
  ///   - treeRanks: The number of tree ranks of each group.
  ///   - replicatedBoxes: Values with fewer boxes are replicated; if nil, that is chosen.
  ///   - sizes: The sizes of a step.
  /// - Returns: The plan.
  public func plan(
    _ network: Network, dataGroups: Int, treeRanks: Int, replicatedBoxes: Int?,
    sizes: StepPlan.Sizes
  ) -> StepPlan {
    func plan(_ bound: Int) -> StepPlan {
      StepPlan(
        network, dataGroups: dataGroups, treeRanks: treeRanks, replicatedBoxes: bound,
        sizes: sizes)
    }
    var best = plan(replicatedBoxes ?? 0)
    guard replicatedBoxes == nil, treeRanks > 1 else { return best }
    var shortest = predict(best).total
    // Beyond twice as many boxes as ranks every rank has enough of its own to do.
    let counts = Set(network.values.map(\.placeCount)).filter { $0 <= 2 * treeRanks }
    var misses = 0
    for count in counts.sorted() {
      let other = plan(count + 1)
      let time = predict(other).total
      if time < shortest {
        (best, shortest, misses) = (other, time, 0)
      } else {
        misses += 1
        if misses == 2 { break }
      }
    }
    return best
  }

  /// Predicts the exchanges of tree ranks: those of a round happen together, rounds one after the other.
  private func tree(_ plan: StepPlan, samples: Double, shards: Double) -> Double {
    guard plan.treeRanks > 1 else { return 0 }
    let (scalar, waves) = (Double(plan.sizes.scalar), Double(plan.waves(of: Int(shards))))
    var rounds: [[Int]: [Int: (messages: Double, count: Double)]] = [:]
    for message in plan.communication.messages {
      let key = [message.phase.rawValue, message.round]
      for rank in [message.source, message.target] {
        var load = rounds[key, default: [:]][rank] ?? (0, 0)
        load.messages += 0.5
        load.count += 0.5 * Double(message.count)
        rounds[key, default: [:]][rank] = load
      }
    }
    var seconds = 0.0
    // In one order: that of a dictionary differs from process to process, and the last bits of the sum with it.
    for (key, ranks) in rounds.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let isOnce = key[0] == CommunicationPlan.Phase.weights.rawValue
      let (factor, times) = isOnce ? (1, 1) : (samples, waves)
      seconds +=
        ranks.values.map { latency * times * $0.messages + $0.count * factor * scalar / bandwidth }
        .max() ?? 0
    }
    let hops = Double(plan.treeRanks).logarithm
    for gather in plan.communication.gathers {
      let (factor, times) = gather.phase == .weights ? (1, 1) : (samples, waves)
      seconds +=
        latency * times * hops + Double(gather.counts.reduce(0, +)) * factor * scalar / bandwidth
    }
    let sums = Double(plan.communication.sumCounts.reduce(0, +))
    if sums > 0 { seconds += latency * waves * hops + sums * shards * scalar / bandwidth }
    return seconds
  }
}

extension Double {
  /// The number of halvings down to one.
  fileprivate var logarithm: Double { self > 1 ? log2(self).rounded(.up) : 0 }
}
