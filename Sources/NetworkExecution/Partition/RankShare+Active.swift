import BlockSparse
public import OperatorNetworks

extension RankShare {
  /// Returns the parameters of a rank that training changes: all but those of frozen rows.
  ///
  /// - Parameter network: The network.
  /// - Returns: Their places among the rank's parameters, ascending, in as few ranges as possible.
  public func activeRanges(_ network: Network) -> [Range<Int>] {
    var result: [Range<Int>] = []
    func add(_ range: Range<Int>) {
      guard !range.isEmpty else { return }
      if let last = result.last, last.upperBound == range.lowerBound {
        result[result.count - 1] = last.lowerBound..<range.upperBound
      } else {
        result.append(range)
      }
    }
    for (slice, own) in zip(network.slices, parameters) {
      let rows = Self.active(own.rows, frozen: slice.frozenRows)
      guard slice.shape.rowsOwnWeights else {
        // Rows that share weights are frozen together.
        if slice.frozenRows.isEmpty { add(own.local) }
        continue
      }
      let (weights, biases) = (
        own.start - (own.weights.lowerBound - slice.weights.lowerBound),
        own.start + own.weights.count - (own.biases.lowerBound - slice.biases.lowerBound)
      )
      for part in rows {
        let range = slice.shape.weights(of: part)
        add(weights + range.lowerBound..<weights + range.upperBound)
      }
      for part in rows {
        let range = slice.shape.biases(of: part)
        add(biases + range.lowerBound..<biases + range.upperBound)
      }
    }
    return result
  }

  /// Returns the rows that are not frozen.
  private static func active(_ rows: Range<Int>, frozen: [Range<Int>]) -> [Range<Int>] {
    var (result, start) = ([Range<Int>](), rows.lowerBound)
    for part in frozen {
      let hidden = part.clamped(to: rows)
      guard !hidden.isEmpty else { continue }
      if start < hidden.lowerBound { result.append(start..<hidden.lowerBound) }
      start = hidden.upperBound
    }
    if start < rows.upperBound { result.append(start..<rows.upperBound) }
    return result
  }
}
