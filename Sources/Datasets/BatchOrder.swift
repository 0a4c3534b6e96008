import BlockKernels

/// The order in which training samples are seen: a new permutation for each epoch.
///
/// Batches follow each other without a gap, across the ends of epochs; so every batch is full, and
/// which samples it holds is a function of the seed and the step.
package struct BatchOrder {
  package let count: Int
  let seed: Int64
  private var epoch = -1
  private var permutation: [Int32]

  package init(count: Int, seed: Int64) {
    self.count = count
    self.seed = seed
    permutation = (0..<count).map { Int32($0) }
  }

  /// Returns the sample at a place of the endless sequence.
  package mutating func sample(at place: Int) -> Int {
    let wanted = place / count
    if wanted != epoch { shuffle(wanted) }
    return Int(permutation[place % count])
  }

  /// Makes the permutation of an epoch, by Fisher and Yates.
  private mutating func shuffle(_ wanted: Int) {
    epoch = wanted
    for index in 0..<count { permutation[index] = Int32(index) }
    var stream = RandomStream(seed: seed, purpose: 0x5348_5546, index: UInt64(wanted))
    for last in stride(from: count - 1, to: 0, by: -1) {
      permutation.swapAt(last, stream.index(below: last + 1))
    }
  }
}
