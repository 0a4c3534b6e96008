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
    precondition(ranks > 0, "\(ranks) tree ranks")
    let axis = network.values[0].layout.boxCount
    let bound = ranks == 1 ? 0 : replicatedBoxes
    let isReplicated = network.values.indices.map { value in
      let boxes = network.values[value].placeCount
      return boxes < bound && boxes < axis && value != network.output
    }
    var weights = [Int](repeating: 0, count: axis)
    for item in network.layers where !isReplicated[item.target] {
      let (layer, places) = (item.layer, network.values[item.target].places)
      for row in 0..<layer.pattern.targetCount {
        weights[places[row]] += layer.rowWork(row)
      }
    }
    // A place where boxes of many values begin leaves many subtrees whole.
    var beginnings = [Int](repeating: 0, count: axis)
    for value in network.values {
      for place in value.places.dropLast() { beginnings[place] += 1 }
    }
    let cuts = BoxPartition.cut(weights, parts: ranks, preference: beginnings)
    self.cuts = cuts
    values = network.values.indices.map { value in
      let places = network.values[value].places.dropLast()
      var starts = [0]
      for rank in 1..<ranks + 1 {
        // Places ascend: the boxes of a rank begin with the first one at or behind its cut.
        var (low, high) = (starts[rank - 1], places.count)
        while low < high {
          let middle = (low + high) / 2
          if places[middle] < cuts[rank] { low = middle + 1 } else { high = middle }
        }
        starts.append(low)
      }
      return BoxPartition(starts: starts, isReplicated: isReplicated[value])
    }
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
