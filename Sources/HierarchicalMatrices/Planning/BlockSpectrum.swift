import BlockKernels

/// The singular values of a block, and the errors of all its truncations.
struct BlockSpectrum: Sendable, Equatable {
  /// The singular values σ, descending.
  let values: [Double]
  /// For each rank k: the error (Σ_{i≥k} σ_i²)^½ of keeping k values; descending to zero.
  let tails: [Double]

  /// Takes singular values, descending.
  init(_ values: [Double]) {
    self.values = values
    var tails = [Double](repeating: 0, count: values.count + 1)
    // From the small end: each term is at most as large as it can be without loss.
    var sum = 0.0
    for place in values.indices.reversed() {
      sum += values[place] * values[place]
      tails[place] = sum.squareRoot()
    }
    self.tails = tails
  }

  /// Computes the singular values of a block.
  init(of block: DenseMatrix) throws(HierarchicalMatrixError) {
    self.init(try factored { () throws(LAPACKError) in try block.singularValues() })
  }

  /// The smallest rank with at most some error.
  func rank(error: Double) -> Int { Self.first(tails) { $0 <= error } }

  /// The number of singular values whose square exceeds a price.
  func rank(price: Double) -> Int { Self.first(values) { $0 * $0 <= price } }

  /// The first place from which on a property holds; the count if there is none.
  private static func first(_ values: [Double], where holds: (Double) -> Bool) -> Int {
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if holds(values[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
