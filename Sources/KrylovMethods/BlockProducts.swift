internal import BlockKernels
internal import MessagePassing

/// Inner products of vectors that are spread over ranks, many at a time, with bits that do not depend on the number of
/// ranks.
///
/// Two reductions of integers serve for all products together: the largest terms, then the folds of `ReproducibleSum`.
struct BlockProducts {
  /// Two vectors, at the same place of their blocks.
  private struct Pair {
    let left: AlignedBuffer<Double>
    let right: AlignedBuffer<Double>
    let range: Range<Int>

    /// The bits of the largest |term|.
    ///
    /// Bits of numbers that are not negative are ordered like the numbers.
    func largestBits() -> Int {
      let (left, right) = (left, right)
      let (a, b) = (left.span.extracting(range), right.span.extracting(range))
      return Int(bitPattern: UInt(ReproducibleSum.largest(a, times: b).bitPattern))
    }

    /// Adds the terms to the folds of a sum.
    func add(to folds: inout MutableSpan<Int>, of sum: ReproducibleSum) {
      let (left, right) = (left, right)
      let (a, b) = (left.span.extracting(range), right.span.extracting(range))
      sum.add(a, times: b, to: &folds)
    }
  }

  /// The rows of all ranks.
  private let total: Int
  private var pairs: [Pair] = []
  private var maxima: [Int] = []
  private var folds: [Int] = []
  /// The products that were reduced last, in the order in which they were added; NaN where a term is not finite.
  private(set) var values: [Double] = []

  /// Reserves memory.
  ///
  /// - Parameters:
  ///   - total: The rows of all ranks, below 2³⁰.
  ///   - capacity: The number of products for which memory is reserved.
  init(total: Int, capacity: Int) {
    self.total = total
    reserve(capacity)
  }

  /// Reserves memory for a number of products.
  mutating func reserve(_ capacity: Int) {
    guard values.capacity < capacity else { return }
    let capacity = max(capacity, 2 * values.capacity)
    pairs.reserveCapacity(capacity)
    maxima.reserveCapacity(capacity)
    folds.reserveCapacity(ReproducibleSum.foldCount * capacity)
    values.reserveCapacity(capacity)
  }

  /// Begins a new list of products.
  mutating func removeAll() { pairs.removeAll(keepingCapacity: true) }

  /// Appends a product to the list.
  ///
  /// - Parameters:
  ///   - left: The block of the first vector.
  ///   - right: The block of the second one.
  ///   - range: Where both stand.
  mutating func append(
    _ left: AlignedBuffer<Double>, _ right: AlignedBuffer<Double>, in range: Range<Int>
  ) {
    pairs.append(Pair(left: left, right: right, range: range))
  }

  /// Computes the products of the list.
  ///
  /// Collective, if the list is not empty.
  mutating func reduce(on ranks: borrowing Communicator) throws(MPIError) {
    maxima.removeAll(keepingCapacity: true)
    folds.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    guard !pairs.isEmpty else { return }
    for pair in pairs { maxima.append(pair.largestBits()) }
    var largest = maxima.mutableSpan
    try ranks.allReduce(.max, &largest)
    for (index, pair) in pairs.enumerated() {
      var own = [3 of Int](repeating: 0)
      if let sum = Self.sum(maxima[index], total) {
        var span = own.mutableSpan
        pair.add(to: &span, of: sum)
      }
      for fold in own.indices { folds.append(own[fold]) }
    }
    var sums = folds.mutableSpan
    try ranks.allReduce(.sum, &sums)
    for (index, bits) in maxima.enumerated() {
      var own = [3 of Int](repeating: 0)
      for fold in own.indices { own[fold] = folds[3 * index + fold] }
      values.append(Self.sum(bits, total)?.value(own.span) ?? .nan)
    }
  }

  /// Makes the sum of terms of which the largest has these bits, nil if it is not finite.
  private static func sum(_ bits: Int, _ total: Int) -> ReproducibleSum? {
    let largest = Double(bitPattern: UInt64(UInt(bitPattern: bits)))
    return largest.isFinite ? ReproducibleSum(largest: largest, count: total) : nil
  }
}
