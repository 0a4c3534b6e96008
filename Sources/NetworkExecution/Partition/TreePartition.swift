public import BlockSparse
public import OperatorNetworks

/// How the boxes of all values of a network are spread over tree ranks.
///
/// The axis of the network is cut once, so that the work of the rows that begin in each piece is about
/// equal; a box belongs to the rank in whose piece its first place lies. So children stand with their
/// parent wherever the cut leaves the parent's subtree whole. Values with few boxes are replicated: every
/// rank computes them after gathering the values that they depend on.
public struct TreePartition: Sendable, Equatable {
  /// The partition of each value.
  public let values: [BoxPartition]
  /// The partition of the rows of each slice of the parameters.
  public let slices: [BoxPartition]
  /// The first place of each rank on the axis, and at the end the length of the axis.
  public let cuts: [Int]

  /// Spreads a network over ranks.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - ranks: The number of tree ranks; any number, also more than there are places.
  ///   - replicatedBoxes: Values with fewer boxes than this are replicated, boxes at one place counted once; the
  ///     input, the output, and values with as many boxes as the axis has places, never are.
  public init(_ network: Network, ranks: Int, replicatedBoxes: Int = 0) {
    self = Self.joint([network], ranks: ranks, replicatedBoxes: replicatedBoxes)[0]
  }

  /// Spreads a network over ranks by cuts of another one with an axis of the same length; nothing is replicated.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - cuts: The first place of each rank on the axis, and at the end the length of the axis.
  /// - Precondition: The cuts ascend from 0 to the length of the axis.
  public init(_ network: Network, cuts: [Int]) {
    let axis = network.values[0].layout.boxCount
    precondition(
      cuts.first == 0 && cuts.last == axis && zip(cuts, cuts.dropFirst()).allSatisfy { $0 <= $1 },
      "cuts \(cuts) of an axis of \(axis) places")
    self.init(
      values: network.values.map { Self.partition($0.places, cuts, false) },
      slices: network.slices.map { Self.partition($0.places, cuts, false) }, cuts: cuts)
  }

  /// Spreads networks with the same slices of parameters over ranks, so that a rank owns the same parameters of all.
  ///
  /// - Parameters:
  ///   - networks: The networks, whose axes are equally long.
  ///   - ranks: The number of tree ranks.
  ///   - replicatedBoxes: As for one network.
  /// - Returns: The partition of each network.
  public static func joint(
    _ networks: [Network], ranks: Int, replicatedBoxes: Int = 0
  ) -> [TreePartition] {
    precondition(ranks > 0, "\(ranks) tree ranks")
    let axis = networks[0].values[0].layout.boxCount
    precondition(
      networks.allSatisfy { $0.values[0].layout.boxCount == axis },
      "networks on axes of different lengths")
    let isReplicated = replicated(networks, below: ranks == 1 ? 0 : replicatedBoxes)
    var weights = [Int](repeating: 0, count: axis)
    // A place where boxes of many values begin leaves many subtrees whole.
    var beginnings = weights
    for (network, isReplicated) in zip(networks, isReplicated.values) {
      for item in network.layers where !isReplicated[item.target] {
        let (layer, places) = (item.layer, network.values[item.target].places)
        for row in 0..<layer.pattern.targetCount { weights[places[row]] += layer.rowWork(row) }
      }
      for value in network.values {
        for place in value.places.dropLast() { beginnings[place] += 1 }
      }
    }
    let cuts = BoxPartition.cut(weights, parts: ranks, preference: beginnings)
    return networks.indices.map { index in
      let network = networks[index]
      return TreePartition(
        values: network.values.indices.map {
          partition(network.values[$0].places, cuts, isReplicated.values[index][$0])
        },
        slices: network.slices.indices.map {
          partition(network.slices[$0].places, cuts, isReplicated.slices[$0])
        }, cuts: cuts)
    }
  }

  private init(values: [BoxPartition], slices: [BoxPartition], cuts: [Int]) {
    (self.values, self.slices, self.cuts) = (values, slices, cuts)
  }

  /// Decides which values are replicated, and the rows of which slices.
  ///
  /// All values with the rows of one slice are, or none: who holds a row of weights computes with it.
  private static func replicated(
    _ networks: [Network], below bound: Int
  ) -> (values: [[Bool]], slices: [Bool]) {
    var values = networks.map { network in
      let axis = network.values[0].layout.boxCount
      return network.values.indices.map { value in
        let boxes = network.values[value].placeCount
        return boxes < bound && boxes < axis && value != network.output
      }
    }
    var slices = [Bool](repeating: bound > 0, count: networks[0].slices.count)
    var isUsed = [Bool](repeating: false, count: slices.count)
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for (index, network) in networks.enumerated() {
        for item in network.layers {
          let slice = item.weights.slice
          isUsed[slice] = true
          if slices[slice] && !values[index][item.rowValue] {
            slices[slice] = false
            hasChanged = true
          } else if !slices[slice] && values[index][item.rowValue] {
            values[index][item.rowValue] = false
            hasChanged = true
          }
        }
      }
    }
    return (values, zip(slices, isUsed).map { $0 && $1 })
  }

  private static func partition(
    _ places: [Int], _ cuts: [Int], _ isReplicated: Bool
  ) -> BoxPartition {
    // Places ascend, the last one is where the boxes end: those of a rank begin with the first one at or behind its
    // cut.
    let starts = cuts.indices.map {
      $0 == 0 ? 0 : min(places.firstPlace(from: cuts[$0]), places.count - 1)
    }
    return BoxPartition(starts: starts, isReplicated: isReplicated)
  }

  /// The number of tree ranks.
  public var rankCount: Int { cuts.count - 1 }
}

extension BlockSparseLayer {
  /// The multiplications of one row for one sample: stacked inputs times outputs.
  func rowWork(_ row: Int) -> Int {
    target.channels(of: row) * rowInputs(row)
  }

  /// The channels of all sources of a row.
  func rowInputs(_ row: Int) -> Int {
    pattern.entries(of: row).reduce(0) { $0 + source.channels(of: Int(pattern.sources[$1])) }
  }
}
